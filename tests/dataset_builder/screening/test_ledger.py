"""review.jsonl is written anew at each run, and no decision is lost."""

import json

import pytest

from dataset_builder.screening.ledger import note_screened, read_screened, write_review

FINDING = {"kind": "name", "text": "SMITH^JOHN", "box": [1.0, 2.0, 30.0, 12.0], "score": 0.9}


def screened(picture, *findings):
    versions = {"text_version": "1", "face_version": None, "problem": None}
    return {"picture": picture, **versions, "findings": list(findings)}


def review(dataset, figures):
    return write_review(dataset, read_screened(dataset), figures)


def decide(dataset, decision):
    path = dataset / "review.jsonl"
    rows = [json.loads(line) | {"decision": decision} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_decisions_stay_and_new_findings_come(tmp_path):
    note_screened(tmp_path, [screened("a", FINDING)])
    assert [row["decision"] for row in review(tmp_path, {"a": "fig1"})] == [None]
    decide(tmp_path, "keep")
    note_screened(tmp_path, [screened("b", FINDING)])
    rows = review(tmp_path, {"a": "fig1", "b": "fig2"})
    assert [(row["figure_id"], row["decision"]) for row in rows] == [("fig1", "keep"), ("fig2", None)]


def test_a_rebuild_that_leaves_a_picture_out_and_one_that_brings_it_back(tmp_path):
    note_screened(tmp_path, [screened("a", FINDING)])
    review(tmp_path, {"a": "fig1"})
    decide(tmp_path, "blur")
    review(tmp_path, {})
    [row] = review(tmp_path, {"a": "renamed"})
    assert (row["figure_id"], row["decision"]) == ("renamed", "blur")


def test_newer_rules_replace_what_was_not_decided_and_keep_what_was(tmp_path):
    other = FINDING | {"text": "Week 12", "box": [50.0, 2.0, 90.0, 12.0]}
    note_screened(tmp_path, [screened("a", FINDING, other)])
    review(tmp_path, {"a": "fig1"})
    path = tmp_path / "review.jsonl"
    first, second = map(json.loads, path.read_text().splitlines())
    path.write_text(json.dumps(first | {"decision": "blur"}) + "\n" + json.dumps(second) + "\n")
    moved = FINDING | {"box": [2.0, 2.0, 31.0, 12.0]}  # the same text, found a pixel further on
    note_screened(tmp_path, [screened("a", moved)])
    rows = review(tmp_path, {"a": "fig1"})
    assert [(row["text"], row["box"], row["decision"]) for row in rows] == [
        ("SMITH^JOHN", moved["box"], "blur"),
        ("SMITH^JOHN", FINDING["box"], "blur"),
    ]


def test_a_box_that_a_person_adds_stays(tmp_path):
    note_screened(tmp_path, [screened("a")])
    own = {"picture": "a", "figure_id": "fig1", **FINDING, "kind": "face", "decision": "blur"}
    (tmp_path / "review.jsonl").write_text(json.dumps(own) + "\n")
    assert [row["kind"] for row in review(tmp_path, {"a": "fig1"})] == ["face"]


def test_a_line_that_a_kill_has_torn_is_screened_again(tmp_path):
    note_screened(tmp_path, [screened("a", FINDING), screened("b")])
    path = tmp_path / "screened.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    assert set(read_screened(tmp_path)) == {"a"}
    note_screened(tmp_path, [screened("b")])
    assert set(read_screened(tmp_path)) == {"a", "b"}


def lines_of(dataset, *rows):
    (dataset / "review.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize("decisions", [("drop", "keep"), ("keep", "drop"), ("blur", "drop", "keep"), (None, "drop")])
def test_of_two_decisions_on_one_place_the_strictest_stays(tmp_path, decisions):
    note_screened(tmp_path, [screened("a", FINDING)])
    lines_of(tmp_path, *({"picture": "a", "figure_id": "fig1", **FINDING, "decision": one} for one in decisions))
    assert [row["decision"] for row in review(tmp_path, {"a": "fig1"})] == ["drop"]


@pytest.mark.parametrize(("decision", "asked"), [("drop", True), ("blur", True), ("keep", False)])
def test_what_was_dropped_or_blurred_is_asked_anew_of_a_figure_with_another_picture(tmp_path, decision, asked):
    own = {"picture": "a", "figure_id": "fig1", **FINDING, "kind": "face", "decision": decision}
    note_screened(tmp_path, [screened("a"), screened("b")])
    lines_of(tmp_path, own)
    new = {"picture": "b", "kind": "face", "decision": None}
    for _ in range(2):
        rows = review(tmp_path, {"b": "fig1"})
        assert own in [{name: row[name] for name in own} for row in rows]
        assert asked == (new in [{name: row[name] for name in new} for row in rows])
    decide(tmp_path, "keep")
    assert [row["decision"] for row in review(tmp_path, {"b": "fig1"})] == ["keep"] * (1 + asked)
