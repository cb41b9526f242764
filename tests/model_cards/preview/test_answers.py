"""The page of answers: who said what, in which order, what licences leave out, what a browser makes of it."""

import base64
import io
import json
import shutil

import pytest
from PIL import Image

from evaluation import compare, score
from model_cards.cards.evaluated_run import read_run
from model_cards.cards.examples import write_examples
from model_cards.preview import answers
from model_cards.preview.answers import render_answers, write_answers
from model_cards.staging.results import result_files
from tests.chromium import CHROMIUM
from tests.evaluation.runs import judge_run, make_run, read_records, write_evidence, write_records
from tests.model_cards.preview.conftest import LOADED
from tests.model_cards.preview.test_page import HOSTILE, page_data
from tests.trust.attacks import ATTACKS

needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
JUDGE, OTHER = "org/judge", "org/strict"


def jpeg(number: int, side_px: int = 300) -> str:
    file = io.BytesIO()
    Image.new("RGB", (side_px, 200), (number * 5 % 256, 120, 90)).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


def write_thumbnails(folder, rows):
    (folder / "thumbnails.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def thumbnails(n: int = 48) -> list[dict]:
    """A picture for two questions each."""
    return [{"example_ids": [f"E{i}", f"E{i + 1}"], "jpeg": jpeg(i), "problem": None} for i in range(0, n, 2)]


def fail(folder, example_id: str):
    said = {"prediction": None, "finish_reason": "error", "error": "500: the server is down"}
    records = read_records(folder)
    write_records(folder, [row | said if row["example_id"] == example_id else row for row in records])


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Base and tuned run with two judges, one of whom refuses E3; E5 failed for the base model."""
    folder = tmp_path_factory.mktemp("answers")
    for name, quality, conditions in (("base", 0.2, ("true",)), ("tuned", 0.7, ("true", "shuffled"))):
        run = make_run(folder / name, name, quality, conditions)
        judge_run(run, JUDGE)
        judge_run(run, OTHER, refused=("E3",))
        if name == "base":
            fail(run, "E5")
        write_evidence(run)
        write_thumbnails(run, thumbnails())
        score.run(score.Options(str(run)))
    compare.run(compare.Options([str(folder / "base"), str(folder / "tuned")]))
    return folder


@pytest.fixture
def tuned(compared, tmp_path):
    return shutil.copytree(compared / "tuned", tmp_path / "tuned")


def rows_of(folder, policy="commercial", **how) -> dict:
    """example_id -> row, of the true pictures."""
    data = page_data(render_answers(read_run(folder), policy, **how))
    return {row["example_id"]: row for row in data["rows"] if row["condition"] == "true"}


def test_both_answers_with_the_judges_words_and_the_metrics(tuned):
    row = rows_of(tuned)["E1"]
    base, own = row["answers"]
    assert (base["who"], own["who"]) == ("base", "tuned")
    assert base["text"] != own["text"]
    assert own["text"] == next(r["prediction"] for r in read_records(tuned) if r["example_id"] == "E1")
    for answer in (base, own):
        assert [said["judge"] for said in answer["said"]] == [JUDGE, OTHER]
        assert all(said["reply"] == f"SCORE: {said['score']}" for said in answer["said"])
        assert {"rougeL", "words"} <= answer["metrics"].keys()
        assert answer["quality"]["judge:mean"] == sum(said["score"] for said in answer["said"]) / 2


def test_what_failed_or_was_not_scored_says_so(tuned):
    rows = rows_of(tuned)
    assert (rows["E5"]["verdict"], rows["E5"]["state"]) == ("failed", "failed: base")
    assert rows["E5"]["answers"][0]["error"] == "500: the server is down"
    assert rows["E3"]["verdict"] == "not scored"
    assert [said["status"] for said in rows["E3"]["answers"][1]["said"]] == ["ok", "refused"]
    assert rows["E0"]["state"] == "cut at the token limit"
    assert rows["E1"]["state"] == "complete"


def test_the_largest_changes_come_first_and_only_pairs_have_one(tuned):
    data = page_data(render_answers(read_run(tuned), "commercial"))
    pairs = [row for row in data["rows"] if row["verdict"] in ("gain", "loss", "same")]
    changes = [abs(b["quality"]["judge:mean"] - a["quality"]["judge:mean"]) for a, b in (r["answers"] for r in pairs)]
    assert changes == sorted(changes, reverse=True)
    assert data["rows"][: len(pairs)] == pairs
    assert data["measures"][:2] == ["judge:mean", f"judge:{JUDGE}"]
    alone = [row for row in data["rows"] if row["condition"] == "shuffled"]
    assert {row["verdict"] for row in alone} == {"tuned alone"}
    assert [answer["who"] for answer in alone[0]["answers"]] == ["tuned"]


def test_a_run_alone(compared):
    rows = rows_of(compared / "base")
    assert {row["verdict"] for row in rows.values()} == {"scored", "not scored", "failed"}
    assert [answer["who"] for answer in rows["E1"]["answers"]] == ["answer"]


def test_without_judges_rouge_decides_and_the_page_says_so(tmp_path):
    run = make_run(tmp_path / "run", "alone", 0.5)
    score.run(score.Options(str(run)))
    page = render_answers(read_run(run), "all")
    assert "No judge was asked about these answers" in page
    assert page_data(page)["measures"] == ["rougeL"]
    assert all(row["answers"][0]["said"] == [] for row in page_data(page)["rows"])


# ---- licences


@pytest.mark.parametrize(
    ("license", "rights", "shown_under"),
    [
        ("CC-BY-4.0", None, ("commercial", "noncommercial", "all")),
        ("CC0-1.0", None, ("commercial", "noncommercial", "all")),
        ("CC-BY-NC-4.0", None, ("noncommercial", "all")),
        ("CC-BY-NC-ND-4.0", None, ("all",)),
        (None, None, ("all",)),
        (None, "reprinted with permission of A House", ()),
    ],
)
def test_licences_decide_which_pictures_are_shown(tuned, license, rights, shown_under):
    evidence = read_records(tuned, "evidence.jsonl")
    of_figure = {"license": license, "licenses": [license], "rights": rights}
    (tuned / "evidence.jsonl").write_text("".join(json.dumps(row | of_figure) + "\n" for row in evidence))
    for policy in ("commercial", "noncommercial", "all"):
        row = rows_of(tuned, policy)["E1"]
        assert (row["picture"] is not None) == (policy in shown_under), policy
        assert (license or "not stated") in row["license"].split(", ")
        assert ("rights of others" in row["license"]) == (rights is not None)
        assert row["is_own"] == ("all" in shown_under)
        assert row["question"] == "What does figure 1 show?"
        published = rows_of(tuned, policy, is_published=True)["E1"]
        quoted = [published["question"], published["reference"], published["caption"]]
        quoted += [said["reply"] for answer in published["answers"] for said in answer["said"]]
        assert (None not in quoted) == (policy in shown_under), policy
        assert published["answers"][1]["text"]
        assert "reprinted" not in str(published)
    assert bool(write_examples(tuned)) == ("commercial" in shown_under)


def test_a_figure_that_the_evidence_does_not_know_is_not_shown(tuned):
    (tuned / "evidence.jsonl").unlink()
    assert {row["picture"] for row in rows_of(tuned).values()} == {None}
    assert write_examples(tuned) == []


def test_a_picture_is_held_once_and_a_bad_one_is_said(tuned):
    rows = rows_of(tuned)
    assert rows["E1"]["picture"] == rows_of(tuned)["E1"]["picture"] is not None
    assert rows["E4"]["picture"] == rows["E5"]["picture"] is not None
    bad = ["no base64 <", base64.b64encode(b"no picture").decode(), None]
    given = [{"example_ids": [f"E{i}"], "jpeg": text, "problem": "too dark"} for i, text in enumerate(bad, 4)]
    given.append({"example_ids": ["E8"], "jpeg": jpeg(1, side_px=5000), "problem": None})
    write_thumbnails(tuned, given)
    rows = rows_of(tuned, "all")
    assert "damaged" in rows["E4"]["picture_problem"]
    assert rows["E5"]["picture_problem"]
    assert rows["E6"]["picture_problem"] == "too dark"
    assert "ldrt generate" in rows["E7"]["picture_problem"]
    page = render_answers(read_run(tuned), "all")
    assert len(page) < 400_000  # the large one was shrunk
    assert "no base64 <" not in page


def test_the_page_stays_bounded(tuned, monkeypatch):
    monkeypatch.setattr(answers, "MAX_ROWS", 10)
    monkeypatch.setattr(answers, "MAX_PICTURE_BYTES", 3000)
    monkeypatch.setattr(answers, "MAX_REPLY_CHARS", 20)
    data = page_data(render_answers(read_run(tuned), "all"))
    assert len(data["rows"]) == 10
    assert sum(data["totals"].values()) == 96
    assert {"failed", "gain"} <= {row["verdict"] for row in data["rows"]}
    assert any("no more pictures" in (row["picture_problem"] or "") for row in data["rows"])
    assert all(len(answer["text"] or "") < 60 for row in data["rows"] for answer in row["answers"])


def test_the_same_files_give_the_same_page(tuned):
    assert render_answers(read_run(tuned), "all") == render_answers(read_run(tuned), "all")


# ---- in a browser


@pytest.fixture(scope="module")
def page(compared, tmp_path_factory):
    """The page of the comparison in which strangers' words are attacks."""
    folder = shutil.copytree(compared / "tuned", tmp_path_factory.mktemp("page") / "tuned")
    words = [HOSTILE, *ATTACKS.values()]
    records = read_records(folder)
    for number, record in enumerate(records):
        attack = words[number % len(words)].encode(errors="replace").decode()
        record |= {"question": f"{number} {attack}", "reference": attack, "prediction": attack or "x"}
    write_records(folder, records)
    paired = read_records(folder, "paired_items.jsonl")
    for row in paired:
        row["tuned_said"] = [said | {"judge": HOSTILE, "reply": HOSTILE} for said in row["tuned_said"]]
    (folder / "paired_items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in paired))
    return write_answers(read_run(folder), "all")


SHOWN = "[...document.querySelectorAll('article:not([hidden])')]"


@needs_chromium
def test_strangers_words_stay_words_and_nothing_is_fetched(opened, page):
    assert [url for url in opened.requests if not url.startswith("data:image/jpeg")] == [page.as_uri()]
    assert opened.problems == []
    assert opened.run("document.title") == "Answers, side by side"
    assert opened.run("document.querySelectorAll('article script, article iframe, article [onerror]').length") == 0


@needs_chromium
def test_filters_order_and_models(opened):
    opened.run("reset()")
    assert opened.run(f"{SHOWN}.length") == 96
    opened.run("choose({ state: 'failed: base' })")
    assert opened.run(f"{SHOWN}.length") == 1
    opened.run("choose({ state: '', task: 'detail', condition: 'its own' })")
    assert opened.run(f"{SHOWN}.length") == 24
    by = f"{SHOWN}.map(card => change(rows[card.dataset.row], 'rougeL'))"
    for order, ordered in (("gain", "a >= b"), ("loss", "a <= b"), ("change", "Math.abs(a) >= Math.abs(b)")):
        opened.run(f"byId('measure').value = 'rougeL'; byId('order').value = '{order}'; sort()")
        known = f"{by}.filter(value => value !== null)"
        assert opened.run(f"{known}.slice(1).every((b, i) => {{ const a = {known}[i]; return {ordered} }})"), order
        assert opened.run(f"{known}.length") > 20
    opened.run("byId('models').value = 'tuned'; byId('models').dispatchEvent(new Event('change'))")
    assert opened.run("[...document.querySelectorAll('.by-base')].every(box => box.offsetParent === null)")
    assert opened.run("[...document.querySelectorAll('.by-tuned')].some(box => box.offsetParent !== null)")
    opened.run("byId('models').value = ''; byId('models').dispatchEvent(new Event('change')); reset()")


@needs_chromium
@pytest.mark.parametrize("width", [1280, 420])
def test_nothing_sticks_out_sideways(browser, page, width):
    browser.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    browser.open(page)
    browser.wait_for(LOADED)
    assert browser.run("document.documentElement.scrollWidth") <= width
    browser.send("Emulation.clearDeviceMetricsOverride")


def test_what_is_published_is_written_anew_by_its_own_policy(tuned, tmp_path):
    write_answers(read_run(tuned), "all")
    write_examples(tuned)
    assert "What does figure 3 show?" in (tuned / "answers.html").read_text()  # of a row without a licence
    (tmp_path / "staged").mkdir()
    files, _ = result_files(tuned, "commercial", tmp_path / "staged")
    sent = files["answers.html"].read_text()
    assert "What does figure 1 show?" in sent
    assert "What does figure 3 show?" not in sent
    assert sorted(name for name in files if name.startswith("examples/")) == [f"examples/{i}.jpg" for i in (1, 2, 3)]
    (tuned / "answers.html").unlink()
    assert "answers.html" not in result_files(tuned, "commercial", tmp_path / "staged")[0]
