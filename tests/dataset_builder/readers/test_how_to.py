"""docs/how-to/reader.md, carried out on a copy of the project."""

import shutil

import pyarrow.parquet as pq
import pytest

from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.sample.corpus import write_corpus
from tests.documents.pages import carried_out, run

BUILD = ("-m", "ldrt", "build", "articles", "--output", "dataset", "--workers", "1")


@pytest.mark.slow
def test_the_page_on_how_to_add_a_reader_can_be_carried_out(tmp_path):
    project = carried_out("docs/how-to/reader.md", tmp_path / "project")
    write_corpus(tmp_path / "sample", articles=10)
    picture = next((tmp_path / "sample").glob("jats-*/fig*.*"))
    shutil.copy(picture, project / "articles" / "knee.png")
    done = run(project, *BUILD)
    assert done.returncode == 0, done.stderr
    (row,) = pq.read_table(next((project / "dataset" / "pairs").glob("train-*.parquet"))).to_pylist()
    assert (row["source"], row["source_file"], row["license"]) == ("notes", "knee.notes.json", "CC-BY-4.0")
    assert row["context"] == ["As Figure 1 shows, pain fell."]

    units = project / "dataset_builder" / "extraction" / "units.py"
    units.write_text(
        units.read_text(encoding="utf-8").replace('if unit.source == "notes"', "if False"), encoding="utf-8"
    )
    assert run(project, *BUILD).returncode == 1  # it was the only file
    (failed,) = read_jsonl(project / "dataset" / "provenance" / "failed.jsonl")
    assert "no reader of notes" in str(failed)
