"""What makes a record besides its article: the code that reads, and the libraries that it reads with.

A record is read again when its makers change: a new version of pdfium finds other text on the same page.
"""

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROJECT = Path(__file__).parents[2]
ROOMS = (  # folders whose files make records
    *(f"dataset_builder/{room}" for room in ("articles", "extraction", "readers", "text")),
    "trust",
)
LIBRARIES = (
    "docling",
    "docling-parse",
    "imagehash",
    "lxml",
    "matplotlib",  # its fonts draw the letters that panels are looked for with
    "numpy",
    "onnxruntime",  # with rapidocr: text of scans, where they are installed
    "opencv-python-headless",
    "pillow",
    "py3langid",
    "pypdfium2",
    "rapidocr",
)


def makers_digest(project: Path = PROJECT) -> str:
    """One hash (hex) over every file of the rooms below `project`, by name and content, and the libraries' versions."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((project / room).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(project).as_posix()}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    for library in LIBRARIES:
        digest.update(f"{library}=={_version(library)}\n".encode())
    return digest.hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"
