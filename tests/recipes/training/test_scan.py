"""The scan: every kind of row that cannot be trained is dropped by name before the first step; the rest trains."""

import json
import threading

import pytest
from datasets import Dataset
from transformers import AutoProcessor

from dataset_builder.schema import EXAMPLES, PREFERENCES
from recipes import sft
from recipes.families.llava import LLAVA
from recipes.training.examples import IGNORED, ExampleCollator, PairCollator
from recipes.training.scan import DISARMED, FILE, Limits, describe_scan, scan_rows
from tests.recipes.conftest import example, options
from tests.recipes.training.test_identity import write_plain
from trust.pictures.stored import as_stored


@pytest.fixture(scope="module")
def collator(base):
    return ExampleCollator(AutoProcessor.from_pretrained(base), LLAVA)


def stored(data):
    return {"images": [{"bytes": data, "path": None}]}


def said(role, text, column="completion"):
    return {column: [{"role": role, "content": text}]}


PNG = example(0, "detail")["images"][0]["bytes"]
CANNOT = {  # what a row is changed to -> why it is dropped
    "cut-png": (stored(PNG[: len(PNG) // 2]), "with an unreadable picture"),
    "no-bytes": (stored(b""), "with an unreadable picture"),
    "null-picture": ({"images": [None]}, "with an unreadable picture"),
    "null-bytes": (stored(None), "with an unreadable picture"),
    "html": (stored(b"<html>404</html>"), "with an unreadable picture"),
    "one-of-two": ({"images": [stored(PNG)["images"][0], None]}, "with an unreadable picture"),
    "no-answer": ({"completion": []}, "with an empty answer"),
    "null-answer": (said("assistant", None), "with an empty answer"),
    "blank-answer": (said("assistant", " \n "), "with an empty answer"),
    "null-question": (said("user", None, "prompt"), "with an empty question"),
    "no-prompt": ({"prompt": []}, "with an empty question"),
    "tool": (said("tool", "x", "prompt"), "with a message of another role than system, user, assistant"),
    "user-answers": (said("user", "A map."), "with a completion that does not begin and end with the assistant"),
    "long": (said("assistant", "dose " * 600), "longer than max_length 400 tokens"),
    "many-pictures": ({"images": stored(PNG)["images"] * 40}, "longer than max_length 400 tokens"),
}
CAN = {
    "good": {},
    "text-only": {"images": []},
    "null-pictures": {"images": None},
    "two-pictures": {"images": stored(PNG)["images"] * 2},
    "image-word": said("assistant", "The prompt was <image> and a question."),
    "end-in-answer": said("assistant", "A map </s> and more."),
    "unicode": said("assistant", "µGy 日本語 🩻 \u202e RTL \x00 nul"),
}


def dataset_of(changes):
    rows = [example(number, "detail") | change | {"example_id": name} for number, (name, change) in enumerate(changes)]
    return Dataset.from_list(rows, features=EXAMPLES)


def test_what_cannot_be_trained_is_dropped_by_name_and_kind(collator):
    changes = [*CAN.items(), *((name, change) for name, (change, _) in CANNOT.items())]
    kept, report, odd = scan_rows(dataset_of(changes), collator, Limits(400, keep_text_only=True), "train[:50%]")
    assert kept["example_id"] == list(CAN)
    assert {row["example_id"]: row["kind"] for row in odd if not row["kept"]} == {
        name: kind for name, (_, kind) in CANNOT.items()
    }
    assert {row["example_id"]: row["kind"] for row in odd if row["kept"]} == {
        "image-word": DISARMED,
        "end-in-answer": DISARMED,
    }
    assert {row["split"] for row in odd} == {"train[:50%]"}
    assert sum(report["dropped"].values()) == len(CANNOT)
    assert report["dropped"]["with an unreadable picture"] == 6
    assert (report["rows"], report["kept"], report["disarmed"]) == (len(changes), len(CAN), 2)
    reasons = {row["example_id"]: row["reason"] for row in odd}
    assert reasons["no-bytes"] == "not a readable picture (0 bytes)"
    assert reasons["long"].endswith(" tokens")
    batch = collator(list(kept))
    assert batch["attention_mask"].sum(1).tolist() == kept["length"]
    line = describe_scan(report, odd)
    assert "cut-png: not a readable picture" in line
    assert f"and {len(CANNOT) - 5} more" in line
    assert "\n" not in line


def test_a_row_that_the_processor_refuses_is_dropped(base):
    """Whatever it is that it cannot take; here a template that knows no `system`."""
    template = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    template += "{% for p in m.content %}{{ '<image>' if p.type == 'image' else p.text }}{% endfor %}{% endfor %}"
    collator = ExampleCollator(AutoProcessor.from_pretrained(base), LLAVA, template)
    system = {"prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What?"}]}
    kept, report, (odd,) = scan_rows(dataset_of([("good", {}), ("system", system)]), collator)
    assert kept["example_id"] == ["good"]
    assert report["dropped"] == {"that the processor or the template cannot take": 1}
    assert (odd["example_id"], odd["reason"]) == ("system", "TemplateError: no system")


def test_a_template_that_takes_no_row_says_why(base):
    collator = ExampleCollator(AutoProcessor.from_pretrained(base), LLAVA, "{{ raise_exception('not this one') }}")
    with pytest.raises(ValueError, match="no row is left to train on: 2 that the processor .* TemplateError: not this"):
        scan_rows(dataset_of([("a", {}), ("b", {})]), collator)


def test_rows_without_ids_are_called_by_their_number(collator):
    dataset = dataset_of([("a", {}), ("b", stored(b"")), ("c", {})])
    nameless = dataset.remove_columns("example_id")
    kept, _, (odd,) = scan_rows(nameless, collator)
    assert (odd["example_id"], kept["example_id"]) == ("row 1", ["row 0", "row 2"])
    numbered = nameless.add_column("example_id", [7, 8, 9])
    assert scan_rows(numbered, collator)[0]["example_id"] == ["7", "9"]
    nulls = dataset.map(lambda row: {"example_id": None}, features=EXAMPLES)
    assert scan_rows(nulls, collator)[0]["example_id"] == ["row 0", "row 2"]


def test_many_threads_give_what_one_gives(collator, monkeypatch):
    """The tokenizer's settings and the cleaner are shared; rows keep their order."""
    names = [(str(number), {} if number % 3 else stored(b"")) for number in range(120)]
    seen = set()
    measure = ExampleCollator.tensors

    def noted(self, rows):
        seen.add(threading.get_ident())
        return measure(self, rows)

    found = []
    for cores in (1, 16):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        seen.clear()
        monkeypatch.setattr(ExampleCollator, "tensors", noted)
        kept, report, odd = scan_rows(dataset_of(names), collator)
        found.append((kept["example_id"], kept["length"], report, odd))
        assert len(seen) <= cores + 1
    assert found[0] == found[1]
    assert len(seen) > 2


def test_a_run_writes_the_odd_rows_of_both_splits_and_trains_the_rest(base, tmp_path):
    folder = write_plain(tmp_path / "rows", {"train": range(6), "validation": range(6, 10)})
    for split, number in (("train", 2), ("validation", 1)):
        path = folder / "detail" / f"{split}-0.parquet"
        rows = Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "cache")).to_list()
        rows[number] |= {"completion": [{"role": "assistant", "content": ""}]}
        Dataset.from_list(rows, features=EXAMPLES).to_parquet(path)
    words = options(2, base, folder, tmp_path / "run", dataset_config="detail", eval_strategy="steps", eval_steps=2)
    assert sft.main(words) == 0
    lines = [json.loads(line) for line in (tmp_path / "run" / FILE).read_text().splitlines()]
    assert [(line["split"], line["example_id"], line["kept"]) for line in lines] == [
        ("train", "2/detail", False),
        ("validation", "7/detail", False),
    ]
    rows = json.loads((tmp_path / "run" / "lineage.json").read_text())["phases"][-1]["rows"]
    assert (rows["rows"], rows["kept"], rows["dropped"]) == (6, 5, {"with an empty answer": 1})


def of_pairs(rows):
    whole = [{column: row.get(column) for column in PREFERENCES} for row in rows]
    return Dataset.from_list(whole, features=PREFERENCES)


def test_a_pair_is_dropped_where_either_answer_cannot_be_trained(collator):
    """The longer answer counts; equal answers teach nothing."""
    pairs = PairCollator(collator.processor, collator.family)
    good, bad = "The map shows a hot spot on the left side.", "It shows a cold one."
    answers = {
        "good": (good, bad),
        "turned": (bad, good),
        "no chosen": (None, bad),
        "blank rejected": (good, " \n"),
        "the same": (good, good),
        "long rejected": (good, f"{bad} " * 40),
        "disarmed": (good, f"{bad} </s>"),
    }
    row = example(0, "detail")
    rows = [
        {
            **{column: row[column] for column in ("images", "prompt")},
            "example_id": name,
            **{
                column: [{"role": "assistant", "content": text}]
                for column, text in zip(("chosen", "rejected"), texts, strict=True)
            },
        }
        for name, texts in answers.items()
    ]
    kept, report, odd = scan_rows(of_pairs(rows), pairs, Limits(max_length=120, keep_text_only=True))
    assert kept["example_id"] == ["good", "turned", "disarmed"]
    assert kept["length"][0] == kept["length"][1]
    assert report["dropped"] == {
        "with an empty answer": 2,
        "with the same answer twice": 1,
        "longer than max_length 120 tokens": 1,
    }
    assert [row["example_id"] for row in odd if row["kept"]] == ["disarmed"]


def test_a_pairs_batch_has_the_tokens_that_sft_trains(collator):
    """All chosen answers before all rejected ones, as TRL takes them; each masked where SFT has its labels."""
    pairs = PairCollator(collator.processor, collator.family)
    rows = []
    for number in range(2):
        row = as_stored(Dataset.from_list([example(number, "detail")], features=EXAMPLES))[0]
        other = [{"role": "assistant", "content": f"Nothing is seen {'at all ' * number}here."}]
        rows.append({**row, "chosen": row["completion"], "rejected": other})
    batch = pairs(rows)
    single = collator([{**row, "completion": row[column]} for column in ("chosen", "rejected") for row in rows])
    assert "labels" not in batch
    assert (batch["input_ids"] == single["input_ids"]).all()
    assert (batch["completion_mask"].bool() == (single["labels"] != IGNORED)).all()
    assert len(batch["pixel_values"]) == 4
