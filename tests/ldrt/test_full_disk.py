"""A full disk, a real one: a file system of a few hundred kB in a namespace of the test's own."""

import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_builder.files.full import is_full
from dataset_builder.sample.corpus import write_corpus

# $1 its size in kB, $2 its folder, $3 what is copied there (or -), then the command; and with room, the command again
ON_SMALL_DISK = """
mount -t tmpfs -o size="$1"k tmpfs "$2" || exit 99
[ "$3" = - ] || cp -r "$3" "$2/in"
shift 3
"$@"; echo "status $?"
mount -o remount,size=200m "$OLDPWD" && "$@" && echo again "$?"
"""


def _namespaces() -> bool:
    command = ["unshare", "-Urm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _namespaces(), reason="no namespace of one's own to mount a small disk in")


@pytest.fixture
def disk() -> Iterator[Path]:
    """Its folder, of a short name: temporary sockets lie there, too, which 108 characters may name."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "disk"


def on_small_disk(size_kb: int, disk: Path, copied: Path | None, *words: str) -> subprocess.CompletedProcess:
    disk.mkdir()
    command = ["unshare", "-Urm", "sh", "-c", ON_SMALL_DISK, "sh", str(size_kb), str(disk), str(copied or "-")]
    environment = os.environ | {"OLDPWD": str(disk), "TMPDIR": str(disk), "HF_HUB_OFFLINE": "1"}
    ldrt = [sys.executable, "-m", "ldrt", *words]
    return subprocess.run([*command, *ldrt], capture_output=True, text=True, check=False, env=environment)


def said(done: subprocess.CompletedProcess) -> list[str]:
    """The lines on stderr that are no bars."""
    return [line for line in done.stderr.splitlines() if line.strip() and not re.match(r"\w+: \d+/\d+ ", line)]


def test_build_names_the_disk_and_what_it_needs_and_goes_on_with_room(disk, tmp_path):
    articles = tmp_path / "articles"
    write_corpus(articles, articles=10, seed=0)
    done = on_small_disk(300, disk, None, "build", str(articles), "-o", f"{disk}/dataset", "--workers", "1")
    (line,) = said(done)
    assert line.startswith(f"ldrt build: no space left on the disk of {disk}")
    assert "of 0.3 MB): needs about" in line
    assert line.endswith("in all; nothing that was done is lost, run the same command again to continue")
    assert "status 1" in done.stdout
    assert "again 0" in done.stdout
    assert "files failed" not in done.stdout.replace("files failed         2", "")  # the corpus' own broken PDFs alone


def test_export_leaves_its_work_and_goes_on_with_room(disk, sample_dataset):
    words = ["export", str(sample_dataset), "--format", "llava", "-o", f"{disk}/llava", "--policy", "all"]
    done = on_small_disk(100, disk, None, *words)
    (line,) = said(done)
    assert line.startswith(f"ldrt export: no space left on the disk of {disk}")
    assert "status 1" in done.stdout
    assert "again 0" in done.stdout


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (RuntimeError("I/O error: No space left on device (os error 28)"), True),  # safetensors
        (
            RuntimeError("[enforce fail at inline_container.cc:664] . PytorchStreamWriter failed writing file data/0"),
            True,
        ),
        (OSError(errno.EACCES, "Permission denied"), False),
        (ValueError("no space in a name"), False),
    ],
)
def test_what_says_that_a_disk_is_full(error, expected):
    assert is_full(error) is expected
    wrapped = RuntimeError("cannot be written")
    wrapped.__cause__ = error
    assert is_full(wrapped) is expected
