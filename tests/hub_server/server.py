"""The test Hub as a server in a thread: its repositories, injected faults and a request log."""

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.hub_server.handler import LFS_SUFFIXES, Fault, Handler
from tests.hub_server.store import Repo, Store, lfs_file, regular_file
from tests.loopback import LoopbackServer

PROJECT = Path(__file__).resolve().parents[2]
PAGE_ROWS = 1000  # rows of a tree listing before a `Link: next`
MULTIPART_BYTES = 50_000_000  # LFS files above this go up in parts of this size


def client_env(endpoint: str, home: Path, token: str | None = None) -> dict[str, str]:
    """The environment of a client process that talks to the server at `endpoint` with a cache of its own in `home`."""
    ours = re.compile(r"^(HF_|HUGGING|TRANSFORMERS_)|_proxy$", re.IGNORECASE)
    env = {key: value for key, value in os.environ.items() if not ours.search(key)}
    env |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    env |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "0"}
    env |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "OMP_NUM_THREADS": "1"}
    return env | ({"HF_TOKEN": token} if token else {})


class HubServer:
    """The server; `with HubServer(root) as hub:` runs it in a thread. `hub.url` is the endpoint.

    `hub.log` holds one dict a request: method, path, status (None when dropped), user, agent, bytes_in.
    """

    def __init__(self, root: Path, port: int = 0):
        self.store = Store(root)
        self.page_rows, self.multipart_bytes = PAGE_ROWS, MULTIPART_BYTES
        self.faults: list[Fault] = []
        self.log: list[dict] = []
        self._n_asked, self._answered = 0, threading.Condition()
        handler = type("Handler", (Handler,), {"hub": self})
        self.http = LoopbackServer(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.http.shutdown()
        self.http.server_close()

    def reset(self) -> None:
        """Forget everything: repositories, files, faults, log, limits."""
        self.release()
        shutil.rmtree(self.store.root, ignore_errors=True)
        self.store = Store(self.store.root)
        self.faults, self.log = [], []
        self.page_rows, self.multipart_bytes = PAGE_ROWS, MULTIPART_BYTES

    def fail(self, match: str, **fault) -> None:
        """Inject a `Fault`."""
        self.faults.append(Fault(match, **fault))

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Around a request that the server is at work on."""
        with self._answered:
            self._n_asked += 1
        try:
            yield
        finally:
            with self._answered:
                self._n_asked -= 1
                self._answered.notify_all()

    def release(self) -> None:
        """No more faults: what they hold goes on, and this returns when the server has done all that it was asked."""
        for fault in self.faults:
            fault.times = 0
            fault.released.set()
        with self._answered:
            self._answered.wait_for(lambda: not self._n_asked)

    def requests(self, pattern: str) -> list[dict]:
        """The logged requests whose "METHOD /path" matches `pattern`."""
        return [row for row in self.log if re.search(pattern, f"{row['method']} {row['path']}")]

    def repo(self, repo_type: str, repo_id: str) -> Repo:
        return self.store.repos[repo_type, repo_id]

    def put(self, repo_type: str, repo_id: str, contents: dict[str, bytes]) -> str:
        """Commit these files, as alice may upload them, to a new repository where there is none; returns the sha."""
        repo = self.store.repos.get((repo_type, repo_id)) or self.store.create(repo_type, repo_id, False, "alice")
        files = dict(repo.files_at("main"))
        for path, content in contents.items():
            sha256 = hashlib.sha256(content).hexdigest()
            is_lfs = path.endswith(LFS_SUFFIXES)
            files[path] = lfs_file(sha256, len(content)) if is_lfs else regular_file(content)
            self.store.put_object(sha256 if is_lfs else files[path]["oid"], content)
        return self.store.add_commit(repo, "main", files, "upload", "", "alice")

    def titles(self, repo_type: str, repo_id: str) -> list[str]:
        """Titles of the commits on `main`, newest first."""
        return [commit["title"] for _, commit in self.store.history(self.repo(repo_type, repo_id), "main")]

    def next_fault(self, line: str) -> Fault | None:
        with self.store.lock:
            for fault in self.faults:
                if fault.times > 0 and re.search(fault.match, line):
                    if fault.skip > 0:
                        fault.skip -= 1
                        return None
                    fault.times -= 1
                    return fault
        return None
