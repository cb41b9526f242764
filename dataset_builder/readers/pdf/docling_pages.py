"""What needs docling: pictures and tables found by its models, and text recognised on pages that have none.

Both give pages for the rules of `layout`, so that captions, mentions and grouping are the same everywhere.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pypdfium2
from docling.datamodel.backend_options import PdfBackendOptions
from docling.datamodel.base_models import ConversionStatus, InputFormat, LayoutPrediction
from docling.datamodel.document import ConversionResult
from docling.datamodel.pipeline_options import (
    LayoutObjectDetectionOptions,
    OcrMode,
    OcrOptions,
    PdfPipelineOptions,
    RapidOcrOptions,
    TesseractCliOcrOptions,
)
from docling.document_converter import DocumentConverter, PdfFormatOption
from docling_core.types.doc import DocItemLabel, DoclingDocument
from docling_core.types.doc.page import TextCell

from dataset_builder.readers.pdf.docling_layout import GeometricLayoutOptions
from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import PageContent, Table
from dataset_builder.readers.pdf.page.content import with_ink

OCR_LINE_SIZE = 0.75  # size of letters as a share of the height of a recognised line
LARGE_LINE = 2  # times the median height: a title


def with_model_pictures(path: Path, pages: list[PageContent], password: str | None) -> list[PageContent]:
    """The pages with the pictures that docling's layout model (Heron) sees in place of their drawings, and its tables.

    Raises RuntimeError where the models' weights are neither in the Hugging Face cache nor to be downloaded.
    """
    options = PdfPipelineOptions(
        do_ocr=False,
        do_table_structure=True,
        layout_options=LayoutObjectDetectionOptions.from_preset("layout_heron_default"),
    )
    result = _convert(path, options, password, "the layout model `heron`")
    found = {page.page_no: page.predictions.layout for page in result.pages}
    tables = tables_of(result.document, pages)
    return [
        replace(page, images=_picture_boxes(page, found.get(page.number)), shapes=[], tables=tables[page.number])
        for page in pages
    ]


def tables_of(document: DoclingDocument, pages: list[PageContent]) -> dict[int, list[Table]]:
    """The tables of a document whose cells docling has read, for each page's number."""
    found: dict[int, list[Table]] = {page.number: [] for page in pages}
    for table in document.tables:
        for place in table.prov[:1] if table.data.grid else []:  # one that goes on over pages stands on the first
            page = pages[place.page_no - 1]
            shown = place.bbox.to_top_left_origin(page.display_height)
            box = page.upright_box(Box(shown.l, shown.t, shown.r, shown.b))
            markdown = table.export_to_markdown(document).removeprefix(table.caption_text(document)).strip()
            found[page.number].append(Table(box, markdown))
    return found


def _picture_boxes(page: PageContent, prediction: LayoutPrediction | None) -> list[Box]:
    clusters = prediction.clusters if prediction else []
    boxes = [cluster.bbox for cluster in clusters if cluster.label == DocItemLabel.PICTURE]
    return [page.upright_box(Box(box.l, box.t, box.r, box.b)) for box in boxes]


def recognise(path: Path, pages: list[PageContent], password: str | None, engine: str) -> list[PageContent]:
    """Pages of a scan with the text that docling's OCR reads on them, and with their ink as drawings.

    `engine` is "rapidocr" or "tesseract"; docling's own choice of one would download models. Raises ValueError where
    it reads no text either.
    """
    options = PdfPipelineOptions(
        do_ocr=True,
        ocr_options=_ocr_options(engine),
        do_table_structure=False,
        allow_external_plugins=True,
        layout_options=GeometricLayoutOptions(),
        generate_parsed_pages=True,
    )
    result = _convert(path, options, password, "OCR of a PDF without text")
    cells = {page.page_no: page.parsed_page.textline_cells for page in result.pages if page.parsed_page}
    document = pypdfium2.PdfDocument(path, password=password)
    try:
        read = [_recognised_page(document[page.number - 1], page, cells.get(page.number, [])) for page in pages]
    finally:
        document.close()
    if not any(page.lines for page in read):
        raise ValueError(f"{path}: a PDF without text (a scan?), and OCR read none either")
    return read


def _ocr_options(engine: str) -> OcrOptions:
    if engine == "rapidocr":
        return RapidOcrOptions(backend="onnxruntime", mode=OcrMode.FULL_PAGE)
    return TesseractCliOcrOptions(mode=OcrMode.FULL_PAGE)


def _recognised_page(page: pypdfium2.PdfPage, content: PageContent, cells: list[TextCell]) -> PageContent:
    boxes = [cell.rect.to_bounding_box().to_top_left_origin(content.height) for cell in cells]
    usual = float(np.median([box.height for box in boxes])) if boxes else 0.0
    lines = [
        Line(cell.text, Box(box.l, box.t, box.r, box.b), OCR_LINE_SIZE * _line_height(box.height, usual))
        for cell, box in zip(cells, boxes, strict=True)
    ]
    return with_ink(page, replace(content, lines=lines))


def _line_height(height: float, usual: float) -> float:
    """Heights of recognised lines vary with their letters and with the scan's skew: only large ones tell of a title."""
    return height if height > LARGE_LINE * usual else usual


def _convert(path: Path, options: PdfPipelineOptions, password: str | None, purpose: str) -> ConversionResult:
    """docling's result for one PDF; RuntimeError in one line where a model that it needs is not there."""
    backend_options = PdfBackendOptions(password=password)
    formats = {InputFormat.PDF: PdfFormatOption(pipeline_options=options, backend_options=backend_options)}
    converter = DocumentConverter(allowed_formats=[InputFormat.PDF], format_options=formats)
    try:
        converter.initialize_pipeline(InputFormat.PDF)
    except (OSError, RuntimeError, ImportError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RuntimeError(
            f"{path}: {purpose} needs weights that are not in the Hugging Face cache: {reason}"
        ) from error
    result = converter.convert(path, raises_on_error=False)
    if result.status not in (ConversionStatus.SUCCESS, ConversionStatus.PARTIAL_SUCCESS):
        reasons = [item.error_message.strip().splitlines()[-1] for item in result.errors if item.error_message.strip()]
        raise ValueError(f"{path}: {purpose} failed: {'; '.join(reasons) or result.status.value}")
    return result
