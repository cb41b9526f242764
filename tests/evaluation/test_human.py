import base64
import io
import itertools
import json
import random
import re
import time
from collections import Counter

import pytest
from PIL import Image

import ldrt
from evaluation import human
from evaluation.people import ratings
from evaluation.people.criteria import read_criteria
from evaluation.people.key import make_key
from evaluation.people.page import Figures, page_data
from evaluation.people.report import delta_rows, inter_rater, intra_rater, judge_agreement
from evaluation.people.sample import AnsweredRun, Showing, draw
from evaluation.scoring.measures import interval_settings
from tests.chromium import CHROMIUM, Browser
from tests.evaluation.runs import judge_run, make_run, read_records, write_records

HOSTILE = "</script><script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\"> <!--"
SECRET = ("org/before-tuning", "org/after-tuning", "first-run", "second-run", "sha256:", "A1/F")
ITEMS, REPEATS = 40, 8
LARGE, UNREADABLE = range(0, 48, 5), range(1, 48, 6)  # numbers of examples, by their pictures


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Dataset folder with the questions of `make_run`; some pictures are large, some cannot be read."""
    from datasets import Dataset

    from dataset_builder import schema

    records = read_records(make_run(tmp_path_factory.mktemp("run"), "any", 1.0))
    folder = tmp_path_factory.mktemp("data") / "figures"
    rows = {
        "pairs": ([_pair(record) for record in records], schema.PAIRS),
        "detail": ([_example(record) for record in records if record["task"] == "detail"], schema.EXAMPLES),
        "reasoning": ([_example(record) for record in records if record["task"] == "reasoning"], schema.EXAMPLES),
    }
    configs = []
    for name, (found, features) in rows.items():
        (folder / name).mkdir(parents=True)
        Dataset.from_list(found, features=features).to_parquet(folder / name / "test-00000-of-00001.parquet")
        configs.append({"config_name": name, "data_files": [{"split": "test", "path": f"{name}/test-*.parquet"}]})
    (folder / "README.md").write_text(f"---\n{json.dumps({'configs': configs})}\n---\n")
    return folder


def _picture(record):
    number, buffer = int(record["example_id"][1:]), io.BytesIO()
    size = (2600, 1300) if number in LARGE else (320 + 4 * number, 240)
    Image.new("RGB", size, (9 * number % 256, 90, 160)).save(buffer, "PNG")
    return {"bytes": buffer.getvalue() if number not in UNREADABLE else b"no picture", "path": None}


def _pair(record):
    from dataset_builder import schema

    known = {"image": _picture(record), "caption": f"Caption. {HOSTILE}", "context": ["The dose is 5 Gy.", HOSTILE]}
    known |= {name: record[name] for name in ("figure_id", "article_id", "license")} | {"doi": "10.5555/x"}
    return {column: known.get(column) for column in schema.PAIRS} | {"panels": []}


def _example(record):
    from dataset_builder import schema

    known = {name: record[name] for name in ("task", "example_id", "figure_id", "article_id", "license")}
    known |= {"images": [_picture(record)], "prompt": [{"role": "user", "content": record["question"]}]}
    known |= {"completion": [{"role": "assistant", "content": record["reference"]}], "evidence": []}
    return {column: known.get(column) for column in schema.EXAMPLES}


@pytest.fixture(scope="module")
def runs(dataset, tmp_path_factory):
    from evaluation.answering.questions import load_items

    revision = load_items(str(dataset), "test", ["detail", "reasoning"]).revision
    folder = tmp_path_factory.mktemp("runs")
    made = [
        make_run(folder / name, model, quality, ("true", "blank"), dataset_revision=revision)
        for name, model, quality in (("first-run", SECRET[0], 0.3), ("second-run", SECRET[1], 0.9))
    ]
    for run in made:
        records = read_records(run)
        for i in range(2, len(records), 7):
            records[i]["prediction"] = HOSTILE
            records[i - 1]["prediction"] = ""
        write_records(run, records)
    return made


def export(runs, dataset, output, **changes):
    options = {"items": ITEMS, "repeats": REPEATS} | changes
    human.run(human.Options("export", [str(run) for run in runs], str(output), str(dataset), **options))
    return json.loads((output / "key.json").read_text()), (output / "rate.html").read_text()


@pytest.fixture(scope="module")
def packet(runs, dataset, tmp_path_factory):
    """(folder, key.json, rate.html) of an export."""
    folder = tmp_path_factory.mktemp("rating")
    return folder, *export(runs, dataset, folder)


def page_items(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])["items"]


# ---- export


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


# ---- import


def rate(key, rater, score, items=None):
    """Lines of a ratings file: `score(entry of the key)`, None for "cannot judge"."""
    lines = []
    for entry in key["items"] if items is None else items:
        given = score(entry)
        status = "cannot_judge" if given is None else "ok"
        about = {"packet": key["packet"], "item": entry["item"], "rater": rater, "score": given, "status": status}
        lines.append(json.dumps(about) + "\n")
    return lines


@pytest.fixture
def rating(packet, tmp_path):
    """A folder with the key of `packet`, beside it: the key names the runs by relative paths."""
    assert packet[0].parent == tmp_path.parent
    (tmp_path / "key.json").write_text(json.dumps(packet[1]))
    return tmp_path


def import_files(folder, *files):
    paths = []
    for number, lines in enumerate(files):
        paths.append(folder / f"ratings-{number}.jsonl")
        paths[-1].write_text("".join(lines))
    said = human.run(human.Options("import", [str(path) for path in paths], str(folder), n_resamples=500))
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
    delta = delta_rows(rows, key, ["human", "mild"], interval_settings(1000, seed=0))[0]
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
        score.run(score.Options(str(run), n_resamples=100))
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
        score.run(score.Options(str(runs[1]), n_resamples=100))
        _, report = import_files(rating, rate(judged, "A", lambda entry: 5))
        refused = sum(item["example_id"] == "E5" for item in shown)
        assert report["judge_agreement"][0]["n"] == n_of_first + len(shown) - refused - 1
    finally:
        write_records(runs[1], records)


# ---- in a browser

needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
PRESSED = (
    "[...document.querySelectorAll('#scores [aria-pressed=true], #cannot[aria-pressed=true]')].map(b => b.innerText)"
)
READY = "document.getElementById('picture').complete && document.querySelector('#scores button') !== null"


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture
def opened(browser, packet, tmp_path):
    """The page, without what an earlier test has left in the browser."""
    path = packet[0] / "rate.html"
    browser.open(path)
    browser.run("localStorage.clear()")
    browser.open(path)
    browser.wait_for(READY)
    browser.download_to(tmp_path)
    return browser


def text_of(browser, name):
    return browser.run(f"document.getElementById('{name}').innerText")


def type_name(browser, name):
    browser.run("document.getElementById('rater').focus()")
    for letter in name:
        browser.press(letter)


def downloaded(browser, folder, name):
    browser.click("#download")
    deadline = time.monotonic() + 20
    while not (folder / name).exists():
        assert time.monotonic() < deadline, (text_of(browser, "said"), list(folder.iterdir()))
        time.sleep(0.02)
    return read_records(folder, name)


@needs_chromium
def test_the_page_asks_nothing_of_the_network_and_strangers_words_stay_words(opened, packet):
    shown = page_items(packet[2])
    hostile = next(i for i, item in enumerate(shown) if item["answer"] == HOSTILE)
    for _ in range(hostile):
        opened.press("ArrowRight")
    assert opened.run("document.getElementById('answer').textContent") == HOSTILE
    assert HOSTILE in opened.run("document.getElementById('help').textContent")
    assert opened.run("document.querySelectorAll('main img, main script').length") == 1  # the picture
    assert opened.run("document.title") == "Rate answers about figures"
    opened.wait_for("document.getElementById('picture').complete")
    page_url = (packet[0] / "rate.html").as_uri()
    assert {url for url in opened.requests if not url.startswith("data:image/jpeg")} == {page_url}
    assert opened.problems == []
    opened.run("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))")
    assert opened.run("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"


@needs_chromium
def test_every_item_is_shown_as_it_is(opened, packet):
    for i, item in enumerate(page_items(packet[2])):
        assert text_of(opened, "place") == f"Answer {i + 1} of {ITEMS + REPEATS}"
        assert opened.run("document.getElementById('answer').textContent") == (item["answer"] or "(an empty answer)")
        assert text_of(opened, "question") == item["question"]
        assert text_of(opened, "reference") == item["reference"]
        opened.wait_for("document.getElementById('picture').complete")
        width = opened.run("document.getElementById('picture').hidden ? null : picture.naturalWidth")
        assert (width is None) == (item["picture"] is None)
        assert width is None or width >= 320
        opened.press("Enter")
    assert text_of(opened, "place").startswith(f"Answer {ITEMS + REPEATS} of")  # the end is the end


@needs_chromium
def test_keys(opened):
    for key, shown in (("7", ["7"]), ("0", ["0"]), ("x", ["10"]), ("c", ["Cannot judge"]), ("1", ["1"]), ("0", ["10"])):
        opened.press(key)
        assert opened.run(PRESSED) == shown
    opened.press("ArrowRight")
    assert opened.run(PRESSED) == []
    opened.press("0")
    assert opened.run(PRESSED) == ["0"]  # not the 10 of the item before
    opened.press("ArrowLeft")
    assert opened.run(PRESSED) == ["10"]
    assert text_of(opened, "count") == "2 rated"
    opened.press("n")
    assert text_of(opened, "place").startswith("Answer 3 of")
    assert "conclusion" in opened.run("document.getElementById('criteria').textContent")  # that task's criteria
    opened.press("g")
    assert opened.run("document.getElementById('guide').open")
    opened.press("h")
    assert not opened.run("document.getElementById('help').open")
    opened.press("z")
    assert opened.run("document.getElementById('main').className") == "large"
    type_name(opened, "x7c")
    assert opened.run(PRESSED) == []
    assert opened.run("document.getElementById('rater').value") == "x7c"


@needs_chromium
def test_the_mouse(opened):
    opened.click("#scores button:nth-child(11)")
    assert opened.run(PRESSED) == ["10"]
    opened.click("#scores button:nth-child(4)")
    assert opened.run(PRESSED) == ["3"]
    opened.press("Enter")  # a click leaves no focus behind that would take the key
    assert text_of(opened, "place").startswith("Answer 2 of")
    opened.click("#cannot")
    opened.click("#next")
    opened.click("#back")
    assert text_of(opened, "place").startswith("Answer 2 of")
    assert opened.run(PRESSED) == ["Cannot judge"]


@needs_chromium
def test_a_reload_loses_nothing_and_a_file_takes_ratings_to_another_browser(opened, packet, tmp_path):
    for key in ("4", "Enter", "c", "Enter", "9"):
        opened.press(key)
    opened.click("#download")
    assert text_of(opened, "said") == "Please give your name or initials first."
    type_name(opened, "Éva <B>")
    opened.open(packet[0] / "rate.html")
    opened.wait_for(READY)
    assert text_of(opened, "place").startswith("Answer 3 of")
    assert text_of(opened, "count") == "3 rated"
    assert opened.run(PRESSED) == ["9"]
    assert opened.run("document.getElementById('rater').value") == "Éva <B>"
    lines = downloaded(opened, tmp_path, "ratings-Éva-B-.jsonl")
    assert [(line["item"], line["score"], line["status"]) for line in lines] == [
        *((1, 4, "ok"), (2, None, "cannot_judge"), (3, 9, "ok"))
    ]

    opened.run("localStorage.clear()")
    opened.open(packet[0] / "rate.html")
    assert text_of(opened, "count") == "0 rated"
    strange = [{**lines[0], "packet": "another"}, {**lines[0], "item": 999}, {**lines[0], "score": 11}]
    file = tmp_path / "continue.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in [*strange, *lines]) + "no JSON\n")
    opened.choose_file("#file", file)
    opened.wait_for("document.getElementById('said').textContent !== ''")
    assert text_of(opened, "said") == "3 ratings read from continue.jsonl."
    assert text_of(opened, "count") == "3 rated"
    assert opened.run(PRESSED) == ["4"]
    assert opened.run("document.getElementById('rater').value") == "Éva <B>"


@needs_chromium
def test_what_the_page_writes_is_imported(opened, packet, rating, capsys):
    """From the command line, over the page, to the report."""
    key = packet[1]
    scores = {"first-run": 3, "second-run": 8}
    for entry in key["items"]:
        score = scores[entry["run"]] + (entry["repeat_of"] is not None)
        opened.press("c" if entry["item"] == 5 else str(score))
        opened.press("Enter")
    assert text_of(opened, "said").startswith("All answers are rated.")
    type_name(opened, "Ida")
    assert len(downloaded(opened, rating, "ratings-Ida.jsonl")) == len(key["items"])
    assert ldrt.main(["human", "import", str(rating / "ratings-Ida.jsonl"), "--output", str(rating)]) == 0
    report = json.loads((rating / "human.json").read_text())
    assert {row["run"]: row["value"] for row in report["systems"] if row["task"] == "all"} == pytest.approx(scores)
    assert report["n_cannot_judge"] == 1
    assert report["intra_rater"][0]["mean_abs_difference"] == 1
    assert report["deltas"][0]["delta"] == pytest.approx(5)
    assert "second-run − first-run, human: +5.000" in capsys.readouterr().out


@needs_chromium
@pytest.mark.parametrize(("width", "height", "phone"), [(1280, 720, False), (390, 844, True), (320, 568, True)])
def test_everything_needed_is_on_the_screen(opened, width, height, phone):
    while opened.run("document.getElementById('picture').hidden || document.getElementById('guide').open"):
        opened.press("ArrowRight")
    opened.resize(width, height, phone=phone)
    assert opened.run("document.documentElement.scrollWidth <= innerWidth")
    boxes = opened.run(
        """[...document.querySelectorAll('#scores button, #cannot, #next, #back')].map(button => {
          const box = button.getBoundingClientRect();
          return [box.top, box.bottom, box.left, box.right, box.width];
        })"""
    )
    assert len(boxes) == 14
    assert all(top >= 0 and bottom <= height for top, bottom, *_ in boxes)
    assert all(left >= 0 and right <= width and size >= 22 for *_, left, right, size in boxes)
    top, left = opened.run("(box => [box.top, box.left])(document.getElementById('picture').getBoundingClientRect())")
    assert 0 <= top < height / 2
    assert left >= 0
    opened.send("Emulation.clearDeviceMetricsOverride")
