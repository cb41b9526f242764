"""Repositories, commits and file contents of the test Hub, kept in a folder.

`ROOT/objects/ab/abcdef…` holds contents (named by sha256 for LFS files, by git blob sha1 for regular ones) and
`ROOT/repos/{type}s/{namespace}/{name}.json` one repository with all its commits, each with its full file list.
"""

import hashlib
import json
import os
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path


class HubError(Exception):
    """An answer that is not 2xx: `status`, the Hub's `X-Error-Code`, and a message."""

    def __init__(self, status: int, message: str, code: str | None = None, **body):
        super().__init__(message)
        self.status, self.code, self.body = status, code, {"error": message, **body}


@dataclass
class Repo:
    """One repository. `commits` maps a sha to {parent, title, message, author, date, files}.

    `files` maps a path to {oid: git blob sha1, size, sha256: the LFS object or None, pointer_size}.
    """

    type: str  # model | dataset
    id: str  # namespace/name
    private: bool
    created: str
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        return self.id.split("/")[0]

    def commit_at(self, revision: str) -> str:
        """The commit sha a branch, a tag or a sha names. Raises `HubError` 404 RevisionNotFound."""
        sha = self.branches.get(revision) or self.tags.get(revision) or revision
        if sha not in self.commits:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return sha

    def files_at(self, revision: str) -> dict[str, dict]:
        return self.commits[self.commit_at(revision)]["files"]


def git_blob_sha1(content: bytes) -> str:
    """The name git gives to a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def regular_file(content: bytes) -> dict:
    return {"oid": git_blob_sha1(content), "size": len(content), "sha256": None, "pointer_size": None}


def lfs_file(sha256: str, size: int) -> dict:
    """An LFS file; its `oid` is that of the pointer file which git would hold."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    return {"oid": git_blob_sha1(pointer), "size": size, "sha256": sha256, "pointer_size": len(pointer)}


class Store:
    """All repositories under one folder; every change is on disk before its answer leaves."""

    def __init__(self, root: Path):
        self.root = Path(root)
        self.lock = threading.RLock()
        self.repos: dict[tuple[str, str], Repo] = {}
        self.collections: dict[str, dict] = {}  # slug -> as the Hub answers it; not on disk
        for path in sorted(self.root.glob("repos/*/*/*.json")):
            repo = Repo(**json.loads(path.read_text(encoding="utf-8")))
            self.repos[repo.type, repo.id] = repo

    def object_path(self, oid: str) -> Path:
        return self.root / "objects" / oid[:2] / oid

    def put_object(self, oid: str, content: bytes) -> None:
        path = self.object_path(oid)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{oid}.{threading.get_ident()}")
        part.write_bytes(content)
        os.replace(part, path)

    def content_path(self, file: dict) -> Path:
        return self.object_path(file["sha256"] or file["oid"])

    def save(self, repo: Repo) -> None:
        path = self.root / "repos" / f"{repo.type}s" / f"{repo.id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(repo)), encoding="utf-8")
        os.replace(part, path)

    def create(self, type: str, id: str, private: bool, author: str) -> Repo:
        """A new repository with a first commit, as the Hub makes it."""
        repo = Repo(type, id, private, created=now())
        self.repos[type, id] = repo
        attributes = (
            b"*.parquet filter=lfs diff=lfs merge=lfs -text\n*.safetensors filter=lfs diff=lfs merge=lfs -text\n"
        )
        file = regular_file(attributes)
        self.put_object(file["oid"], attributes)
        self.add_commit(repo, "main", {".gitattributes": file}, "initial commit", "", author)
        return repo

    def delete(self, repo: Repo) -> None:
        del self.repos[repo.type, repo.id]
        (self.root / "repos" / f"{repo.type}s" / f"{repo.id}.json").unlink()

    def add_commit(self, repo: Repo, branch: str, files: dict, title: str, message: str, author: str) -> str:
        parent = repo.branches.get(branch)
        commit = {"parent": parent, "title": title, "message": message, "author": author, "date": now()}
        commit["files"] = dict(sorted(files.items()))
        sha = hashlib.sha1(json.dumps([len(repo.commits), repo.id, commit]).encode()).hexdigest()
        repo.commits[sha] = commit
        repo.branches[branch] = sha
        self.save(repo)
        return sha

    def history(self, repo: Repo, revision: str) -> list[tuple[str, dict]]:
        """(sha, commit) from `revision` back to the first."""
        sha, rows = repo.commit_at(revision), []
        while sha is not None:
            rows.append((sha, repo.commits[sha]))
            sha = repo.commits[sha]["parent"]
        return rows


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
