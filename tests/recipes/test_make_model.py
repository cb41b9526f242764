"""The tiny model is made of the texts that its dataset has now."""

import pyarrow.parquet as pq

from tests.recipes.conftest import load_make_model, write_dataset


def test_a_dataset_that_was_written_anew_in_its_folder_gives_its_new_texts(tmp_path):
    """`datasets` keeps rows by a folder's name and card, and the card is the same here."""
    dataset, make_model = write_dataset(tmp_path / "sample"), load_make_model()
    before = make_model.training_texts(str(dataset))
    (path,) = (dataset / "pairs").glob("train-*.parquet")
    rows = pq.read_table(path)
    pq.write_table(rows.slice(0, 5), path)
    assert make_model.training_texts(str(dataset)) == before[:5]
    captions = rows.column_names.index("caption")
    written = rows.set_column(captions, "caption", [["Another caption."] * len(rows)])
    pq.write_table(written, path)
    assert all(text.startswith("Another caption.") for text in make_model.training_texts(str(dataset)))
