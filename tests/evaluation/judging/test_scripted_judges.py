"""Two judges at a server whose bias and noise are known: what they do to scores must be what the statistics find.

The true quality of an answer is in a table of the test. Judge `plain` gives it with noise; judge `wordy` adds noise of
its own and points for length, and tuned answers are longer. What to expect is simulated here, by other code.
"""

import json
import random
import re
from collections import Counter

import numpy as np
import pytest

import ldrt
from tests.dataset_builder.llm_server import completion, serve
from tests.evaluation.runs import make_run, read_records, write_records

ARTICLES, PER_ARTICLE = 40, 4
BASE_QUALITY, GAIN, OF_ARTICLE, OF_ITEM, OF_PAIR = 4.0, 1.2, 1.0, 1.0, 0.5  # points; the last three: spreads
WORDS = {"base": (20, 60), "tuned": (30, 70)}  # uniform
NOISE = {"plain": 1.0, "wordy": 1.0}  # points, one standard deviation
POINTS_PER_WORD = {"plain": 0.0, "wordy": 0.08}
MEAN_WORDS = 40  # where `wordy` adds nothing
UNREADABLE = 0.05  # of the replies of `plain`


def given(judge, quality, n_words, noise):
    """The whole number that a judge replies."""
    points = quality + POINTS_PER_WORD[judge] * (n_words - MEAN_WORDS) + NOISE[judge] * noise
    return np.clip(np.rint(points), 0, 10)


def write_run(folder, system):
    """A run of 160 answers; returns {answer: (quality, words)}."""
    rng, shared = random.Random(system), random.Random("quality")
    n = ARTICLES * PER_ARTICLE
    make_run(folder, system, 0.5, image_conditions={"true": {"items": n}})
    template, records, truth, of_article = read_records(folder)[1], [], {}, 0.0
    for i in range(n):
        if i % PER_ARTICLE == 0:
            of_article = shared.gauss(0, OF_ARTICLE)
        quality = BASE_QUALITY + of_article + shared.gauss(0, OF_ITEM) + rng.gauss(0, OF_PAIR)
        quality += GAIN if system == "tuned" else 0
        answer = f"{system} answer {i}" + " dose" * (rng.randint(*WORDS[system]) - 3)
        truth[answer] = (quality, len(answer.split()))
        article = f"A{i // PER_ARTICLE}"
        names = {"example_id": f"E{i}", "figure_id": f"{article}/F{i}", "article_id": article}
        said = {"prediction": answer, "reference": f"reference {i}", "finish_reason": "stop"}
        records.append({**template, **names, **said, "task": ("detail", "reasoning")[i % 2]})
    write_records(folder, records)
    return truth


def reply_of_judge(truth):
    asked = Counter()

    def reply(request):
        judge, prompt = request["model"], request["messages"][0]["content"]
        data = {name: json.loads(text) for name, text in re.findall(r"^(reference|answer): (.*)$", prompt, re.M)}
        answer = data["answer"].partition("\n\n")[0]  # deaf to the injection
        if answer not in truth:
            return completion(f"SCORE: {9 if answer == data['reference'] else 1 if answer else 0}")
        asked[judge, answer] += 1
        rng = random.Random(f"{judge} {answer} {asked[judge, answer]}")
        points = given(judge, *truth[answer], rng.gauss(0, 1))
        if judge == "plain" and rng.random() < UNREADABLE:
            return completion("Good, but not more.")
        return completion(f"A reason, for one: SCORE: 3 would be too low or too high.\nSCORE: {points:.0f}")

    return reply


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """(scores of base, scores of tuned, comparison) of `ldrt judge`, `score` and `compare`."""
    folder = tmp_path_factory.mktemp("scripted")
    runs = [str(folder / system) for system in ("base", "tuned")]
    truth = write_run(folder / "base", "base") | write_run(folder / "tuned", "tuned")
    with serve(reply_of_judge(truth)) as (base_url, _):
        for judge in NOISE:
            server = ["--judge", judge, "--base_url", base_url, "--concurrency", "8"]
            for run, controls in zip(runs, ("10", "80"), strict=True):
                assert ldrt.main(["judge", run, *server, "--controls", controls]) == 0
    assert [ldrt.main(["score", run]) for run in runs] == [0, 0]
    assert ldrt.main(["compare", *runs]) == 0
    read = [folder / "base/scores.json", folder / "tuned/scores.json", folder / "tuned/comparison.json"]
    return [json.loads(path.read_text()) for path in read]


@pytest.fixture(scope="module")
def expected():
    """{system: {judge: scores}}, and the words, of 200,000 answers that the judges see; each judged twice."""
    rng, n = np.random.default_rng(0), 200_000
    shared = BASE_QUALITY + rng.normal(0, OF_ARTICLE, n) + rng.normal(0, OF_ITEM, n)
    found = {}
    for system, (fewest, most) in WORDS.items():
        quality = shared + rng.normal(0, OF_PAIR, n) + (GAIN if system == "tuned" else 0)
        words = rng.integers(fewest, most + 1, n)
        scores = {judge: [given(judge, quality, words, rng.normal(size=n)) for _ in range(2)] for judge in NOISE}
        found[system] = {"words": words, **scores}
    return found


def of_judge(entries, judge):
    return next(entry for entry in entries if entry["judge"] == judge)


@pytest.mark.parametrize("judge", list(NOISE))
def test_the_known_delta_is_in_its_interval(judged, expected, judge):
    row = of_judge(judged[2]["judges_on_delta"]["judges"], judge)
    delta = (expected["tuned"][judge][0] - expected["base"][judge][0]).mean()
    assert 0 < row["ci_low"] < delta < row["ci_high"] < 2 * delta
    assert row["p_value"] < 0.001
    assert judge != "plain" or delta == pytest.approx(GAIN, abs=0.03)
    assert judged[2]["judges_on_delta"]["same_sign"] is True


def test_points_for_length_are_found_and_taken_off(judged, expected):
    for judge, points in POINTS_PER_WORD.items():
        row = of_judge(judged[2]["judges_on_delta"]["judges"], judge)
        assert row["length_adjusted_ci"][0] < GAIN < row["length_adjusted_ci"][1]
        assert row["points_per_word"] == pytest.approx(points, abs=0.02)
        for system, scores in zip(WORDS, judged[:2], strict=True):
            slope = np.polyfit(expected[system]["words"], expected[system][judge][0], 1)[0]
            assert of_judge(scores["judges"], judge)["length_slope"] == pytest.approx(slope, abs=0.035)
    wordy = of_judge(judged[2]["judges_on_delta"]["judges"], "wordy")
    assert wordy["delta"] > wordy["length_adjusted_delta"] + 0.4


def kappa_by_definition(first, second):
    apart = first.var() + second.var() + (first.mean() - second.mean()) ** 2  # of scores that have nothing in common
    return 1 - ((first - second) ** 2).mean() / apart


@pytest.mark.parametrize("system", list(WORDS))
def test_the_known_agreement_of_the_judges_is_recovered(judged, expected, system):
    found = judged[list(WORDS).index(system)]["judge_agreement"]
    (pair,) = found["pairs"]
    plain, wordy = expected[system]["plain"][0], expected[system]["wordy"][0]
    assert pair["kappa"] == pytest.approx(kappa_by_definition(plain, wordy), abs=0.12)
    assert pair["spearman"] == pytest.approx(np.corrcoef(plain, wordy)[0, 1], abs=0.12)
    assert pair["mean_difference"] == pytest.approx((wordy - plain).mean(), abs=0.35)
    assert pair["n"] == found["n"] == of_judge(judged[list(WORDS).index(system)]["judges"], "plain")["statuses"]["ok"]


@pytest.mark.parametrize("judge", list(NOISE))
def test_noise_is_what_judging_twice_says(judged, expected, judge):
    retest = of_judge(judged[1]["judges"], judge)["retest"]
    first, second = expected["tuned"][judge]
    assert retest["mean_abs_difference"] == pytest.approx(np.abs(first - second).mean(), abs=0.3)
    assert retest["kappa"] == pytest.approx(kappa_by_definition(first, second), abs=0.2)
    assert 70 <= retest["n"] <= 80


def test_controls_pass_and_what_was_not_scored_is_counted(judged):
    for scores in judged[:2]:
        for judge in scores["judges"]:
            n_of_each = {name: (found["mean"], found["ok"]) for name, found in judge["controls"].items()}
            assert n_of_each == {"reference": (9, True), "shuffled": (1, True), "empty": (0, True)}
            assert judge["injected"]["n"] >= 8
        plain, wordy = (of_judge(scores["judges"], judge)["statuses"] for judge in NOISE)
        assert wordy == {"ok": 160}
        assert sum(plain.values()) == 160
        assert 1 <= plain["unparsable"] <= 18
        rows = {
            row["judge"]: row for row in scores["scores"] if row["metric"] == "judge_score" and row["task"] == "all"
        }
        assert (rows["plain"]["n"], rows["plain"]["n_unscored"]) == (plain["ok"], plain["unparsable"])
        assert rows["mean"]["n"] == plain["ok"]
        assert rows["wordy"]["n"] == 160
