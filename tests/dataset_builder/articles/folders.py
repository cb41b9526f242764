"""Folders and archives of articles, for the tests of this room."""

import io
import tarfile
from pathlib import Path

from dataset_builder.articles.packages import Package, find_packages
from dataset_builder.articles.skipped import Skipped

ARTICLE = '<article xmlns:xlink="http://www.w3.org/1999/xlink"><front/><body>{}</body></article>'
MEMBERS = {"PMC1/x.nxml": ARTICLE.encode(), "PMC1/x.pdf": b"%PDF", "PMC1/f1.jpg": b"1", "PMC1/video.mp4": b"1"}


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def find(folder: Path, unpacked: Path | None = None, skipped: Skipped | None = None) -> list[Package]:
    return list(find_packages(folder, unpacked or folder / "unpacked", skipped))


def archive(path: Path, members: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return path
