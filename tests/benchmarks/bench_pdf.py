"""How fast PDFs are read: directly, with two workers, and through docling with the layout engine `geometric`.

The PDFs are those of the folder that LDRT_ARTICLES names, else of the sample corpus. Goals (issue 3, two cores): at
least 26 pages/s directly with everything on, at least 6 pages/s through docling, two workers 1.8 times one.
"""

import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pypdfium2

from dataset_builder.pdf import read_pdf
from dataset_builder.sample_corpus import write_corpus

MAX_FILES = 20


def pages(path: Path) -> int:
    """Number of pages; 0 for a file that cannot be opened."""
    try:
        with pypdfium2.PdfDocument(path) as document:
            return len(document)
    except pypdfium2.PdfiumError:
        return 0


def read(path: Path) -> int:
    """Read one article; the number of its pages, 0 where it cannot be read."""
    try:
        read_pdf(path)
    except ValueError:
        return 0
    return pages(path)


def direct(files: list[Path], workers: int) -> float:
    """Pages per second with `workers` processes, their start not counted."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(read, files[:1] * workers))
        start = time.perf_counter()
        return sum(pool.map(read, files)) / (time.perf_counter() - start)


def through_docling(files: list[Path]) -> float:
    """Pages per second in docling's standard pipeline, its start not counted."""
    from docling.datamodel.base_models import InputFormat
    from docling.datamodel.pipeline_options import PdfPipelineOptions
    from docling.document_converter import DocumentConverter, PdfFormatOption

    from dataset_builder.layout_geometric import GeometricLayoutOptions

    options = PdfPipelineOptions(
        allow_external_plugins=True,
        do_ocr=False,
        do_table_structure=False,
        generate_picture_images=True,
        images_scale=150 / 72,
        layout_options=GeometricLayoutOptions(),
    )
    formats = {InputFormat.PDF: PdfFormatOption(pipeline_options=options)}
    converter = DocumentConverter(allowed_formats=[InputFormat.PDF], format_options=formats)
    converter.convert(files[0])
    start = time.perf_counter()
    count = sum(len(converter.convert(file).pages) for file in files)
    return count / (time.perf_counter() - start)


def main() -> None:
    """Print pages per second of each way."""
    with tempfile.TemporaryDirectory() as folder:
        articles = os.environ.get("LDRT_ARTICLES")
        if not articles:
            write_corpus(Path(folder))
        files = sorted(path for path in Path(articles or folder).rglob("*.pdf") if "awkward" not in path.parts)
        files = [path for path in files if pages(path)][:MAX_FILES]
        one, two = direct(files, 1), direct(files, 2)
        print(f"read_pdf, one worker: {one:.1f} pages/s; two workers: {two:.1f} pages/s ({two / one:.2f} times)")
        print(f"docling, layout engine geometric: {through_docling(files):.1f} pages/s")
