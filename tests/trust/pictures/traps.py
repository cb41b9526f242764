"""Traps beside the pictures of `attacks`: whoever follows a path, an address or a program is noticed."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow
import pyarrow.parquet

from dataset_builder.schema import EXAMPLES, PAIRS
from tests.trust.pictures import attacks

GOOD = "good"  # the rows between the attacks


@dataclass
class Traps:
    """Attacks that would spring the traps, and the folder of the traps."""

    refused: dict[str, attacks.Refused]
    folder: Path
    requests: list[str]  # paths that the server was asked for

    def assert_not_sprung(self) -> None:
        assert self.requests == []
        assert not (self.folder / "gs-was-started").exists()
        assert not (self.folder / "written").exists()


@contextmanager
def set_traps(folder: Path, monkeypatch) -> Iterator[Traps]:
    """A server on loopback, a pipe, a private picture of this disk, and a Ghostscript that leaves a mark."""
    folder.mkdir(parents=True, exist_ok=True)
    requests: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(requests))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.mkfifo(folder / "pipe.png")
    (folder / "private.png").write_bytes(attacks.talkative_png(attacks.noise()))
    for name in ("gs", "gswin64c"):
        program = folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\ntouch '{folder}/gs-was-started'\nexit 1\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    url = f"http://127.0.0.1:{server.server_port}/a.png"
    try:
        yield Traps(attacks.refused(str(folder / "private.png"), url, str(folder / "pipe.png")), folder, requests)
    finally:
        server.shutdown()
        server.server_close()


def _handler(requests: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(attacks.encoded(attacks.noise(), "PNG"))

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    return Handler


def write_dataset(folder: Path, traps: Traps, split: str = "test") -> Path:
    """A dataset repo folder whose configs `detail` and `pairs` hold every attack and every picture of `seen`."""
    return write_rows(folder, {name: attack.stored for name, attack in traps.refused.items()} | _good(), split)


def write_rows(folder: Path, names: dict[str, dict], split: str = "test") -> Path:
    """The same of these pictures: name -> what the row stores."""
    examples = [_example(name, picture) for name, picture in names.items()]
    pairs = [_pair(name, picture) for name, picture in names.items()]
    for config, rows, features in (("detail", examples, EXAMPLES), ("pairs", pairs, PAIRS)):
        (folder / config).mkdir(parents=True)
        table = pyarrow.Table.from_pylist(rows, features.arrow_schema)  # `datasets` would look for the files
        pyarrow.parquet.write_table(table, folder / config / f"{split}-00000-of-00001.parquet")
    configs = "".join(
        f"\n- config_name: {config}\n  data_files:\n  - split: {split}\n    path: {config}/{split}-*.parquet"
        for config in ("detail", "pairs")
    )
    (folder / "README.md").write_text(f"---\nconfigs:{configs}\n---\n")
    return folder


def _good() -> dict[str, dict]:
    return {f"{GOOD} {name}": {"bytes": data, "path": None} for name, data in attacks.seen().items()}


def example_id(name: str) -> str:
    """Of the row of an attack."""
    return f"{name.replace(' ', '-')}/detail"


def _example(name: str, picture: dict) -> dict:
    figure = name.replace(" ", "-")
    row = {
        "images": [picture],
        "prompt": [{"role": "user", "content": "What does this figure show?"}],
        "completion": [{"role": "assistant", "content": "The map shows a red hot spot on the left side."}],
        "task": "detail",
        "example_id": example_id(name),
        "figure_id": figure,
        "article_id": figure,
    }
    return {column: row.get(column) for column in EXAMPLES}


def _pair(name: str, picture: dict) -> dict:
    figure = name.replace(" ", "-")
    row = {
        "image": picture,
        "caption": "A red hot spot.",
        "context": [],
        "figure_id": figure,
        "article_id": figure,
        "panels": [],
    }
    return {column: row.get(column) for column in PAIRS}
