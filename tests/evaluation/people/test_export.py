import base64
import io
import itertools
import json
import re
from collections import Counter

import pytest
from PIL import Image

from evaluation.people.criteria import read_criteria
from evaluation.people.page import Figures, page_data
from evaluation.people.sample import Showing, draw
from tests.evaluation.people.pages import ITEMS, LARGE, REPEATS, SECRET, UNREADABLE, export, page_items
from tests.evaluation.runs import make_run, read_records, write_records


def test_items_are_spread_over_runs_tasks_and_articles(packet):
    _, key, page = packet
    shown = [item for item in key["items"] if item["repeat_of"] is None]
    assert len(shown) == ITEMS
    assert len(page_items(page)) == len(key["items"]) == ITEMS + REPEATS
    assert set(Counter((item["run"], item["task"]) for item in shown).values()) == {ITEMS // 4}
    questions = Counter(item["example_id"] for item in shown)
    assert set(questions.values()) == {2}  # each question for both runs
    assert set(Counter((item["article_id"], item["task"]) for item in shown).values()) == {2}  # 20 of 24 once
    first_shown = [next(item for item in shown if item["example_id"] == question)["run"] for question in questions]
    assert 5 <= first_shown.count("first-run") <= 15


def test_repeats_are_spread_and_far_from_their_first_showing(packet):
    _, key, page = packet
    repeats = [item for item in key["items"] if item["repeat_of"] is not None]
    shown, items = page_items(page), {item["item"]: item for item in key["items"]}
    assert set(Counter((item["run"], item["task"]) for item in repeats).values()) == {REPEATS // 4}
    for item in repeats:
        first = items[item["repeat_of"]]
        assert all(item[name] == first[name] for name in ("run", "example_id", "answer_sha256"))
        assert shown[item["item"] - 1] == shown[first["item"] - 1] | {"item": item["item"]}
        assert item["item"] - first["item"] >= len(items) / 2
    places = {}
    for item in key["items"]:
        places.setdefault(item["example_id"], []).append(item["item"])
    assert min(b - a for found in places.values() for a, b in itertools.pairwise(found)) >= len(items) / 7


@pytest.mark.parametrize("n_runs", [1, 2, 4])
@pytest.mark.parametrize("seed", range(5))
def test_the_showings_of_a_question_are_far_apart_whatever_the_seed(n_runs, seed):
    records = [{"example_id": f"E{i}", "article_id": f"A{i // 2}", "task": f"task {i % 2}"} for i in range(100)]
    showings = draw([{record["example_id"]: record for record in records}] * n_runs, 100, 20, seed)
    assert len(showings) == 120
    places = {}
    for place, showing in enumerate(showings):
        places.setdefault(showing.record["example_id"], []).append((place, showing.run))
    assert Counter(map(len, places.values())) == {n_runs + 1: 20, n_runs: 100 // n_runs - 20}
    for shown in places.values():
        assert {run for _, run in shown} == set(range(n_runs))
        assert min((b[0] - a[0] for a, b in itertools.pairwise(shown)), default=120) >= 120 / (2 * len(shown))
        assert len(shown) == n_runs or shown[0][1] == shown[-1][1]  # the repeat ends what its first showing begins


def test_the_page_shows_what_the_key_says(packet, runs):
    _, key, page = packet
    answers = {run.name: {record["example_id"]: record for record in reversed(read_records(run))} for run in runs}
    pictures = re.findall(r'<script type="image/jpeg;base64" id="picture-\d+">(.*?)</script>', page)
    for entry, shown in zip(key["items"], page_items(page), strict=True):
        record = answers[entry["run"]][entry["example_id"]]
        assert [shown["question"], shown["answer"], shown["reference"]] == [
            record[name] for name in ("question", "prediction", "reference")
        ]
        assert shown["caption"].startswith("Caption.")
        assert shown["source"].startswith("doi:10.5555/x")
        number = int(entry["example_id"][1:])
        if number in UNREADABLE:
            assert shown["picture"] is None
        else:
            with Image.open(io.BytesIO(base64.b64decode(pictures[shown["picture"]]))) as picture:
                assert picture.size == ((1200, 600) if number in LARGE else (320 + 4 * number, 240))
    numbers = {int(item["example_id"][1:]) for item in key["items"]}
    assert len(pictures) == len(numbers - set(UNREADABLE)) < len(numbers)
    assert numbers & set(LARGE)


def test_what_the_page_shows_of_an_answer_needs_no_dataset():
    record = {"task": "detail", "question": "What?", "prediction": "5 Gy", "reference": "6 Gy", "license": "CC-BY-4.0"}
    known = {"figure_id": "F1", "caption": None, "context": ["Seen."], "doi": "10.5555/x", "license": "CC0-1.0"}
    showings = [Showing(record | {"figure_id": figure}, run) for figure, run in (("F1", 1), ("F2", 0), ("F3", 0))]
    data = page_data("p", showings, Figures({"F1": known}, {"F1": "aaa", "F3": "bbb"}))
    first, second, third = data["items"]
    assert (first["item"], first["caption"], first["context"]) == (1, "", ["Seen."])
    assert first["source"] == "doi:10.5555/x, CC0-1.0"
    assert (second["caption"], second["context"], second["source"]) == ("", [], "CC-BY-4.0")
    assert [item["picture"] for item in data["items"]] == [0, None, 1]
    assert third["answer"] == "5 Gy"
    assert data["criteria"].keys() == {"detail"}


def test_the_page_does_not_tell_which_run_an_answer_is_of(packet, runs, dataset, tmp_path):
    _, key, page = packet
    assert not [word for word in (*SECRET, "E12", "example_id") if word in page]
    renamed = []
    for number, run in enumerate(runs):
        manifest = json.loads((run / "manifest.json").read_text()) | {"model": f"m{number}", "revision": str(number)}
        renamed.append(tmp_path / f"r{number}")
        renamed[-1].mkdir()
        (renamed[-1] / "manifest.json").write_text(json.dumps(manifest))
        write_records(renamed[-1], read_records(run))
    other_key, other_page = export(renamed, dataset, tmp_path / "rating")
    assert other_key["packet"] != key["packet"]
    assert other_page.replace(other_key["packet"], "") == page.replace(key["packet"], "")


@pytest.mark.parametrize("task", ["detail", "reasoning"])
def test_people_grade_by_the_judges_rubric(task, packet):
    criteria = read_criteria(task)
    assert criteria.startswith("Grade how well")
    assert "\n10  " in criteria
    assert "\n 0  Nothing fits" in criteria
    assert not any(word in criteria for word in ("SCORE", "data", "see the", "JSON", "Reply"))  # for machines only
    assert json.dumps(criteria, ensure_ascii=False)[1:-1] in packet[2]
    assert packet[1]["criteria_sha256"].keys() == {"detail", "reasoning"}


def test_a_task_without_a_rubric():
    with pytest.raises(ValueError, match=r"task another: no rubric another\.md"):
        read_criteria("another")


def test_the_same_inputs_give_the_same_bytes_and_another_seed_another_sample(packet, runs, dataset, tmp_path):
    folder, key, page = packet
    assert export(runs, dataset, folder) == (key, page)
    assert export(runs, dataset, tmp_path / "other", seed=1)[0]["items"] != key["items"]
    with pytest.raises(ValueError, match="belongs to another page"):
        export(runs, dataset, folder, seed=1)
    assert (folder / "rate.html").read_text() == page


def test_what_is_asked_for_and_cannot_be_had(runs, dataset, tmp_path):
    key, _ = export(runs, dataset, tmp_path / "all", items=1000, repeats=1000)
    assert Counter(item["repeat_of"] is None for item in key["items"]) == {True: 96, False: 48}
    key, _ = export(runs[:1], dataset, tmp_path / "one", items=10, repeats=10)
    assert Counter(item["repeat_of"] is None for item in key["items"]) == {True: 10, False: 10}
    assert min(item["item"] - item["repeat_of"] for item in key["items"] if item["repeat_of"]) >= 5
    with pytest.raises(ValueError, match="not one question"):
        export(runs, dataset, tmp_path / "none", items=1)
    other = make_run(tmp_path / "other", "other", 0.5)
    with pytest.raises(ValueError, match="differ in dataset_revision"):
        export([runs[0], other], dataset, tmp_path / "none")
    with pytest.raises(ValueError, match="but the runs answered sha256:ffff"):
        export([make_run(tmp_path / "third", "third", 0.5, dataset_revision="sha256:ffff")], dataset, tmp_path / "none")
