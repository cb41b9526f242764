"""The page of the examples: what stands on it, what is marked, and what a browser makes of it."""

import json
import shutil
from collections import Counter
from pathlib import Path

import datasets
import pytest

import ldrt
from dataset_builder.schema import features
from model_cards.preview.examples import render_examples, write_examples_preview
from model_cards.preview.page import render_preview
from tests.chromium import CHROMIUM
from tests.model_cards.conftest import _example, _pair
from tests.model_cards.preview.conftest import LOADED
from tests.model_cards.preview.test_page import HOSTILE, SHOWN, page_data
from tests.trust.attacks import ATTACKS

SPLITS = ("train", "train", "validation", "test")
REASONS = (
    {"reason": "new_numbers", "value": "7.5 mm", "threshold": 0},
    {"reason": "min_support", "value": 0.33333, "threshold": 0.7, "support": 0.33333},
    {"reason": "near_duplicate", "value": "PMC0/fig1/detail", "threshold": 1},
)
CAPTION = "Edema of the left paw.\n The control had 3.1 mm."


def caption(number: int) -> dict:
    return {"figure_id": f"PMC{number}/fig1", "sentences": [f"Edema {number}.", "It rises."]}


def pair(number: int) -> dict:
    context = [f"Sentence {i} of {number}." for i in range(6 if number == 1 else 2)]
    return _pair(number) | {"caption": f"Edema {number}. It rises.", "context": context}


def example(number: int, task: str) -> dict:
    """The examples of detail name the caption's second sentence and the context's last."""
    evidence = [{"source": "caption", "sentence": 1}, {"source": "context", "sentence": 5 if number == 1 else 1}]
    row = _example(number, task) | {"evidence": evidence, "context_of": f"PMC{number}/fig1"}
    if task == "align":
        row["prompt"] = [{"role": "user", "content": ""}]
    return row | {"support": (1.0, 0.8, None)[number % 3], "teacher": ("extractive", "Qwen/Q")[number % 2]}


def rejected(number: int) -> dict:
    row = example(number, "reasoning") | {"split": SPLITS[number % 4]} | REASONS[number % 3]
    row |= {"question": f"Why {number}?", "answer": HOSTILE if number == 0 else f"It is {number}."}
    return {name: value for name, value in row.items() if name not in ("images", "prompt", "completion")}


def write(folder: Path, config: str, rows: list[tuple[str, dict]]) -> None:
    (folder / config).mkdir(parents=True)
    for split in sorted({split for split, _ in rows}):
        table = datasets.Dataset.from_list([row for its, row in rows if its == split], features=features(config))
        table.to_parquet(folder / config / f"{split}-00000-of-00001.parquet")


def write_lines(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def make_dataset(folder: Path, n: int) -> Path:
    """A folder with `n` figures, each with an example of detail and one of align, every third a rejected one."""
    split = {number: SPLITS[number % 4] for number in range(n)}
    write(folder, "pairs", [(split[i], pair(i)) for i in range(n)])
    for task in ("detail", "align"):
        write(folder, task, [(split[i], example(i, task)) for i in range(n)])
    write_lines(folder / "provenance" / "rejected_examples.jsonl", [rejected(i // 3) for i in range(0, n, 3)])
    write_lines(folder / ".work" / "caption_sentences.jsonl", [caption(i) for i in range(n)])
    return folder


def one(folder: Path, told: dict, sentences: list[str] | None = None, **columns) -> dict:
    """What is shown of one rejected example of a figure with the caption `CAPTION`, or with other `columns`."""
    write(folder, "pairs", [("train", _pair(0) | {"caption": CAPTION, "context": ["One.", "Two."]} | columns)])
    write_lines(folder / "provenance" / "rejected_examples.jsonl", [rejected(0) | told])
    if sentences is not None:
        write_lines(folder / ".work" / "caption_sentences.jsonl", [{"figure_id": "PMC0/fig1", "sentences": sentences}])
    return page_data(render_examples(folder))["rows"][0]


OWN = ["Edema of the left paw.", "The control had 3.1 mm."]
FLAT = "Edema of the left paw. The control had 3.1 mm."


@pytest.mark.parametrize(
    ("named", "sentences", "marked", "unmarked"),
    [
        ([], OWN, [FLAT], None),
        ([0], OWN, ["", OWN[0], f" {OWN[1]}"], None),
        ([1], OWN, [f"{OWN[0]} ", OWN[1], ""], None),
        ([1, 0], OWN, ["", OWN[0], " ", OWN[1], ""], None),
        ([1, 1], OWN, [f"{OWN[0]} ", OWN[1], ""], None),
        ([1, 7], OWN, [f"{OWN[0]} ", OWN[1], ""], ["caption 7"]),
        ([1], None, [FLAT], ["caption 1"]),  # a dataset from the Hub
        ([0], ["Edema of the right paw.", OWN[1]], [FLAT], ["caption 0"]),  # the sentences of another caption
    ],
)
def test_the_captions_sentences_that_are_named_are_marked(tmp_path, named, sentences, marked, unmarked):
    evidence = [{"source": "caption", "sentence": number} for number in named]
    row = one(tmp_path, {"evidence": evidence}, sentences)
    assert row["caption"] == marked
    assert row.get("unmarked") == unmarked


@pytest.mark.parametrize(
    ("told", "context", "unmarked"),
    [
        ({"evidence": [{"source": "context", "sentence": 1}]}, [["One."], ["", "Two.", ""]], None),
        ({"evidence": [{"source": "context", "sentence": 99}]}, [["One."], ["Two."]], ["context 99"]),
        ({"evidence": [{"source": "title", "sentence": None}, {}]}, [["One."], ["Two."]], ["title None", "None None"]),
        ({"evidence": None}, [["One."], ["Two."]], None),
        ({"evidence": [{"source": "context", "sentence": 0}], "context_of": None}, [], ["context 0"]),
        ({"evidence": [], "context_of": "elsewhere"}, [], None),
    ],
)
def test_the_sentences_of_the_context_that_are_named_are_marked(tmp_path, told, context, unmarked):
    row = one(tmp_path, told, OWN)
    assert row["context"] == context
    assert row.get("unmarked") == unmarked


def test_another_figures_context_is_shown_where_the_teacher_was_given_that(tmp_path):
    make_dataset(tmp_path, 6)
    told = rejected(0) | {"context_of": "PMC4/fig1", "evidence": [{"source": "context", "sentence": 0}]}
    write_lines(tmp_path / "provenance" / "rejected_examples.jsonl", [told])
    row = next(row for row in page_data(render_examples(tmp_path))["rows"] if "reason" in row)
    assert row["context"] == [["", "Sentence 0 of 4.", ""], ["Sentence 1 of 4."]]
    assert row["context_of"] == "PMC4/fig1"
    assert row["title"] == "Article 0"


def test_rejected_examples_of_before_and_of_no_known_figure(tmp_path):
    make_dataset(tmp_path, 3)
    before = {name: value for name, value in rejected(1).items() if name not in ("context_of", "support")}
    write_lines(tmp_path / "provenance" / "rejected_examples.jsonl", [before, {"example_id": "x", "reason": "blank"}])
    rows = page_data(render_examples(tmp_path))["rows"]
    old = next(row for row in rows if row.get("reason") == "min_support")
    assert old["context"][5] == ["", "Sentence 5 of 1.", ""]
    assert "support" not in old
    assert rows[-1] == {"example_id": "x", "reason": "blank", "verdict": "blank", "caption": [""], "context": []}


def test_every_example_its_verdict_and_its_picture(tmp_path):
    page = write_examples_preview(make_dataset(tmp_path, 12)).read_text()
    data = page_data(page)
    assert data["totals"] == {"kept": 24, "min_support": 1, "near_duplicate": 1, "new_numbers": 2}
    assert len(data["rows"]) == 28
    assert page.count('type="image/jpeg;base64"') == 12  # one a figure, not one an example
    first = [row for row in data["rows"] if row["figure_id"] == "PMC0/fig1"]
    assert data["rows"][:3] == first
    assert [row["verdict"] for row in first] == ["kept", "kept", "new_numbers"]
    assert first[0]["caption"] == ["Edema 0. ", "It rises.", ""]
    assert first[0]["question"] == "What is shown in 0?"
    assert "caption" not in next(row for row in data["rows"] if row["task"] == "align")
    assert first[2]["answer"] == HOSTILE


def test_a_sample_shows_every_verdict_and_task_and_figures_whole(tmp_path):
    data = page_data(render_examples(make_dataset(tmp_path, 60), max_rows=25))
    assert len(data["rows"]) == 25
    assert sum(data["totals"].values()) == 140
    shown = Counter((row["verdict"], row["task"]) for row in data["rows"])
    assert len(shown) == 5
    assert set(shown.values()) == {5}
    detail, align = ({row["figure_id"] for row in data["rows"] if row["task"] == name} for name in ("detail", "align"))
    assert detail == align


def test_the_same_files_give_the_same_page(tmp_path):
    assert render_examples(make_dataset(tmp_path, 12), 9) == render_examples(tmp_path, 9)


def test_the_pages_name_each_other_where_both_are_there(tmp_path):
    make_dataset(tmp_path, 3)
    assert "examples.html" not in render_preview(tmp_path)
    assert 'href="preview.html"' in write_examples_preview(tmp_path).read_text()
    assert 'href="examples.html"' in render_preview(tmp_path)


def test_a_folder_without_examples(tmp_path):
    write(tmp_path, "pairs", [("train", pair(0))])
    with pytest.raises(FileNotFoundError, match="no example to show: run `ldrt instruct` first"):
        write_examples_preview(tmp_path)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=str)
def test_nobody_but_us_writes_the_page(tmp_path, attack):
    texts = ("question", "answer", "teacher", "task", "reason", "value", "example_id", "context_of", "rights", "split")
    write_lines(
        tmp_path / "provenance" / "rejected_examples.jsonl", [{"figure_id": attack} | dict.fromkeys(texts, attack)]
    )
    page = write_examples_preview(tmp_path).read_text(encoding="utf-8")
    row = page_data(page)["rows"][0]
    assert all(row.get(name) == attack for name in ("question", "answer", "teacher"))
    assert page.count("<script") == 2
    assert "<img" not in page
    assert "<!--" not in page


def test_the_command_makes_it_of_the_built_sample_corpus(sample_dataset):
    assert ldrt.main(["instruct", str(sample_dataset)]) == 0
    data = page_data((sample_dataset / "examples.html").read_text())
    assert 'href="examples.html"' in (sample_dataset / "preview.html").read_text()
    asked = [row for row in data["rows"] if row["task"] != "align"]
    assert len(asked) > 50
    assert all("picture" in row for row in data["rows"])
    assert not any("unmarked" in row for row in asked)
    assert all(len(row["caption"]) > 1 or any(len(pieces) > 1 for pieces in row["context"]) for row in asked)


def test_a_dry_run_before_there_are_examples_makes_none(sample_dataset, capsys):
    for config in ("align", "detail", "reasoning"):
        shutil.rmtree(sample_dataset / config)
    assert ldrt.main(["instruct", str(sample_dataset), "--dry_run", "true"]) == 0
    assert "calls with" in capsys.readouterr().out
    assert not (sample_dataset / "examples.html").exists()


# ---- in a browser

needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
N = 60


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_examples_preview(make_dataset(tmp_path_factory.mktemp("examples"), N))


@pytest.fixture(scope="module")
def rows(page):
    return page_data(page.read_text())["rows"]


@needs_chromium
def test_it_asks_nothing_of_the_network_and_breaks_nothing(opened, page):
    for place in ("document.body.scrollHeight", "0"):
        opened.run(f"scrollTo(0, {place})")
        opened.wait_for(LOADED)
    assert [url for url in opened.requests if not url.startswith("data:image/jpeg")] == [page.as_uri()]
    assert opened.problems == []
    assert opened.run("document.title") == "Examples of the dataset"
    answers = "[...document.querySelectorAll('.answer')].map(answer => answer.textContent)"
    assert HOSTILE in opened.run(answers)


@needs_chromium
def test_question_answer_evidence_support_and_reason_can_be_read(opened):
    texts = opened.run("[...document.querySelectorAll('article')].slice(0, 7).map(card => card.innerText)")
    for words in ("kept: train", "What is shown in 0?", "100 % of its facts", "extractive", "CC-BY-4.0", "Article 0"):
        assert words in texts[0]
    assert "nothing is asked" in texts[1].lower()
    assert "rejected: new_numbers" in texts[2]
    assert "7.5 mm, threshold 0" in texts[2]
    marks = "[...document.querySelectorAll('article')[0].querySelectorAll('mark')].map(mark => mark.textContent)"
    assert opened.run(marks) == ["It rises.", "Sentence 1 of 0."]


@needs_chromium
def test_of_a_long_context_the_evidence_comes_first(opened, rows):
    at = next(i for i, row in enumerate(rows) if row["figure_id"] == "PMC1/fig1" and row["task"] == "detail")
    card = f"document.querySelectorAll('article')[{at}]"
    assert opened.run(f"{card}.querySelector('ul li').textContent") == "Sentence 5 of 1."
    assert opened.run(f"{card}.querySelector('summary').textContent") == "2 more"


@needs_chromium
@pytest.mark.parametrize(
    ("choice", "fits"),
    [
        ({"verdict": "min_support"}, lambda row: row["verdict"] == "min_support"),
        ({"verdict": "kept", "task": "align"}, lambda row: row["verdict"] == "kept" and row["task"] == "align"),
        ({"task": "reasoning"}, lambda row: row["task"] == "reasoning"),
        ({"teacher": "Qwen/Q", "split": "test"}, lambda row: row["teacher"] == "Qwen/Q" and row["split"] == "test"),
        ({"support": "in part"}, lambda row: row.get("support", 1) < 1),
        ({"support": "nothing to look up"}, lambda row: "support" not in row),
        ({"article": "PMC7"}, lambda row: row["article_id"] == "PMC7"),
        ({"q": "shown in 17?"}, lambda row: row["question"] == "What is shown in 17?"),
        ({"q": "no such words"}, lambda row: False),
    ],
)
def test_filters(opened, rows, choice, fits):
    for name, value in choice.items():
        if name == "verdict":
            opened.run(f"document.querySelector('[name=verdict][value={value}]').click()")
        else:
            event = "input" if name == "q" else "change"
            field = f"document.getElementById('{name}')"
            opened.run(f"{field}.value = '{value}', {field}.dispatchEvent(new Event('{event}'))")
    expected = [i for i, row in enumerate(rows) if fits(row)]
    assert opened.run(SHOWN) == expected
    assert opened.run("document.getElementById('count').textContent") == f"{len(expected)} of {len(rows)}"
    opened.press("Escape")
    assert len(opened.run(SHOWN)) == len(rows)


@needs_chromium
def test_a_copy_leads_to_what_it_is_a_copy_of(opened, rows):
    at = next(i for i, row in enumerate(rows) if row["verdict"] == "near_duplicate")
    opened.run(f"document.querySelectorAll('article')[{at}].scrollIntoView()")
    opened.wait_for(f"document.querySelectorAll('article')[{at}].querySelector('.why a') !== null")
    opened.run(f"document.querySelectorAll('article')[{at}].querySelector('.why a').click()")
    opened.wait_for("document.getElementById('q').value === 'PMC0/fig1/detail'")
    assert opened.run(SHOWN)[0] == next(i for i, row in enumerate(rows) if row["example_id"] == "PMC0/fig1/detail")


@needs_chromium
def test_a_phone_need_not_scroll_sideways(opened):
    opened.resize(390, 800, phone=True)
    try:
        assert opened.run("document.documentElement.scrollWidth") == 390
    finally:
        opened.resize(1280, 900)
