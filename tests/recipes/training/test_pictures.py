"""Training rows with pictures of strangers: what cannot be opened is dropped and named, the rest is trained on as it
looks.
"""

import numpy as np
import pytest
from torch.utils.data import DataLoader
from transformers import AutoProcessor

from recipes.families.llava import LLAVA
from recipes.training.examples import ExampleCollator, load_examples
from recipes.training.results import describe_error
from recipes.training.scan import describe_scan, scan_rows
from tests.trust.pictures import attacks
from tests.trust.pictures.traps import example_id, set_traps, write_dataset, write_rows
from trust.pictures.opener import UnreadablePicture


@pytest.fixture
def traps(tmp_path, monkeypatch):
    with set_traps(tmp_path / "traps", monkeypatch) as set_:
        yield set_
        set_.assert_not_sprung()


def test_attacks_are_dropped_by_name_and_the_rest_is_kept(base, tmp_path, traps):
    rows, _ = load_examples(str(write_dataset(tmp_path / "strangers", traps, "train")), "detail", "train", None)
    kept, report, odd = scan_rows(rows, ExampleCollator(AutoProcessor.from_pretrained(base), LLAVA))
    assert len(kept) == len(attacks.seen())
    assert report["dropped"] == {"with an unreadable picture": len(traps.refused)}
    reasons = {row["example_id"]: row["reason"] for row in odd}
    for name, attack in traps.refused.items():
        assert attack.reason in reasons[example_id(name)]
    line = describe_scan(report, odd)
    assert "eps/detail: not a readable picture" in line
    assert f"and {len(traps.refused) - 5} more" in line
    assert "\n" not in line


def test_every_picture_is_trained_on_as_it_looks(base, tmp_path, traps):
    """16 bit grey, transparency and turned pictures give the pixels of the plain PNG, at JPEG's accuracy."""
    rows, _ = load_examples(str(write_dataset(tmp_path / "strangers", traps, "train")), "detail", "train", None)
    processor = AutoProcessor.from_pretrained(base)
    kept, *_ = scan_rows(rows, ExampleCollator(processor, LLAVA))
    batch = ExampleCollator(processor, LLAVA)(list(kept))
    plain = batch["pixel_values"][0].numpy()
    for name, pixels in zip(kept["example_id"], batch["pixel_values"], strict=True):
        assert np.abs(pixels.numpy() - plain).mean() < 0.06, name


@pytest.mark.parametrize("workers", [0, 1])
def test_what_only_decoding_finds_names_its_row(base, tmp_path, workers):
    """A PNG that is whole but for its pixels is dropped by the scan; else in one line, whichever process meets it."""
    hollow = attacks.png_of(64, 48)
    pictures = {"plain": attacks.seen()["png"], "hollow": hollow}
    folder = write_rows(tmp_path, {name: {"bytes": data, "path": None} for name, data in pictures.items()}, "train")
    rows, _ = load_examples(str(folder), "detail", "train", None)
    processor = AutoProcessor.from_pretrained(base)
    kept, *_ = scan_rows(rows, ExampleCollator(processor, LLAVA))
    assert kept["example_id"] == ["plain/detail"]
    collator = ExampleCollator(processor, LLAVA)
    with pytest.raises(UnreadablePicture) as raised:
        list(DataLoader(rows, batch_size=2, collate_fn=collator, num_workers=workers))
    said = describe_error(raised.value)
    assert said.startswith("hollow/detail: unreadable picture: not a readable picture (")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("error", "line"), [(ValueError("a\n b: c"), "a b: c"), (ValueError(), "ValueError"), (KeyError("a: b"), "'a: b'")]
)
def test_other_errors_are_one_line(error, line):
    assert describe_error(error) == line
