"""What the test Hub answers: JSON, refusals, listings, ranges of files."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.hub_server.store import HubError


@dataclass
class Answer:
    """What a route answers: `body`, or `length` bytes of the file `path` from `start`."""

    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    path: Path | None = None
    start: int = 0
    length: int = 0


def json_answer(data, status: int = 200, **headers) -> Answer:
    return Answer(status, json.dumps(data).encode(), {"Content-Type": "application/json", **headers})


def refusal(error: HubError) -> Answer:
    headers = {"X-Error-Message": str(error)} | ({"X-Error-Code": error.code} if error.code else {})
    return json_answer(error.body, error.status, **headers)


def front_matter(content: str) -> dict | None:
    """The YAML block at the head of a card."""
    match = re.match(r"---\r?\n(.*?)\r?\n---(\r?\n|$)", content, re.DOTALL)
    return yaml.safe_load(match[1]) if match else None


def sibling(path: str, file: dict) -> dict:
    row = {"rfilename": path, "size": file["size"], "blobId": file["oid"]}
    if file["sha256"]:
        row["lfs"] = {"sha256": file["sha256"], "size": file["size"], "pointerSize": file["pointer_size"]}
    return row


def tree_rows(files: dict[str, dict], folder: str | None, recursive: bool) -> list[dict]:
    """The files and folders below `folder`, sorted by path."""
    prefix = f"{folder}/" if folder else ""
    rows = {}
    for path, file in files.items():
        if not path.startswith(prefix):
            continue
        names = path[len(prefix) :].split("/")
        for depth in range(1, len(names)):
            if recursive or depth == 1:
                parent = prefix + "/".join(names[:depth])
                rows[parent] = {"type": "directory", "oid": hashlib.sha1(parent.encode()).hexdigest(), "size": 0}
        if recursive or len(names) == 1:
            rows[path] = {"type": "file", "oid": file["oid"], "size": file["size"]}
            if file["sha256"]:
                lfs = {"oid": file["sha256"], "size": file["size"], "pointerSize": file["pointer_size"]}
                rows[path]["lfs"] = lfs
    return [{"path": path, **row} for path, row in sorted(rows.items())]


def ranged(answer: Answer, header: str | None) -> Answer:
    """`answer` cut to the one range that a `Range` header asks for."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if not match or not any(match.groups()):
        return answer
    size = answer.length
    start = int(match[1]) if match[1] else max(0, size - int(match[2]))
    end = min(int(match[2]), size - 1) if match[1] and match[2] else size - 1
    if start >= size:
        return json_answer({"error": "range"}, 416, **{"Content-Range": f"bytes */{size}"})
    answer.headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return Answer(206, headers=answer.headers, path=answer.path, start=start, length=end - start + 1)
