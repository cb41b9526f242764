"""Processes may take as long as a busy machine makes them, but may not hang."""

import contextlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

HANGS_AFTER_S = 300
BUSY = 0.02  # share of a core; a launcher with two processes that wait for each other uses 0.008 to look for news
LOOK_EVERY_S = 5


def run(command: list[str], folder: Path, **kwargs) -> subprocess.CompletedProcess:
    """As `subprocess.run`, with what the command prints in files of `folder`, and returned as text; see `wait`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / "stdout", folder / "stderr"]
    with files[0].open("wb") as stdout, files[1].open("wb") as stderr:
        status = wait(subprocess.Popen(command, stdout=stdout, stderr=stderr, **kwargs))
    return subprocess.CompletedProcess(command, status, *(path.read_text(encoding="utf-8") for path in files))


def wait(process: subprocess.Popen, until: Callable[[], bool] = lambda: False, every_s: float = 0.02) -> int | None:
    """Wait until the process has ended or `until()` holds; returns the exit status, None where it still runs.

    Raises AssertionError, and kills it with all that it has started, when together they have used the CPU for less
    than BUSY of HANGS_AFTER_S: time on the clock says nothing on a busy machine.
    """
    used: dict[psutil.Process, float] = {}  # CPU seconds, of those that have ended, too
    looked = since = time.monotonic()
    used_then = 0.0
    try:
        while process.poll() is None and not until():
            time.sleep(every_s)
            if time.monotonic() - looked < LOOK_EVERY_S:
                continue
            looked = time.monotonic()
            for member in _tree(process):
                with contextlib.suppress(psutil.Error):
                    times = member.cpu_times()
                    used[member] = times.user + times.system
            if sum(used.values()) - used_then >= BUSY * HANGS_AFTER_S:
                since, used_then = looked, sum(used.values())
            assert looked - since < HANGS_AFTER_S, f"idle for {HANGS_AFTER_S} s: {_commands(process)}"
    except BaseException:
        for member in _tree(process):
            with contextlib.suppress(psutil.Error):
                member.kill()
        process.wait()
        raise
    return process.returncode


def assert_ends(pid: int) -> None:
    """The process is gone, or waits only for its new parent to notice that it was killed."""
    deadline = time.monotonic() + 60
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _commands(process: subprocess.Popen) -> str:
    """Of all that still run, a line each: the last one hangs."""
    lines = [str(process.args)]
    for member in _tree(process)[1:]:
        with contextlib.suppress(psutil.Error):
            lines.append(" ".join(member.cmdline()))
    return "\n".join(lines)


def _tree(process: subprocess.Popen) -> list[psutil.Process]:
    """The process and all below it; a launcher's workers are in sessions of their own, so that no group holds them."""
    try:
        top = psutil.Process(process.pid)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []
