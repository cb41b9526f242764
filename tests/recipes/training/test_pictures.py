"""Training rows with pictures of strangers: what cannot be opened is dropped and named, the rest is trained on as it
looks.
"""

import numpy as np
import pytest
from transformers import AutoProcessor

from recipes.families.llava import LLAVA
from recipes.training.examples import ExampleCollator, load_examples, scan_lengths
from recipes.training.results import describe_scan
from tests.trust.pictures import attacks
from tests.trust.pictures.traps import example_id, set_traps, write_dataset
from trust.pictures.opener import UnreadablePicture


@pytest.fixture
def traps(tmp_path, monkeypatch):
    with set_traps(tmp_path / "traps", monkeypatch) as set_:
        yield set_
        set_.assert_not_sprung()


def test_attacks_are_dropped_by_name_and_the_rest_is_kept(base, tmp_path, traps):
    rows, _ = load_examples(str(write_dataset(tmp_path / "strangers", traps, "train")), "detail", "train", None)
    kept, report = scan_lengths(rows, AutoProcessor.from_pretrained(base), None, None)
    assert len(kept) == len(attacks.seen())
    assert report["dropped"] == {"with an unreadable picture": len(traps.refused)}
    for name, attack in traps.refused.items():
        assert attack.reason in report["unreadable"][example_id(name)]
    line = describe_scan(report)
    assert "eps/detail: not a readable picture" in line
    assert f"and {len(traps.refused) - 5} more" in line
    assert "\n" not in line


def test_every_picture_is_trained_on_as_it_looks(base, tmp_path, traps):
    """16 bit grey, transparency and turned pictures give the pixels of the plain PNG, at JPEG's accuracy."""
    rows, _ = load_examples(str(write_dataset(tmp_path / "strangers", traps, "train")), "detail", "train", None)
    processor = AutoProcessor.from_pretrained(base)
    kept, _ = scan_lengths(rows, processor, None, None)
    batch = ExampleCollator(processor, LLAVA)(list(kept))
    plain = batch["pixel_values"][0].numpy()
    for name, pixels in zip(kept["example_id"], batch["pixel_values"], strict=True):
        assert np.abs(pixels.numpy() - plain).mean() < 0.06, name


def test_what_only_decoding_finds_names_its_row(base, tmp_path, traps):
    rows, _ = load_examples(str(write_dataset(tmp_path / "strangers", traps, "train")), "detail", "train", None)
    by_name = {row["example_id"]: row for row in rows}
    collator = ExampleCollator(AutoProcessor.from_pretrained(base), LLAVA)
    with pytest.raises(UnreadablePicture, match="^truncated-png/detail: unreadable picture: not a readable picture"):
        collator([by_name["good-png/detail"], by_name["truncated-png/detail"]])
