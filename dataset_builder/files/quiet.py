"""What other people's libraries say of themselves while nothing is wrong: heard with `--debug` alone."""

import logging
import os
import warnings

DEBUG = "LDRT_DEBUG"  # in the environment, for the commands that a command runs: somebody wants to hear it


def be_quiet() -> None:
    """No warnings of libraries in this process and in those that it starts; their errors, and what we print, stay.

    What of them matters is checked and said by us: missing weights, non-finite numbers, rows that are dropped.
    """
    if DEBUG in os.environ:
        return
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # of torch's C++: read where torch is loaded after this
