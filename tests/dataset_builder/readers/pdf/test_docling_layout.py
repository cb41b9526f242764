"""The layout engine `geometric` inside docling's PDF pipeline, offline; docling takes seconds to import."""

import pytest
from docling.datamodel.base_models import InputFormat
from docling.datamodel.pipeline_options import PdfPipelineOptions
from docling.document_converter import DocumentConverter, PdfFormatOption
from docling.models.factories import get_layout_factory

from dataset_builder.readers.pdf.docling_layout import GeometricLayoutModel, GeometricLayoutOptions, layout_engines
from dataset_builder.readers.pdf.reader import read_pdf
from tests.dataset_builder.readers.paper import Paper, prose


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    paper = Paper(tmp_path_factory.mktemp("docling") / "a.pdf")
    for number in (1, 2, 3):
        paper.text(50, 30, 400, "Journal of Synthetic Studies", font="Helvetica", size=8)
        paper.text(50, 60, 495, prose(number, 12) + f" The pain fell (Figure {number}).")
        for k in range(2):
            paper.photo(80 + 240 * k, 250, 200, 150, k)
        paper.caption(50, 410, 495, f"Figure {number}. Joints of patient {number} before and after.")
        paper.text(50, 450, 495, "Discussion", font="Times-Bold", size=13)
        paper.text(50, 475, 495, prose(number + 3, 15))
        paper.page()
    return paper.save()


@pytest.fixture(scope="module")
def result(path):
    options = PdfPipelineOptions(
        allow_external_plugins=True,
        do_ocr=False,
        do_table_structure=False,
        layout_options=GeometricLayoutOptions(),
    )
    formats = {InputFormat.PDF: PdfFormatOption(pipeline_options=options)}
    return DocumentConverter(allowed_formats=[InputFormat.PDF], format_options=formats).convert(path)


def test_docling_finds_the_engine_by_its_entry_point():
    factory = get_layout_factory(allow_external_plugins=True)
    assert "geometric" in factory.registered_kind
    assert layout_engines() == {"layout_engines": [GeometricLayoutModel]}


def test_pictures_have_their_captions_and_pieces_are_one(result):
    document = result.document
    assert [picture.caption_text(document) for picture in document.pictures] == [
        f"Figure {k}. Joints of patient {k} before and after." for k in (1, 2, 3)
    ]
    assert [picture.prov[0].page_no for picture in document.pictures] == [1, 2, 3]


def test_picture_stands_where_the_rules_see_it(result, path):
    boxes = [picture.prov[0].bbox for picture in result.document.pictures]
    boxes = [(box.l, 842 - box.t, box.r, 842 - box.b) for box in boxes]
    for box, figure in zip(boxes, read_pdf(path).figures, strict=True):
        assert box == pytest.approx(figure.bbox, abs=1)


def test_markdown_has_headings_and_no_running_heads(result):
    markdown = result.document.export_to_markdown()
    assert markdown.count("## Discussion") == 3
    assert "Journal of Synthetic Studies" not in markdown


def test_heron_without_weights_is_one_clear_line(path, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        RuntimeError, match="the layout model `heron` needs weights that are not in the Hugging Face cache"
    ) as raised:
        read_pdf(path, layout="heron")
    assert "\n" not in str(raised.value)
