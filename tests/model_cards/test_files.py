import pytest

from model_cards.files import matches


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        ("pairs/train-00000-of-00001.parquet", True),
        ("provenance/deep/file.json", True),
        ("pairs/deep/file.parquet", False),
        ("mine.parquet", False),
        (".gitattributes", False),
    ],
)
def test_patterns_stay_within_a_folder(path, is_ours):
    assert matches(path, ("README.md", "pairs/*.parquet", "provenance/**")) == is_ours
