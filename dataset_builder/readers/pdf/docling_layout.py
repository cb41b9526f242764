"""docling layout engine `geometric`: the rules of `layout` in docling's PDF pipeline, without a model.

    options = PdfPipelineOptions(
        allow_external_plugins=True, layout_options=GeometricLayoutOptions(), do_ocr=False, do_table_structure=False
    )

docling finds it through the entry-point group `docling` of setup.cfg. It sees a document as a whole (running heads,
the usual side of captions), so the first page asked for lays out all pages; they are read with pdfium, because
docling's own parser gives no vector shapes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pypdfium2
from docling.datamodel.accelerator_options import AcceleratorOptions
from docling.datamodel.base_models import Cluster, LayoutPrediction, Page
from docling.datamodel.document import ConversionResult
from docling.datamodel.pipeline_options import BaseLayoutOptions
from docling.models.base_layout_model import BaseLayoutModel
from docling.utils.locks import pypdfium2_lock
from docling_core.types.doc import BoundingBox, DocItemLabel

from dataset_builder.readers.pdf.layout.blocks import Block
from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.figures import ArticleLayout, lay_out
from dataset_builder.readers.pdf.layout.pages import PageContent, Style
from dataset_builder.readers.pdf.page.content import read_page


class GeometricLayoutOptions(BaseLayoutOptions):
    """Options of the layout engine `geometric`: it has none of its own."""

    kind: ClassVar[str] = "geometric"


class GeometricLayoutModel(BaseLayoutModel):
    """Pictures with their captions, headings, text, running heads: by rules."""

    def __init__(
        self,
        artifacts_path: Path | None,
        accelerator_options: AcceleratorOptions,
        options: GeometricLayoutOptions,
        enable_remote_services: bool = False,
    ):
        self.options = options
        self._document_id: int | None = None
        self._clusters: dict[int, list[Cluster]] = {}

    @classmethod
    def get_options_type(cls) -> type[GeometricLayoutOptions]:
        return GeometricLayoutOptions

    def predict_layout(self, conv_res: ConversionResult, pages: Sequence[Page]) -> Sequence[LayoutPrediction]:
        if self._document_id != id(conv_res):
            self._clusters = page_clusters(_read_pages(conv_res))
            self._document_id = id(conv_res)
        return [LayoutPrediction(clusters=self._clusters.get(page.page_no, [])) for page in pages]


def layout_engines() -> dict[str, list[type[BaseLayoutModel]]]:
    """What docling's plugin system asks for."""
    return {"layout_engines": [GeometricLayoutModel]}


def _read_pages(conv_res: ConversionResult) -> list[PageContent]:
    """All pages of the document that docling converts; pdfium is not thread-safe, docling's lock guards it."""
    backend = conv_res.input._backend
    with pypdfium2_lock:
        document = pypdfium2.PdfDocument(backend.path_or_stream, password=_password(backend))
        try:
            return [read_page(page, number) for number, page in enumerate(document, 1)]
        finally:
            document.close()


def _password(backend) -> str | None:
    secret = backend.options.password
    return secret.get_secret_value() if secret else None


def page_clusters(pages: list[PageContent]) -> dict[int, list[Cluster]]:
    """docling's clusters for each page number, from the rules' layout of the article."""
    layout = lay_out(pages)
    labelled = [*_pictures(layout), *_texts(layout), *_heads(layout, pages)]
    clusters: dict[int, list[Cluster]] = {page.number: [] for page in pages}
    for number, label, box in labelled:
        shown = pages[number - 1].display_box(box)
        own = clusters[number]
        bbox = BoundingBox(l=shown.x0, t=shown.y0, r=shown.x1, b=shown.y1)
        own.append(Cluster(id=len(own), label=label, bbox=bbox))
    return clusters


def _pictures(layout: ArticleLayout) -> list[tuple[int, DocItemLabel, Box]]:
    pictures = [(part.page, DocItemLabel.PICTURE, part.box) for figure in layout.figures for part in figure.parts]
    captions = [caption for figure in layout.figures for caption in figure.captions] + layout.tables
    return pictures + [(caption.page, DocItemLabel.CAPTION, caption.box) for caption in captions]


def _texts(layout: ArticleLayout) -> list[tuple[int, DocItemLabel, Box]]:
    return [(block.page, _label(block, layout.style), block.box) for block in layout.blocks]


def _label(block: Block, style: Style) -> DocItemLabel:
    return DocItemLabel.SECTION_HEADER if block.is_heading(style) else DocItemLabel.TEXT


def _heads(layout: ArticleLayout, pages: list[PageContent]) -> list[tuple[int, DocItemLabel, Box]]:
    heads = []
    for number, line in layout.heads:
        on_top = line.box.y0 < pages[number - 1].height / 2
        heads.append((number, DocItemLabel.PAGE_HEADER if on_top else DocItemLabel.PAGE_FOOTER, line.box))
    return heads
