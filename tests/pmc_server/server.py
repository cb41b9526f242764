"""The server: what it holds, and what each of the five services answers."""

import asyncio
import contextlib
import csv
import gzip
import hashlib
import io
import json
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from aiohttp import web

if TYPE_CHECKING:
    from tests.pmc_server.faults import Fault

_KEYS_A_PAGE = 1000
_INVENTORY = "inventory-reports/pmc-oa-opendata/metadata"


class PmcServer:
    """Five services on one port: /bucket, /europepmc, /eutils, /idconv. `seen` are the requests so far."""

    def __init__(self, latency_s: float = 0.0):
        self.latency_s = latency_s
        self.objects: dict[str, bytes] = {}  # key -> content, of the bucket
        self.articles: dict[str, dict] = {}  # PMCID -> what searches say of it
        self.fulltexts: dict[str, bytes] = {}  # PMCID -> XML, of Europe PMC alone
        self.multipart: set[str] = set()  # keys of objects that were uploaded in parts: their ETag is no md5
        self.minds_if_range = True
        self.answers_lower_case = False  # the ID converter
        self.faults: list[Fault] = []
        self.seen: list[tuple[str, str, Mapping[str, str]]] = []  # method, path with query, headers
        self.forms: list[dict[str, str]] = []  # of POST requests
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    # ---- what is in it ----

    def add(self, pmcid: str, version: int, files: Mapping[str, bytes], /, **said: object) -> None:
        """Put an article version into the bucket; `said` goes into its metadata and into the answers of searches."""
        folder = f"{pmcid}.{version}"

        def url(name: str) -> str:
            return f"s3://pmc-oa-opendata/{folder}/{name}?md5={hashlib.md5(files[name]).hexdigest()}"

        media = [url(name) for name in files if not name.endswith((".xml", ".txt")) and name != f"{folder}.pdf"]
        metadata = {
            "pmcid": pmcid,
            "version": version,
            "pmid": None,
            "doi": f"10.5555/{pmcid.lower()}",
            "title": f"Article {pmcid}",
            "is_pmc_openaccess": True,
            "is_manuscript": False,
            "is_retracted": False,
            "license_code": "CC BY",
            "xml_url": url(f"{folder}.xml") if f"{folder}.xml" in files else None,
            "media_urls": media,
        } | said
        encoded = json.dumps(metadata).encode()
        for name, content in {**files, f"{folder}.json": encoded}.items():
            self.objects[f"{folder}/{name}"] = content
        self.objects[f"metadata/{folder}.json"] = encoded
        self.articles[pmcid] = {"doi": metadata["doi"], "title": metadata["title"], "year": 2020, "language": "eng"}

    def remove(self, pmcid: str) -> None:
        """Take all versions out of the bucket."""
        for key in [key for key in self.objects if re.search(rf"{pmcid}\.\d+", key)]:
            del self.objects[key]

    def make_inventory(self, day: str = "2026-11-26T01-00Z") -> None:
        """Write the inventory of the metadata as they are now."""
        table = io.StringIO()
        for key, content in self.objects.items():
            if key.startswith("metadata/"):
                etag = hashlib.md5(content).hexdigest()
                csv.writer(table).writerow(["pmc-oa-opendata", key, "2026-11-25T00:00:00.000Z", etag])
        data = f"{_INVENTORY}/data/{day}.csv.gz"
        manifest = {"fileFormat": "CSV", "fileSchema": "Bucket, Key, LastModifiedDate, ETag", "files": [{"key": data}]}
        self.objects[data] = gzip.compress(table.getvalue().encode())
        self.objects[f"{_INVENTORY}/{day}/manifest.json"] = json.dumps(manifest).encode()

    # ---- it runs ----

    def __enter__(self) -> "PmcServer":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    async def _start(self) -> None:
        app = web.Application(middlewares=[self._middleware], client_max_size=2**26)
        app.router.add_get("/bucket/{key:.*}", self._bucket)
        app.router.add_get("/europepmc/search", self._search)
        app.router.add_post("/europepmc/searchPOST", self._search)
        app.router.add_get("/europepmc/{pmcid}/fullTextXML", self._fulltext)
        app.router.add_post("/eutils/esearch.fcgi", self._esearch)
        app.router.add_get("/idconv/", self._convert)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.port}/{service}"

    def options(self) -> list[str]:
        """The options of `ldrt fetch` that lead here, and a pace for tests."""
        addresses = {name: self.url(name) for name in ("bucket", "europepmc", "eutils")}
        words = [f"--{name}_url={url}" for name, url in addresses.items()]
        return [*words, f"--converter_url={self.url('idconv')}/", "--contact=test@example.org", "--rate=2000"]

    @web.middleware
    async def _middleware(self, request: web.Request, handler) -> web.StreamResponse:
        path = str(request.rel_url)
        self.seen.append((request.method, path, request.headers))
        if request.method == "POST":
            self.forms.append({name: str(value) for name, value in (await request.post()).items()})
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        right = await handler(request)
        fault = next((fault for fault in self.faults if fault.matches(path)), None)
        return await fault.answer(request, right) if fault else right

    # ---- the bucket ----

    async def _bucket(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        if not key and request.query.get("list-type") == "2":
            return self._listing(request.query)
        if key not in self.objects:
            error = f"<Error><Code>NoSuchKey</Code><Key>{escape(key)}</Key></Error>"
            return web.Response(status=404, text=error, content_type="application/xml")
        content = self.objects[key]
        headers = {"ETag": f'"{self._etag(key)}"', "Accept-Ranges": "bytes"}
        span = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        is_other = request.headers.get("If-Range", headers["ETag"]) != headers["ETag"]
        if not span or is_other and self.minds_if_range:
            return web.Response(body=content, headers=headers)
        first = int(span[1])
        if first >= len(content):
            return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{len(content)}"})
        headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        return web.Response(status=206, body=content[first:], headers=headers)

    def _etag(self, key: str) -> str:
        return hashlib.md5(self.objects[key]).hexdigest() + ("-2" if key in self.multipart else "")

    def _listing(self, query: Mapping[str, str]) -> web.Response:
        """ListObjectsV2, as S3 answers it."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        keys = sorted(key for key in self.objects if key.startswith(prefix))
        folders: list[str] = []
        if delimiter:
            inside = [key.removeprefix(prefix).partition(delimiter) for key in keys]
            folders = sorted({f"{prefix}{head}{delimiter}" for head, found, _ in inside if found})
            keys = [key for key in keys if delimiter not in key.removeprefix(prefix)]
        token = query.get("continuation-token", "0")
        start = int(token) if token.isdecimal() else 0
        page, rest = keys[start : start + _KEYS_A_PAGE], keys[start + _KEYS_A_PAGE :]
        entries = [
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key])}</Size>"
            f"<ETag>&quot;{self._etag(key)}&quot;</ETag></Contents>"
            for key in page
        ]
        entries += [f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in folders]
        if rest:
            entries.append(f"<NextContinuationToken>{start + _KEYS_A_PAGE}</NextContinuationToken>")
        truncated = f"<IsTruncated>{'true' if rest else 'false'}</IsTruncated>"
        text = f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{truncated}{"".join(entries)}</ListBucketResult>'
        return web.Response(text=text, content_type="application/xml")

    # ---- searches ----

    def _found(self) -> list[str]:
        return sorted(self.articles, key=lambda pmcid: int(pmcid[3:]))

    async def _search(self, request: web.Request) -> web.Response:
        form = await request.post() if request.method == "POST" else request.query
        size, start = int(str(form["pageSize"])), int(re.sub(r"\D.*", "", str(form["cursorMark"])) or 0)
        everything = self._found()
        page = everything[start : start + size]
        results = [
            {
                "pmcid": pmcid,
                "doi": self.articles[pmcid]["doi"],
                "title": self.articles[pmcid]["title"],
                "language": self.articles[pmcid]["language"],
                "pubYear": str(self.articles[pmcid]["year"]),
                "license": "cc by",
            }
            for pmcid in page
        ]
        following = str(start + len(page)) if page else str(form["cursorMark"])
        answer = {"hitCount": len(everything), "nextCursorMark": following, "resultList": {"result": results}}
        return web.json_response(answer)

    async def _fulltext(self, request: web.Request) -> web.Response:
        xml = self.fulltexts.get(request.match_info["pmcid"])
        return web.Response(status=404) if xml is None else web.Response(body=xml, content_type="application/xml")

    async def _esearch(self, request: web.Request) -> web.Response:
        form = await request.post()
        everything = self._within(str(form["term"]))
        start, most = int(str(form["retstart"])), int(str(form["retmax"]))
        ids = [pmcid.removeprefix("PMC") for pmcid in everything[start : start + most]] if start <= 9_998 else []
        return web.json_response({"esearchresult": {"count": str(len(everything)), "idlist": ids}})

    def _within(self, term: str) -> list[str]:
        """The articles whose `day` and day `printed` (2020/01/01 where none is set) are in the term's spans."""
        found = self._found()
        for first, last, kind in re.findall(r"(\d{4}/\d\d/\d\d):(\d{4}/\d\d/\d\d)\[(pmcrdat|pdat)\]", term):
            column = {"pmcrdat": "day", "pdat": "printed"}[kind]
            found = [each for each in found if first <= self.articles[each].get(column, "2020/01/01") <= last]
        return found

    async def _convert(self, request: web.Request) -> web.Response:
        asked, kind = request.query["ids"].split(","), request.query["idtype"]
        if len(asked) > 200:
            return web.json_response({"status": "error", "message": "too many ids"}, status=400)
        by_id = {str(self.articles[pmcid].get(kind)).lower(): pmcid for pmcid in self._found()}
        records: list[dict] = []
        for each in asked:
            pmcid = by_id.get(each.lower())
            each = each.lower() if self.answers_lower_case else each
            known = {"requested-id": each, "pmcid": pmcid, kind: each}
            unknown = {"requested-id": each, kind: each, "status": "error", "errmsg": "Identifier not found in PMC"}
            records.append(known if pmcid else unknown)
        return web.json_response({"status": "ok", "records": records})


@contextlib.contextmanager
def another_host(server: PmcServer):
    """The same server by another name: http://localhost."""
    yield f"http://localhost:{server.port}"
