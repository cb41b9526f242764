import itertools
import json
import random
import re

import pytest

from evaluation import human
from evaluation.people import ratings
from evaluation.people import ratings as ratings_module
from evaluation.people.key import make_key
from evaluation.people.report import delta_rows, inter_rater, intra_rater, judge_agreement
from evaluation.people.sample import AnsweredRun, draw
from tests.evaluation.people.pages import ITEMS
from tests.evaluation.runs import judge_run, read_records, write_records


def rate(key, rater, score, items=None):
    """Lines of a ratings file: `score(entry of the key)`, None for "cannot judge"."""
    lines = []
    for entry in key["items"] if items is None else items:
        given = score(entry)
        status = "cannot_judge" if given is None else "ok"
        about = {"packet": key["packet"], "item": entry["item"], "rater": rater, "score": given, "status": status}
        lines.append(json.dumps(about) + "\n")
    return lines


def import_files(folder, *files):
    paths = []
    for number, lines in enumerate(files):
        paths.append(folder / f"ratings-{number}.jsonl")
        paths[-1].write_text("".join(lines))
    said = human.run(human.Options("import", [str(path) for path in paths], str(folder)))
    return said, json.loads((folder / "human.json").read_text())


def test_bad_lines_are_named_and_the_others_count(rating, packet):
    key = packet[1]
    good = rate(key, " Ada  L ", lambda entry: 6)
    line = json.loads(good[0])
    bad = [{**line, "packet": "0" * 16}, {**line, "item": 999}, {**line, "item": "1"}, {**line, "score": 11}]
    bad += [{**line, "score": 7.5}, {**line, "score": True}, {**line, "score": None}, {**line, "rater": " "}, [1]]
    lines = ["\ufeff" + good[0], "\n", *(json.dumps(row) + "\n" for row in bad), *good[1:], '{"packet": "']
    said, report = import_files(rating, lines)
    assert report["n_ratings"] == len(key["items"])
    assert report["n_left_out"] == 10
    assert [int(number) for number in re.findall(r"ratings-0.jsonl, line (\d+): .*left out", said)] == [
        *range(3, 12),
        len(lines),
    ]
    with pytest.raises(ValueError, match=r"no rating of the page .*: .*line 1: of another page"):
        import_files(rating, [json.dumps(bad[0])])
    with pytest.raises(FileNotFoundError, match="no such file"):
        human.run(human.Options("import", ["absent.jsonl"], str(rating)))


def test_of_two_ratings_by_the_same_rater_the_later_one_counts_and_is_told(rating, packet):
    key = packet[1]
    once = rate(key, "A", lambda entry: 3)
    said, report = import_files(rating, once[:5], once, rate(key, "A", lambda entry: 9, key["items"][:1]))
    assert report["n_raters"] == 1
    assert report["n_ratings"] == len(key["items"])
    assert report["n_left_out"] == 1
    assert "ratings-2.jsonl, line 1: item 1 is rated 3 by the same rater before, now 9 counts" in said
    assert max(row["value"] for row in report["systems"] if row["task"] == "all") == pytest.approx(3 + 6 / 20)


def test_unrated_and_not_judged_answers_are_not_imputed(rating, packet):
    key = packet[1]
    first = key["items"][0]
    said, report = import_files(
        rating,
        rate(key, "A", lambda entry: None if entry["item"] == 1 else 4 + (entry["run"] == "second-run")),
        rate(key, "B", lambda entry: 10 if entry["item"] == 1 else 8, key["items"][:9]),
    )
    assert report["n_cannot_judge"] == 1
    assert report["n_ratings"] == len(key["items"]) - 1 + 9
    shown = [item for item in key["items"][1:9] if item["repeat_of"] is None]
    assert report["inter_rater"]["n"] == len(shown)
    n = sum(item["repeat_of"] is not None and item["repeat_of"] != 1 for item in key["items"])
    assert report["intra_rater"][0] == {"rater": 1, "n": n, "mean_abs_difference": 0, "kappa": 1.0}
    assert report["intra_rater"][1] == {"rater": 2, "n": 0, "mean_abs_difference": None, "kappa": None}
    by_run = {row["run"]: row["value"] for row in report["systems"] if row["task"] == "all"}
    plain = {"first-run": 4, "second-run": 5}
    for run, value in by_run.items():
        twice = sum((8 - plain[run]) / 2 for item in shown if item["run"] == run) + (
            10 - plain[run] if first["run"] == run else 0
        )
        assert value == pytest.approx(plain[run] + twice / 20)


def test_known_noise_and_a_known_difference_are_recovered(tmp_path):
    """Raters are the truth (variance 4) plus noise (variance 1): kappa and alpha 4 / 5, repeats E|N(0, 2)| apart."""
    rng = random.Random(0)
    records = [{"example_id": f"E{i}", "article_id": f"A{i // 3}", "task": "detail"} for i in range(600)]
    answers = [{record["example_id"]: record | {"prediction": model} for record in records} for model in "bt"]
    manifest = {"dataset": "org/x", "dataset_revision": "f" * 40, "split": "test"}
    runs = [
        AnsweredRun(name, tmp_path / name, manifest | {"model": name, "revision": name}, {})
        for name in ("base", "tuned")
    ]
    key = make_key(runs, draw(answers, 1200, 400, 0), 0, tmp_path)
    truth = {example: rng.gauss(4.7, 2) for example in answers[0]}
    truths = {(run, example): t + 0.6 * (run == "tuned") for example, t in truth.items() for run in ("base", "tuned")}

    def noisy(entry):
        return max(0, min(10, round(truths[entry["run"], entry["example_id"]] + rng.gauss(0, 1))))

    given = {rater: {entry["item"]: noisy(entry) for entry in key["items"]} for rater in "ABC"}
    intra, inter = intra_rater(given, key), inter_rater(given, key)
    assert [row["n"] for row in intra] == [400, 400, 400, 1200]
    assert inter["n"] == 1200
    assert intra[-1]["kappa"] == pytest.approx(0.8, abs=0.03)
    assert intra[-1]["mean_abs_difference"] == pytest.approx(1.15, abs=0.06)
    assert inter["alpha"] == pytest.approx(0.78, abs=0.03)  # ordinal: agreement of ranks, a little less
    assert [pair["kappa"] for pair in inter["pairs"]] == pytest.approx([0.8] * 3, abs=0.04)

    rows = ratings.rated_answers(given, key)
    for row in rows:  # a judge as noisy as a rater and a point too mild
        row.scores.judges["mild"] = min(10, truths[row.run, row.example_id] + rng.gauss(1, 1))
    delta = delta_rows(rows, key, ["human", "mild"])[0]
    assert delta["delta"] == pytest.approx(0.6, abs=0.15)
    assert delta["ci_low"] > 0.35
    assert delta["n"] == 600
    (agreed,) = judge_agreement(rows, {"mild": {"judge": "mild"}})
    assert agreed["mean_difference"] == pytest.approx(1, abs=0.12)
    assert agreed["n"] == 1200
    assert agreed["spearman"] == pytest.approx(0.85, abs=0.04)  # 2 × 4 / √(5 × 4.33) in ranks
    assert agreed["kappa"] == pytest.approx(0.77, abs=0.05)  # 2 × 4 / (5 + 4.33 + 1²)


@pytest.fixture
def judged(packet, runs, rating):
    """The key of the runs, which are judged and scored here; the judge refuses E5."""
    from evaluation import score

    for run in runs:
        judge_run(run, "org/judge", refused=("E5",))
        score.run(score.Options(str(run)))
    yield packet[1]
    for run, name in itertools.product(
        runs, ("judgements.jsonl", "scores.json", "per_item_scores.jsonl", "human.json")
    ):
        (run / name).unlink(missing_ok=True)


def test_people_and_judges_side_by_side(judged, runs, rating):
    key = judged
    given = {
        (run.name, record["example_id"]): record["score"]
        for run in runs
        for record in read_records(run, "judgements.jsonl")
        if record["control"] is None and record["image_condition"] == "true" and record["status"] == "ok"
    }
    said, report = import_files(
        rating, rate(key, "Zoë", lambda e: given.get((e["run"], e["example_id"]), 5)), rate(key, "Ann", lambda e: 5)
    )
    shown = {(item["run"], item["example_id"]) for item in key["items"]}
    (agreed,) = report["judge_agreement"]
    assert agreed["judge"] == "org/judge"
    assert agreed["n"] == len(shown & given.keys())
    assert agreed["spearman"] == pytest.approx(1)
    assert "Zoë" not in json.dumps(report) + said
    expected = sum((given[answer] - 5) / 2 for answer in shown & given.keys()) / agreed["n"]
    assert agreed["mean_difference"] == pytest.approx(expected)
    human_delta, judge_delta = (row for row in report["deltas"] if row["task"] == "all")
    assert (human_delta["judge"], judge_delta["judge"]) == ("human", "org/judge")
    assert human_delta["delta"] > 1
    assert human_delta["ci_low"] > 0
    n_refused = sum(example == "E5" for _, example in shown) // 2
    assert judge_delta["n"] == human_delta["n"] - n_refused == ITEMS // 2 - n_refused
    assert "second-run − first-run, human: +" in said
    assert "human and org/judge: kappa" in said


def test_the_tuned_run_gets_its_part_of_the_report(judged, runs, rating):
    _, report = import_files(rating, rate(judged, "A", lambda entry: entry["item"] % 11))
    assert json.loads((runs[1] / "human.json").read_text()) == report
    assert not (runs[0] / "human.json").exists()
    assert {row["run"] for row in report["deltas"]} == {"second-run"}
    assert {row["against"] for row in report["deltas"]} == {"first-run"}


def test_answers_that_were_made_anew_are_not_compared_with_the_people(judged, runs, rating):
    from evaluation import score

    records = read_records(runs[1])
    shown = [item for item in judged["items"] if item["run"] == "second-run" and item["repeat_of"] is None]
    changed = next(item["example_id"] for item in shown if item["example_id"] != "E5")
    try:
        write_records(runs[1], [r | {"prediction": "new"} if r["example_id"] == changed else r for r in records])
        said, report = import_files(rating, rate(judged, "A", lambda entry: 5))
        assert "no judges of second-run to compare with" in said
        assert "ldrt score" in said
        n_of_first = report["judge_agreement"][0]["n"]
        score.run(score.Options(str(runs[1])))
        _, report = import_files(rating, rate(judged, "A", lambda entry: 5))
        refused = sum(item["example_id"] == "E5" for item in shown)
        assert report["judge_agreement"][0]["n"] == n_of_first + len(shown) - refused - 1
    finally:
        write_records(runs[1], records)


@pytest.mark.parametrize("again", ["a", "A", " A ", "\uff21"])
def test_a_raters_name_is_one_in_any_spelling(again):
    key = {"packet": "p", "items": [{"item": 1}, {"item": 2}]}
    ratings = {}
    for rater, item in (("A", 1), (again, 2), ("B", 1)):
        line = json.dumps({"packet": "p", "item": item, "rater": rater, "score": 5, "status": "ok"})
        assert ratings_module._add_rating(line, key, ratings) is None
    assert ratings == {"A": {1: 5, 2: 5}, "B": {1: 5}}
