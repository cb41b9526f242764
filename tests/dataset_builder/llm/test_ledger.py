"""Which line of a ledger counts."""

import hashlib
import json

import pytest

from dataset_builder.llm.ledger import Index, answered

KEY, OTHER = (hashlib.sha256(name).hexdigest() for name in (b"a", b"b"))


def ledger_of(folder, *statuses: str):
    path = folder / "ledger.jsonl"
    lines = [{"key": KEY, "status": status, "n": n} for n, status in enumerate(statuses)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("statuses", "counts"),
    [
        (["ok"], 0),
        (["error", "ok"], 1),
        (["ok", "error"], 0),
        (["error", "unparsable", "error"], 2),
        (["ok", "error", "ok", "refused"], 2),
    ],
)
def test_the_newest_answer_counts_before_others_read_from_the_disk_or_from_memory(tmp_path, statuses, counts):
    ledger = ledger_of(tmp_path, *statuses)
    index = Index(ledger)
    assert index.record(KEY) == answered(ledger, [KEY])[KEY] == {"key": KEY, "status": statuses[counts], "n": counts}
    assert index.is_ok(KEY) == ("ok" in statuses)
    assert index.record(OTHER) is None


def test_a_line_that_is_none_is_named(tmp_path):
    ledger = ledger_of(tmp_path, "ok")
    ledger.write_text(ledger.read_text() + "{}\n")
    with pytest.raises(ValueError, match="ledger.jsonl, line 2: no `key`"):
        Index(ledger)
