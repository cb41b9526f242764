"""How fast PDFs are read: directly with one and two processes, through docling with the layout engine `geometric`,
and in the same run what docling and pdfium take when nothing of ours is in them.

Goals (issue 3, two cores): at least 26 pages/s directly with everything on, at least 6 pages/s through docling, two
processes 1.8 times one.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar

import pypdfium2

from dataset_builder.extraction.executors import ONE_THREAD
from dataset_builder.readers.pdf.reader import read_pdf
from dataset_builder.sample.corpus import write_corpus

MAX_FILES = 20
PAGES_AN_ARTICLE = "PDF, pages an article"
ONE, TWO = "PDF, direct, one process, pages/s", "PDF, direct, two processes, pages/s"


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


def direct(files: list[Path], processes: int) -> float:
    """Pages per second with `processes` processes of one thread each, as `ldrt build` runs them, start not counted."""
    os.environ |= dict.fromkeys(ONE_THREAD, "1")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(read, files[:1] * processes))
        start = time.perf_counter()
        return sum(pool.map(read, files * processes)) / (time.perf_counter() - start)


def rendered(files: list[Path]) -> float:
    """Pages per second that pdfium renders at 144 dpi and extracts the text of."""
    start, count = time.perf_counter(), 0
    for file in files:
        with pypdfium2.PdfDocument(file) as document:
            for page in document:
                page.render(scale=2).to_numpy()
                page.get_textpage().get_text_bounded()
                count += 1
    return count / (time.perf_counter() - start)


def through_docling(files: list[Path], make_format: Callable) -> float:
    """Pages per second of a docling pipeline, its start not counted."""
    from docling.datamodel.base_models import InputFormat
    from docling.document_converter import DocumentConverter

    converter = DocumentConverter(allowed_formats=[InputFormat.PDF], format_options={InputFormat.PDF: make_format()})
    converter.convert(files[0])
    start = time.perf_counter()
    count = sum(len(converter.convert(file).pages) for file in files)
    return count / (time.perf_counter() - start)


def geometric():
    """docling's standard pipeline with our layout engine, pictures cut at 150 dpi."""
    from dataset_builder.readers.pdf.docling_layout import GeometricLayoutOptions

    return _standard(GeometricLayoutOptions(), generate_picture_images=True, images_scale=150 / 72)


def trivial():
    """docling's standard pipeline with a layout engine that finds nothing: what docling itself takes."""
    from docling.datamodel.base_models import LayoutPrediction
    from docling.datamodel.pipeline_options import BaseLayoutOptions
    from docling.models.base_layout_model import BaseLayoutModel
    from docling.models.factories import get_layout_factory

    class NoLayoutOptions(BaseLayoutOptions):
        kind: ClassVar[str] = "none"

    class NoLayout(BaseLayoutModel):
        def __init__(self, **_):
            pass

        @classmethod
        def get_options_type(cls) -> type[NoLayoutOptions]:
            return NoLayoutOptions

        def predict_layout(self, conv_res, pages: Sequence) -> list[LayoutPrediction]:
            return [LayoutPrediction() for _ in pages]

    get_layout_factory(allow_external_plugins=True).register(NoLayout, "benchmark", __name__)
    return _standard(NoLayoutOptions())


def native():
    """docling's pipeline without models and layout."""
    from docling.datamodel.pipeline_options import NativePdfPipelineOptions
    from docling.document_converter import NativePdfFormatOption

    return NativePdfFormatOption(pipeline_options=NativePdfPipelineOptions())


def _standard(layout_options, **more):
    from docling.datamodel.pipeline_options import PdfPipelineOptions
    from docling.document_converter import PdfFormatOption

    switches = {"allow_external_plugins": True, "do_ocr": False, "do_table_structure": False}
    options = PdfPipelineOptions(layout_options=layout_options, **switches, **more)
    return PdfFormatOption(pipeline_options=options)


def main() -> dict[str, float]:
    """Pages per second of each way, and what the files are like."""
    with tempfile.TemporaryDirectory() as folder:
        articles = os.environ.get("LDRT_ARTICLES")
        if not articles:
            write_corpus(Path(folder))
        files = sorted(path for path in Path(articles or folder).rglob("*.pdf") if "awkward" not in path.parts)
        files = [path for path in files if pages(path)][:MAX_FILES]
        one, two = direct(files, 1), direct(files, 2)
        return {
            PAGES_AN_ARTICLE: sum(map(pages, files)) / len(files),
            ONE: one,
            TWO: two,
            "PDF, direct, two processes / one": two / one,
            "PDF, docling standard pipeline, our layout engine, pages/s": through_docling(files, geometric),
            "PDF, docling standard pipeline, no layout, pages/s": through_docling(files, trivial),
            "PDF, docling native pipeline, pages/s": through_docling(files, native),
            "PDF, pdfium alone: render at 144 dpi and text, pages/s": rendered(files),
        }
