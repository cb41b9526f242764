"""A client process that stays: runs the `ldrt` commands that come on stdin, one JSON list of arguments a line.

Importing the Hub's clients takes seconds and they read HF_ENDPOINT once, at import; so tests start this process with
the right environment and send it one command after the other. Each answer is a JSON line {status, stdout, stderr}.
Pauses, such as those before the Hub is asked again, are a fiftieth of what they are elsewhere.
"""

import contextlib
import io
import json
import os
import sys
import time
from functools import partial

import ldrt

SHARE_OF_PAUSES = 0.02


def main() -> None:
    answers = sys.stdout
    time.sleep = partial(_short_sleep, time.sleep)
    for line in sys.stdin:
        job = json.loads(line)
        os.environ.pop("HF_TOKEN", None)
        os.environ.update({"HF_TOKEN": job["token"]} if job["token"] else {})
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = ldrt.main(job["argv"])
        print(
            json.dumps({"status": status, "stdout": out.getvalue(), "stderr": err.getvalue()}), file=answers, flush=True
        )


def _short_sleep(sleep, seconds: float) -> None:
    sleep(seconds * SHARE_OF_PAUSES)


if __name__ == "__main__":
    main()
