"""How a process of a run ended: a file that it leaves where `ldrt train` asks for one, so that its line comes last.

The launcher of several processes prints a long banner after a failure, and its exit status is 1 whatever failed.
"""

import json
import os
import signal
import time
from pathlib import Path

from typing_extensions import TypedDict

from dataset_builder.files.errors import UsageError
from dataset_builder.files.jsonfiles import write_json

FOLDER = "LDRT_OUTCOMES"  # in the environment: where the files go; absent where nobody reads them
FAILED, WRONG_USAGE = 1, 2  # exit statuses
SIGNALS = 128  # an exit status above it is a signal's number and this


class Outcome(TypedDict):
    """What a process says of its failure."""

    status: int  # its exit status
    line: str
    at_s: float  # since the epoch


def tell(status: int, line: str) -> bool:
    """Leave the failure of this process to `ldrt train`; False where none has started it, and it must print."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return False
    write_json(Path(folder) / f"{os.getpid()}.json", {"status": status, "line": line, "at_s": time.time()})
    return True


def failure(folder: Path, status: int) -> Exception:
    """Why the run ended, told by the process that failed first: the others fail for want of it. UsageError or
    RuntimeError. `status` is the launcher's."""
    told: list[Outcome] = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    if not told:
        return RuntimeError(f"{ended_by(status)}; run the same command again to continue")
    first = min(told, key=lambda outcome: outcome["at_s"])
    return UsageError(first["line"]) if first["status"] == WRONG_USAGE else RuntimeError(first["line"])


def ended_by(status: int) -> str:
    """What ended a process that could not say it, by its exit status."""
    number = abs(status) if status < 0 else status - SIGNALS
    if number == signal.SIGKILL:
        return "a process was killed: the machine had no memory left, or somebody ended it"
    if number in {*signal.Signals}:
        return f"a process was ended by signal {number} ({signal.Signals(number).name})"
    return f"a process ended with exit status {status} and did not say why (`--debug` shows all that it prints)"
