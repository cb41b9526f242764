"""What reads like a caption and is believed to be none, on its way from a PDF to `provenance/rejected.jsonl`."""

from dataset_builder.build import Options, run
from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.schema import PAIRS
from tests.dataset_builder.readers.paper import Paper, prose


def test_lines_like_captions_are_listed_but_no_figures(tmp_path):
    articles = tmp_path / "articles"
    articles.mkdir()
    paper = Paper(articles / "a.pdf")
    end = paper.text(60, 40, 475, prose(1, 12) + " The dose is low (Figure 1).")
    paper.photo(60, end + 10, 300, 200)
    end = paper.caption(60, end + 220, 475, "Figure 1. Dose in the joint of all patients.")
    end = paper.text(60, end + 30, 475, "Figure 2 shows the dose", font="Times-Bold")
    paper.text(60, end + 30, 475, prose(2, 12))
    paper.save()
    said = run(Options(articles=str(articles), output=str(tmp_path / "dataset")))
    rows = [
        row for row in read_jsonl(tmp_path / "dataset/provenance/rejected.jsonl") if row["filter"] == "not_a_caption"
    ]
    assert [(row["label"], row["caption"], row["text"], row["value"]) for row in rows] == [
        (None, None, "Figure 2 shows the dose", "wording")
    ]
    assert set(PAIRS) - {"image"} <= set(rows[0])
    assert 0 < rows[0]["confidence"] < 1
    assert "figures found        1" in str(said)
