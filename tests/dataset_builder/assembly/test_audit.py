"""The PDF reader against the XML: counts and shares on the sample corpus, and what is a difference."""

import json
import shutil
from dataclasses import replace

import pytest

import ldrt
from dataset_builder.assembly.articles import Head
from dataset_builder.assembly.audit import audit


@pytest.fixture
def heads(tmp_path):
    """Two records of one article: its XML and its PDF, as a function of their figures."""

    def make(xml: list[dict], pdf: list[dict]) -> list[Head]:
        made = []
        for source, figures in (("jats", xml), ("pdf", pdf)):
            folder = tmp_path / source
            folder.mkdir(exist_ok=True)
            about = {"source": source, "source_file": f"a.{source}", "digest": "0", "paired": True, "error": None}
            record = {**about, "figures": figures}
            (folder / "article.json").write_text(json.dumps(record))
            made.append(Head(folder, source, "a.xml", f"a.{source}", "0", None, (), {}))
        return made

    return make


def figure(number: int, caption: str | None = "Dose in the knee.", context: tuple[str, ...] = ()) -> dict:
    rest = dict.fromkeys(("image_error", "image_fault", "page", "bbox", "rights", "license", "image_file"))
    lists = {"context": list(context), "panels": [], "questions": []}
    return {"label": f"Figure {number}", "caption": caption, **rest, **lists}


def test_full_agreement_despite_the_ways_of_print(heads):
    xml = [figure(1, "Dose‐response of the knee.", ["As Fig. 1 shows, pain fell."])]
    pdf = [figure(1, "Dose-re-\nsponse of the knee", ["As Fig. 1 shows , pain fell. More words."])]
    found = audit([heads(xml, pdf)])
    assert (found["figure_recall"], found["figure_precision"], found["caption_right"]) == (1.0, 1.0, 1.0)
    assert (found["articles"], found["context_recall"], found["differ"]) == (1, 1.0, [])


def test_each_difference_is_counted_and_named(heads):
    xml = [figure(1), figure(2, context=["Fig. 2 shows pain.", "See also Fig. 2."]), figure(3)]
    pdf = [figure(1, "Nothing of the kind."), figure(2, context=["Fig. 2 shows pain."]), figure(9)]
    found = audit([heads(xml, pdf)])
    assert (found["figure_recall"], found["figure_precision"]) == (0.6667, 0.6667)
    assert (found["caption_right"], found["context_recall"], found["context_precision"]) == (0.5, 0.5, 1.0)
    (article,) = found["differ"]
    assert article == {
        "files": ["a.jats", "a.pdf"],
        "missed": ["Figure 3"],
        "not_in_xml": ["Figure 9"],
        "caption": ["Figure 1"],
    }


def test_articles_with_one_file_do_not_count(heads):
    found = audit([heads([figure(1)], [figure(1)])[:1]])
    assert (found["articles"], found["figure_recall"]) == (0, None)
    assert audit([heads([], [figure(1)])])["articles"] == 0  # the head of an article alone


def test_the_card_prints_the_audit(sample_articles, tmp_path):
    dataset = tmp_path / "audited"
    articles = shutil.copytree(sample_articles, tmp_path / "articles", ignore=_few)
    assert ldrt.main(["build", str(articles), "--output", str(dataset), "--audit", "true"]) == 0
    found = json.loads((dataset / "provenance/audit.json").read_text())
    assert found["articles"] >= 1
    assert found["figure_recall"] == found["caption_right"] == 1.0
    card = (dataset / "README.md").read_text()
    assert f"{found['articles']} articles here that came as XML and as PDF" in card
    assert ldrt.main(["build", str(articles), "--output", str(dataset)]) == 0  # not measured: nothing to print
    assert not (dataset / "provenance/audit.json").exists()
    assert "came as XML and as PDF" not in (dataset / "README.md").read_text()


def _few(_, names: list[str]) -> list[str]:
    """Leave all out but a few articles in one format, and those in both."""
    return [name for name in names if name[0] in "jpt" and not name.startswith(("jats-00", "jats-pdf"))]


def test_pdfs_with_damaged_text_are_named(heads):
    damage = {"pages": [2, 3], "share": 0.4}
    pdf = heads([figure(1)], [figure(1)])[1]
    found = audit([[replace(pdf, text_damage=damage)], [pdf]])
    assert found["text_damage"] == [{"file": "a.pdf", **damage}]
