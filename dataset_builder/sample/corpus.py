"""The built-in sample corpus: small synthetic LDRT articles as JATS packages and PDFs, with the truth beside them.

`write_corpus(folder)` is what `ldrt demo`, the tiny recipes and the tests start from. The articles are invented, say
so in every file, and prove the chain, not medicine. What they say and show comes from `articles`; this module writes
their files, with `jats` and `pdf`. The same seed gives the same bytes.
"""

import gzip
import io
import json
import tarfile
from pathlib import Path

from PIL import Image

from dataset_builder.sample import text
from dataset_builder.sample.articles import SampleArticle, SampleFigure, make_articles
from dataset_builder.sample.jats import write_jats
from dataset_builder.sample.pdf import write_pdf

PASSWORD = "synthetic"  # user password of the encrypted PDF


def write_corpus(folder: Path, articles: int = 72, seed: int = 0) -> None:
    """Write `articles` synthetic articles, one broken and one encrypted PDF and `truth.jsonl` into `folder`.

    `truth.jsonl` has one line a figure: article (main file), source (jats | pdf | jats+pdf), label, caption, context
    (sentences), attributes, caption_only (names of attributes that the body never states), panels (label, bbox in
    pixels of width × height, caption), page and bbox (of what is visible, PDF points, origin top left), and
    expectation: kept, rejected:<filter> or failed. Raises ValueError for fewer than 10 articles, which would lack the
    special cases.
    """
    write_articles(folder, make_articles(articles, seed))


def write_articles(folder: Path, made: list[SampleArticle]) -> None:
    """Write the files and the truth of the articles that `make_articles` made; see `write_corpus`."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = []
    for article in made:
        _write_article(folder / article.main_file, article)
        truth += [_truth(article, figure) for figure in article.figures]
    truth += _write_unreadable(folder, made)
    lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in truth)
    (folder / "truth.jsonl").write_text(lines, encoding="utf-8")


def _write_article(main_file: Path, article: SampleArticle) -> None:
    """Write the article's file or files; a PDF sets its figures' page and bbox."""
    main_file.parent.mkdir(parents=True, exist_ok=True)
    if article.role == "pdf":
        main_file.write_bytes(write_pdf(article))
    elif article.role == "jats.tar.gz":
        main_file.write_bytes(_tar_gz(main_file.name.removesuffix(".tar.gz"), _package(article)))
    else:
        for name, content in _package(article).items():
            (main_file.parent / name).write_bytes(content)
    if article.role == "jats+pdf":
        main_file.with_suffix(".pdf").write_bytes(write_pdf(article))


def _write_unreadable(folder: Path, made: list[SampleArticle]) -> list[dict]:
    """One truncated and one encrypted PDF, made from the first two PDF articles; returns their truth lines."""
    pdfs = [article for article in made if article.role == "pdf"]
    whole = write_pdf(pdfs[0])
    (folder / "pdf-broken.pdf").write_bytes(whole[: len(whole) // 10])
    (folder / "pdf-encrypted.pdf").write_bytes(write_pdf(pdfs[1], password=PASSWORD))
    lines = []
    for article, name in zip(pdfs, ("pdf-broken.pdf", "pdf-encrypted.pdf"), strict=False):
        failed = {"article": name, "expectation": "failed"}
        lines += [_truth(article, figure) | failed for figure in article.figures]
    return lines


def _truth(article: SampleArticle, figure: SampleFigure) -> dict:
    sentences = [s for _, paragraphs in article.sections for paragraph in paragraphs for s in paragraph]
    panels = [{"label": p.label, "bbox": p.bbox, "caption": p.caption} for p in figure.panels]
    return {
        "article": article.main_file,
        "source": {"jats.tar.gz": "jats"}.get(article.role, article.role),
        "note": text.NOTE["en"],
        "title": article.title,
        "doi": article.doi,
        "pmcid": article.pmcid,
        "language": article.language,
        "license": article.license,
        "label": figure.label,
        "caption": figure.caption,
        "context": [text.plain(sentence) for sentence in sentences if figure.number in text.targets(sentence)],
        "image_file": figure.file,
        "width": figure.width,
        "height": figure.height,
        "page": figure.page,
        "bbox": figure.bbox,
        "panels": panels,
        "attributes": {"chart type": figure.kind} | figure.attributes,
        "caption_only": figure.caption_only,
        "duplicate_of": figure.duplicate_of,
        "expectation": figure.expectation,
    }


def _package(article: SampleArticle) -> dict[str, bytes]:
    """File name → content of a JATS package: the XML and the picture files."""
    name = Path(article.main_file).name if "/" in article.main_file else "article.nxml"
    files = {name: write_jats(article).encode()}
    for figure in article.figures:
        if figure.file and figure.expectation != "rejected:image_missing":
            files[figure.file] = _encode(figure.picture, figure.file.rpartition(".")[2])
    return files


def _encode(image: Image.Image, extension: str) -> bytes:
    buffer = io.BytesIO()
    if extension == "png":
        image.save(buffer, "PNG", compress_level=6)
    elif extension == "jpg":
        image.save(buffer, "JPEG", quality=92)
    else:
        image.save(buffer, "TIFF", compression="tiff_lzw")
    return buffer.getvalue()


def _tar_gz(folder: str, files: dict[str, bytes]) -> bytes:
    """A .tar.gz with the files under `folder`, without time stamps or owners."""
    buffer = io.BytesIO()
    zipped = gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0)
    with zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
