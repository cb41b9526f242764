"""The pictures of README and docs/, taken from what `make demo` has made, in a headless Chromium:

    .venv/bin/python -m tests.documents.images demo docs/images

Needs Chromium and the extra `docs`, whose Markdown makes a page of the model card.
"""

import re
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.chromium import Browser

WIDTH_PX, HEIGHT_PX = 1200, 760
COLOURS = 128  # of the PNG's palette: pages of text and plots need no more, and a picture stays below `MAX_BYTES`
MAX_BYTES = 150_000
PAINTING_MS = 1_000  # a page that is read whole is not yet painted whole
STYLE = """body { font: 15px/1.45 system-ui, sans-serif; max-width: 1100px; margin: 16px auto; color: #1f2328 }
table { border-collapse: collapse; margin: 12px 0 } td, th { border: 1px solid #d1d9e0; padding: 3px 10px }
img { max-width: 100% } h1 { font-size: 26px } h2 { border-bottom: 1px solid #d1d9e0; font-size: 20px }"""


def main(demo: Path, target: Path) -> None:
    """Write preview.png and card.png to `target`."""
    target.mkdir(parents=True, exist_ok=True)
    with Browser(WIDTH_PX, HEIGHT_PX) as browser, tempfile.TemporaryDirectory() as folder:
        browser.resize(WIDTH_PX, HEIGHT_PX)
        browser.open(demo / "dataset" / "preview.html")
        save(browser, Path(folder), target / "preview.png")
        card = demo / "runs" / "tuned" / "card-for-the-picture.html"  # beside its plots
        try:
            card.write_text(page_of(demo / "runs" / "tuned" / "README.md"), encoding="utf-8")
            browser.open(card)
            browser.run("document.querySelector('h2').scrollIntoView()")
            save(browser, Path(folder), target / "card.png")
        finally:
            card.unlink(missing_ok=True)


def page_of(card: Path) -> str:
    """The card as a page, without its YAML."""
    from markdown import markdown

    text = re.sub(r"\A---\n.*?\n---\n", "", card.read_text(encoding="utf-8"), flags=re.S)
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{markdown(text, extensions=['tables'])}"


def save(browser: Browser, folder: Path, path: Path) -> None:
    """The page as it stands, as a PNG of few colours. Raises ValueError for one that is too large to be committed."""
    browser.wait_for("[...document.images].every(image => image.complete || image.loading === 'lazy')")
    browser.run(f"new Promise(done => setTimeout(done, {PAINTING_MS}))")
    browser.screenshot(folder / "shot.png")
    with Image.open(folder / "shot.png") as shot:
        shot.convert("RGB").quantize(COLOURS).save(path, optimize=True)
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes, more than {MAX_BYTES:,}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
