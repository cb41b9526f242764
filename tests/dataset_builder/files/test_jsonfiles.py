"""JSONL files that several processes append to."""

import subprocess
import sys
from pathlib import Path

import pytest

from dataset_builder.files import jsonfiles

ROOT = Path(__file__).parents[3]


def start(code: str, path: Path) -> subprocess.Popen:
    """A process that runs `code`, with `path` as its argument and a pipe to read what it prints."""
    command = [
        sys.executable,
        "-c",
        f"import sys, time\nfrom dataset_builder.files.jsonfiles import *\n{code}",
        str(path),
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_several_processes_append_whole_lines(tmp_path):
    path = tmp_path / "records.jsonl"
    code = "for n in range(50): append_jsonl(Path(sys.argv[1]), [{'text': 'é' * 10_000}] * 2)"
    writers = [start(code, path) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0] * 3
    assert [len(row["text"]) for row in jsonfiles.read_jsonl(path)] == [10_000] * 300
    assert path.read_bytes().count(b"\n") == 300


def test_a_lock_that_is_held_is_named_and_a_kill_frees_it(tmp_path, monkeypatch):
    path = tmp_path / "records.jsonl"
    code = "def rows(): yield {'n': 1}; print('held', flush=True); time.sleep(600)\n"
    code += "append_jsonl(Path(sys.argv[1]), rows())"
    holder = start(code, path)
    try:
        assert holder.stdout.readline() == "held\n"
        monkeypatch.setattr(jsonfiles, "LOCK_WAIT_S", 0.2)
        with pytest.raises(TimeoutError) as error:
            jsonfiles.append_jsonl(path, [{"n": 2}])
        assert str(error.value) == f"another process has held {path}.lock for 0.2 s: stop it, and run again"
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    jsonfiles.append_jsonl(path, [{"n": 3}])
    assert [row["n"] for row in jsonfiles.read_jsonl(path)] == [3]  # the holder's was never flushed
