"""What the test Hub does with a request: routes, tokens, and the faults that are injected."""

import base64
import hashlib
import http.server
import json
import re
import socket
import struct
import sys
import threading
import traceback
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from tests.hub_server.answers import Answer, front_matter, json_answer, ranged, refusal, sibling, tree_rows
from tests.hub_server.collections import Collections
from tests.hub_server.store import HubError, Repo, lfs_file, regular_file

# token -> who it belongs to, what it may do, and the organisations its owner may write to
TOKENS = {
    "hf_write": {"user": "alice", "role": "write", "orgs": ["lab"]},
    "hf_read": {"user": "alice", "role": "read", "orgs": ["lab"]},
    "hf_other": {"user": "bob", "role": "write", "orgs": []},
}
LFS_SUFFIXES = (".parquet", ".safetensors", ".bin", ".pt", ".png", ".jpg", ".zip", ".gz", ".arrow")
LFS_MIN_BYTES = 10_000_000  # as on the Hub: larger files are LFS whatever their name
CC_LICENSES = """
    cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0
    cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
"""


@dataclass
class Fault:
    """What goes wrong, `times` times after `skip` good ones, with requests whose "METHOD /path?query" has `match`."""

    match: str
    times: int = 1
    skip: int = 0
    status: int | None = None  # answer this without doing anything
    message: str = "injected fault"
    drop: str | None = None  # "before" doing it or "after": the connection ends without an answer
    truncate_bytes: int | None = None  # announce the whole body, send this much, then drop
    is_held: bool = False  # done once the test says `release`
    released: threading.Event = field(default_factory=threading.Event)


_REPO = r"/api/(models|datasets|spaces)/([^/?]+/[^/?]+)"
_ROUTES = [
    ("GET", r"/api/whoami-v2", "whoami"),
    ("POST", r"/api/repos/create", "create_repo"),
    ("DELETE", r"/api/repos/delete", "delete_repo"),
    ("POST", r"/api/validate-yaml", "validate_yaml"),
    ("GET", r"/api/models", "list_models"),
    ("GET", _REPO, "info"),
    ("GET", _REPO + r"/revision/([^/]+)", "info"),
    ("GET", _REPO + r"/tree/([^/]+)(?:/(.*))?", "tree"),
    ("POST", _REPO + r"/paths-info/([^/]+)", "paths_info"),
    ("POST", _REPO + r"/preupload/([^/]+)", "preupload"),
    ("POST", _REPO + r"/commit/([^/]+)", "commit"),
    ("GET", _REPO + r"/commits/([^/]+)", "commits"),
    ("GET", _REPO + r"/refs", "refs"),
    ("POST", _REPO + r"/super-squash/([^/]+)", "super_squash"),
    ("POST", _REPO + r"/tag/([^/]+)", "create_tag"),
    ("DELETE", _REPO + r"/tag/([^/]+)", "delete_tag"),
    ("GET", _REPO + r"/auth-check(/write)?", "auth_check"),
    ("POST", r"/(?:(datasets|spaces)/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch", "lfs_batch"),
    ("PUT", r"/lfs/([0-9a-f]{64})(?:/part/(\d+))?", "lfs_put"),
    ("POST", r"/lfs/([0-9a-f]{64})/verify", "lfs_verify"),
    ("POST", r"/lfs/([0-9a-f]{64})/complete", "lfs_complete"),
    ("GET", r"/(?:(datasets|spaces)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", "resolve"),
    ("GET", r"/api/collections", "list_collections"),
    ("POST", r"/api/collections", "create_collection"),
    ("GET", r"/api/collections/([^/]+/[^/]+)", "get_collection"),
    ("POST", r"/api/collections/([^/]+/[^/]+)/items", "add_collection_item"),
    ("GET", r"/api/agent-harnesses", "agent_harnesses"),
]


class Handler(Collections, http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the client's delayed acknowledgement
    hub: Any  # the `HubServer` that made a class of its own from this one

    def do_GET(self):
        with self.hub.asked():
            self._do()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def _do(self) -> None:
        line = f"{self.command} {self.path}"
        self.body = self._read_body()
        self.user = TOKENS.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        row = {"method": self.command, "path": self.path, "status": None, "user": self.user and self.user["user"]}
        row |= {"agent": self.headers.get("User-Agent"), "bytes_in": len(self.body)}
        self.hub.log.append(row)
        fault = self.hub.next_fault(line) or Fault("")
        if fault.is_held:
            fault.released.wait()
        if fault.drop == "before":
            self._drop()
            return
        answer = refusal(HubError(fault.status, fault.message)) if fault.status else self._answer()
        if fault.drop == "after":
            self._drop()
            return
        row["status"] = answer.status
        self._send(answer, fault.truncate_bytes)

    def _answer(self) -> Answer:
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        method = "GET" if self.command == "HEAD" else self.command
        try:
            if self.headers.get("Authorization") and not self.user:
                raise HubError(401, "Invalid credentials in Authorization header")
            for verb, pattern, name in _ROUTES:
                if verb == method and (match := re.fullmatch(pattern, parts.path)):
                    groups = [group and unquote(group) for group in match.groups()]
                    with self.hub.store.lock:
                        return getattr(self, name)(*groups)
            raise HubError(404, f"no route for {method} {parts.path}")
        except HubError as error:
            return refusal(error)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return json_answer({"error": "the test server failed; see its stderr"}, 500)

    # ---- who is asking

    def _may(self, namespace: str) -> bool:
        return self.user is not None and namespace in (self.user["user"], *self.user["orgs"])

    def _may_write(self, namespace: str) -> bool:
        return self._may(namespace) and self.user["role"] == "write"

    def _repo(self, types: str | None, repo_id: str) -> Repo:
        """The repository, if the caller may read it; else the Hub's 401 or 404."""
        repo = self.hub.store.repos.get(((types or "models")[:-1], repo_id))
        if repo is None or (repo.private and not self._may(repo.namespace)):
            raise HubError(404 if self.user else 401, "Repository not found", "RepoNotFound")
        return repo

    def _writable(self, types: str | None, repo_id: str) -> Repo:
        repo = self._repo(types, repo_id)
        if not self._may_write(repo.namespace):
            raise HubError(403, f"You don't have the required permissions to write to {repo_id}")
        return repo

    def whoami(self) -> Answer:
        if not self.user:
            raise HubError(401, "Invalid username or password.")
        orgs = [{"name": name, "type": "org"} for name in self.user["orgs"]]
        token = {"displayName": "test", "role": self.user["role"]}
        return json_answer({"type": "user", "name": self.user["user"], "orgs": orgs, "auth": {"accessToken": token}})

    def auth_check(self, types: str, repo_id: str, write: str | None) -> Answer:
        self._writable(types, repo_id) if write else self._repo(types, repo_id)
        return json_answer({})

    def agent_harnesses(self) -> Answer:
        return json_answer({"standardEnvVars": [], "harnesses": []})

    # ---- repositories

    def create_repo(self) -> Answer:
        data = json.loads(self.body)
        if not self.user:
            raise HubError(401, "Invalid username or password.")
        namespace, repo_type = data.get("organization") or self.user["user"], data.get("type") or "model"
        repo_id = f"{namespace}/{data['name']}"
        url = f"{self._base()}/{'' if repo_type == 'model' else repo_type + 's/'}{repo_id}"
        repo = self.hub.store.repos.get((repo_type, repo_id))
        if repo and (not repo.private or self._may(namespace)):
            raise HubError(409, f"You already created this {repo_type} repo", url=url)
        if not self._may_write(namespace):
            raise HubError(403, f'You don\'t have the rights to create a {repo_type} under the namespace "{namespace}"')
        private = data.get("visibility") == "private"
        self.hub.store.create(repo_type, repo_id, private, self.user["user"])
        return json_answer({"url": url, "name": repo_id})

    def delete_repo(self) -> Answer:
        data = json.loads(self.body)
        repo_id = f"{data.get('organization') or self.user['user']}/{data['name']}"
        self.hub.store.delete(self._writable((data.get("type") or "model") + "s", repo_id))
        return json_answer({})

    def info(self, types: str, repo_id: str, revision: str = "main") -> Answer:
        repo = self._repo(types, repo_id)
        sha = repo.commit_at(revision)
        files = repo.commits[sha]["files"]
        card = front_matter(self._text(files["README.md"])) if "README.md" in files else None
        info = {"_id": sha[:24], "id": repo.id, "sha": sha, "private": repo.private, "gated": False, "disabled": False}
        info |= {"author": repo.namespace, "createdAt": repo.created, "lastModified": repo.commits[sha]["date"]}
        info |= {"downloads": 0, "likes": 0, "tags": [], "cardData": card}
        return json_answer(info | {"siblings": [sibling(path, file) for path, file in files.items()]})

    def list_models(self) -> Answer:
        """Those that the caller may read; `filter=dataset:ID` by the datasets that their cards name."""
        dataset = self.query.get("filter", "").removeprefix("dataset:")
        rows = []
        for (kind, repo_id), repo in self.hub.store.repos.items():
            files = repo.files_at("main")
            if kind != "model" or (repo.private and not self._may(repo.namespace)) or "README.md" not in files:
                continue
            named = (front_matter(self._text(files["README.md"])) or {}).get("datasets") or []
            if not dataset or dataset in named:
                rows.append({"_id": repo_id, "id": repo_id, "private": repo.private})
        return json_answer(rows)

    def refs(self, types: str, repo_id: str) -> Answer:
        repo = self._repo(types, repo_id)
        branches = [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": s} for n, s in repo.branches.items()]
        tags = [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": s} for n, s in repo.tags.items()]
        return json_answer({"branches": branches, "converts": [], "tags": tags, "pullRequests": []})

    def commits(self, types: str, repo_id: str, revision: str) -> Answer:
        history = self.hub.store.history(self._repo(types, repo_id), revision)
        keys = ("title", "message", "date")
        return json_answer(
            [{"id": s, **{k: c[k] for k in keys}, "authors": [{"user": c["author"]}]} for s, c in history]
        )

    def create_tag(self, types: str, repo_id: str, revision: str) -> Answer:
        repo, tag = self._writable(types, repo_id), json.loads(self.body)["tag"]
        if tag in repo.tags:
            raise HubError(409, f"Tag reference exists already: {tag}")
        repo.tags[tag] = repo.commit_at(revision)
        self.hub.store.save(repo)
        return json_answer({})

    def delete_tag(self, types: str, repo_id: str, tag: str) -> Answer:
        repo = self._writable(types, repo_id)
        if repo.tags.pop(tag, None) is None:
            raise HubError(404, f"no tag {tag}", "RevisionNotFound")
        self.hub.store.save(repo)
        return json_answer({})

    def super_squash(self, types: str, repo_id: str, branch: str) -> Answer:
        """One commit without a parent; tags keep the commits that they name."""
        repo = self._writable(types, repo_id)
        files, message = repo.files_at(branch), json.loads(self.body)["message"]
        del repo.branches[branch]
        self.hub.store.add_commit(repo, branch, files, message, "", self.user["user"])
        return json_answer({})

    # ---- listing and reading files

    def tree(self, types: str, repo_id: str, revision: str, folder: str | None) -> Answer:
        repo = self._repo(types, repo_id)
        sha = repo.commit_at(revision)
        rows = tree_rows(repo.commits[sha]["files"], folder, self.query.get("recursive", "").lower() == "true")
        if folder and not rows:
            raise HubError(404, f"{folder} does not exist on {revision}", "EntryNotFound")
        if self.query.get("expand", "").lower() == "true":
            commit = repo.commits[sha]
            rows = [r | {"lastCommit": {"id": sha, "title": commit["title"], "date": commit["date"]}} for r in rows]
        start = int(self.query.get("cursor", 0))
        end = start + self.hub.page_rows
        if end >= len(rows):
            return json_answer(rows[start:])
        query = "&".join(f"{k}={v}" for k, v in {**self.query, "cursor": end}.items())
        link = f'<{self._base()}{urlsplit(self.path).path}?{query}>; rel="next"'
        return json_answer(rows[start:end], Link=link)

    def paths_info(self, types: str, repo_id: str, revision: str) -> Answer:
        files = self._repo(types, repo_id).files_at(revision)
        wanted = parse_qs(self.body.decode()).get("paths", [])
        rows = {row["path"]: row for row in tree_rows(files, None, recursive=True)}
        return json_answer([rows[path] for path in wanted if path in rows])

    def resolve(self, types: str | None, repo_id: str, revision: str, path: str) -> Answer:
        repo = self._repo(types, repo_id)
        sha = repo.commit_at(revision)
        file = repo.commits[sha]["files"].get(path)
        if file is None:
            headers = {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found", "X-Repo-Commit": sha}
            return json_answer({"error": "Entry not found"}, 404, **headers)
        headers = {"X-Repo-Commit": sha, "ETag": f'"{file["sha256"] or file["oid"]}"', "Accept-Ranges": "bytes"}
        if file["sha256"]:
            headers |= {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(file["size"])}
        answer = Answer(200, headers=headers, path=self.hub.store.content_path(file), length=file["size"])
        return ranged(answer, self.headers.get("Range"))

    # ---- writing

    def validate_yaml(self) -> Answer:
        content = json.loads(self.body)["content"]
        try:
            card = front_matter(content)
        except yaml.YAMLError as error:
            return json_answer({"errors": [{"message": f"YAML: {error}"}], "warnings": []}, 400)
        if card is None:
            return json_answer({"errors": [], "warnings": [{"message": "empty or missing yaml metadata in repo card"}]})
        licenses = card.get("license") if isinstance(card.get("license"), list) else [card.get("license")]
        wrong = [name for name in licenses if str(name).startswith("cc") and name not in CC_LICENSES]
        if wrong:
            return json_answer(
                {"errors": [{"message": f'"license" must be a known one, not {wrong[0]}'}], "warnings": []}, 400
            )
        return json_answer({"errors": [], "warnings": []})

    def preupload(self, types: str, repo_id: str, revision: str) -> Answer:
        files = self._writable(types, repo_id).files_at(revision)
        answer = []
        for file in json.loads(self.body)["files"]:
            lfs = file["path"].endswith(LFS_SUFFIXES) or file["size"] > LFS_MIN_BYTES
            row = {"path": file["path"], "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
            if old := files.get(file["path"]):
                row["oid"] = old["sha256"] or old["oid"]
            answer.append(row)
        return json_answer({"files": answer})

    def lfs_batch(self, types: str | None, repo_id: str) -> Answer:
        self._writable(types, repo_id)
        objects = [self._lfs_actions(row["oid"], row["size"]) for row in json.loads(self.body)["objects"]]
        transfer = "multipart" if any("chunk_size" in str(row) for row in objects) else "basic"
        return json_answer({"transfer": transfer, "objects": objects})

    def _lfs_actions(self, oid: str, size: int) -> dict:
        if self.hub.store.object_path(oid).exists():
            return {"oid": oid, "size": size}
        href, chunk = f"{self._base()}/lfs/{oid}", self.hub.multipart_bytes
        upload = {"href": href}
        if size > chunk:
            parts = {f"{n + 1:05}": f"{href}/part/{n + 1}" for n in range(-(-size // chunk))}
            upload = {"href": f"{href}/complete", "header": {"chunk_size": str(chunk), **parts}}
        return {"oid": oid, "size": size, "actions": {"upload": upload, "verify": {"href": f"{href}/verify"}}}

    def lfs_put(self, oid: str, part: str | None) -> Answer:
        if self.headers.get("Authorization"):
            raise HubError(400, "a token was sent to the storage")
        if not part:
            self._check_sha256(oid, self.body)
        self.hub.store.put_object(f"{oid}.part{part}" if part else oid, self.body)
        return Answer(200, headers={"ETag": f'"{hashlib.md5(self.body).hexdigest()}"'})

    def lfs_complete(self, oid: str) -> Answer:
        numbers = [part["partNumber"] for part in json.loads(self.body)["parts"]]
        paths = [self.hub.store.object_path(oid).with_name(f"{oid}.part{n}") for n in numbers]
        content = b"".join(path.read_bytes() for path in paths)
        self._check_sha256(oid, content)
        self.hub.store.put_object(oid, content)
        for path in paths:
            path.unlink()
        return json_answer({})

    def _check_sha256(self, oid: str, content: bytes) -> None:
        if hashlib.sha256(content).hexdigest() != oid:
            raise HubError(400, "the content does not have the announced sha256")

    def lfs_verify(self, oid: str) -> Answer:
        path = self.hub.store.object_path(oid)
        if not path.exists() or path.stat().st_size != json.loads(self.body)["size"]:
            raise HubError(422, "object missing or of another size")
        return json_answer({})

    def commit(self, types: str, repo_id: str, branch: str) -> Answer:
        repo = self._writable(types, repo_id)
        rows = [json.loads(line) for line in self.body.splitlines() if line]
        header = rows[0]["value"]
        if header.get("parentCommit", repo.branches[branch]) != repo.branches[branch]:
            raise HubError(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repo.files_at(branch))
        for row in rows[1:]:
            self._apply(files, row["key"], row["value"])
        title, message = header["summary"], header.get("description", "")
        sha = self.hub.store.add_commit(repo, branch, files, title, message, self.user["user"])
        prefix = "" if types == "models" else f"{types}/"
        return json_answer(
            {"success": True, "commitOid": sha, "commitUrl": f"{self._base()}/{prefix}{repo_id}/commit/{sha}"}
        )

    def _apply(self, files: dict, key: str, value: dict) -> None:
        """One line of a commit, applied to the file list."""
        path = value["path"]
        if key == "file":
            content = base64.b64decode(value["content"])
            files[path] = regular_file(content)
            self.hub.store.put_object(files[path]["oid"], content)
        elif key == "lfsFile":
            stored = self.hub.store.object_path(value["oid"])
            if not stored.exists():
                raise HubError(400, f"{path} points to an LFS object that was never uploaded")
            files[path] = lfs_file(value["oid"], stored.stat().st_size)
        elif key == "deletedFile":
            if files.pop(path, None) is None:
                raise HubError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
        elif key == "deletedFolder":
            for old in [name for name in files if name.startswith(path.rstrip("/") + "/")]:
                del files[old]
        else:
            raise HubError(400, f"unknown operation {key}")

    # ---- HTTP

    def _base(self) -> str:
        return f"http://{self.headers['Host']}"

    def _text(self, file: dict) -> str:
        return self.hub.store.content_path(file).read_text(encoding="utf-8")

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, answer: Answer, truncate_bytes: int | None) -> None:
        try:
            self._write(answer, truncate_bytes)
        except ConnectionError:  # the client is gone
            self.close_connection = True

    def _write(self, answer: Answer, truncate_bytes: int | None) -> None:
        body = answer.body
        if answer.path:
            with open(answer.path, "rb") as file:
                file.seek(answer.start)
                body = file.read(answer.length)
        self.send_response(answer.status)
        for key, value in {"Content-Length": str(len(body)), **answer.headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:truncate_bytes])
            if truncate_bytes is not None:
                self._drop()

    def _drop(self) -> None:
        """End the connection at once, with a reset."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RD)
        self.close_connection = True

    def log_message(self, format, *args):
        pass  # `HubServer.log` is the log
