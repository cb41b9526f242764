"""A reader that does to its process what hostile files do to parsers; the file's name says what."""

import ctypes
import os
import re
import signal
import time

import cv2
import numpy as np
from PIL import Image

from dataset_builder.extraction.records import write_record
from dataset_builder.extraction.units import Unit

HUGE = 3 * 1024**3  # bytes; more than the tests allow


def read(unit: Unit) -> None:
    """Read nothing, or hang, crash or eat memory first."""
    match unit.source_file.split("-")[0]:
        case "sleep":
            time.sleep(600)
        case "regex":  # hangs in C code, with the interpreter's lock held
            re.match(r"(a+)+$", "a" * 60 + "b")
        case "segfault":
            ctypes.string_at(0)
        case "abort":
            os.abort()
        case "stopped":  # as SLURM does when the job's time is over
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(600)
        case "surrogate":
            write_record(unit.record, None, {**unit.about(), "error": "\ud800"})
        case name:
            eat_memory(name)
    write_record(unit.record, None, unit.about())


def eat_memory(name: str) -> None:
    """Ask for `HUGE` bytes, by what the name says; for none, if it names nothing."""
    match name:
        case "python":
            bytearray(HUGE)
        case "small":  # in pieces that malloc takes from its arenas
            pieces: list[bytes] = []
            while len(pieces) * 1024 < HUGE:
                pieces.append(b"%1024d" % len(pieces))
        case "numpy":
            np.ones(HUGE, np.uint8)
        case "pillow":
            Image.new("RGB", (32_000, HUGE // 96_000))
        case "opencv":
            cv2.resize(np.zeros((10, 10), np.uint8), (60_000, HUGE // 60_000))
        case "malloc":  # a library that does not look at what malloc returns
            libc = ctypes.CDLL(None)
            libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
            ctypes.memset(libc.malloc(HUGE), 1, HUGE)
