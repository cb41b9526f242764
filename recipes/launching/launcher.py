"""`accelerate launch` in a process of its own that prints nothing, and that ends with the one that started it.

    python -m recipes.launching.launcher launch --config_file accelerate_configs/ddp.yaml recipes/sft.py --config …

Its standard input is a pipe that nothing is written to. When it closes, whoever held it is gone, stopped by Ctrl-C or
killed, and all that this process has started is ended. Exit status: 0, or that of the process that failed: 128 and
the signal's number where a signal ended it, as of a shell.
"""

import contextlib
import logging
import os
import subprocess
import sys
import threading

import psutil

from dataset_builder.files.quiet import be_quiet
from recipes.launching.outcome import FAILED, SIGNALS, tell

GRACE_S = 5  # from the request to end, which Python follows at once, to the kill
STOPPED = 130  # exit status, as of a shell's Ctrl-C


def main(words: list[str]) -> int:
    """Launch with the `words` after `accelerate launch`; returns the exit status."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if "--debug" not in words:
        be_quiet()
        logging.disable(logging.CRITICAL)  # the failure is said once, by `ldrt train`
    from accelerate.commands.launch import launch_command, launch_command_parser
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    try:
        launch_command(launch_command_parser().parse_args(words))
    except subprocess.CalledProcessError as error:
        return _as_of_a_shell(error.returncode)
    except ChildFailedError as error:
        return _as_of_a_shell(error.get_first_failure()[1].exitcode)
    except Exception as error:  # of accelerate itself: no process has begun
        tell(FAILED, f"accelerate: {' '.join(str(error).split()) or type(error).__name__}")
        return FAILED
    return 0


def _as_of_a_shell(status: int) -> int:
    return SIGNALS - status if status < 0 else status


def _end_with_parent() -> None:
    """Wait until the pipe closes, then end everything below this process and the process itself."""
    sys.stdin.buffer.read()
    end_below(psutil.Process())
    os._exit(STOPPED)


def end_below(process: psutil.Process) -> None:
    """End all processes below `process`, whatever groups and sessions they are in."""
    while members := process.children(recursive=True):
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.terminate()
        for member in psutil.wait_procs(members, timeout=GRACE_S)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()


if __name__ == "__main__":
    ended = main(sys.argv[2:])
    sys.stdout.flush()
    os._exit(ended)  # at once: a thread waits for standard input
