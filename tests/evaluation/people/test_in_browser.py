import json
import time

import pytest

import ldrt
from tests.chromium import CHROMIUM, TIMEOUT_S, Browser
from tests.evaluation.people.pages import HOSTILE, ITEMS, REPEATS, page_items
from tests.evaluation.runs import read_records

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
    while browser.run("localStorage.length"):  # the next page's process may still read what this one has cleared
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
    deadline = time.monotonic() + TIMEOUT_S
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
    opened.press("1")
    time.sleep(1.5)  # a rater who thinks
    opened.press("0")
    assert opened.run(PRESSED) == ["10"]
    for keys, shown in (("00", "0"), ("1x0", "0"), ("150", "0"), ("1000", "0")):
        for key in keys:
            opened.press(key)
        assert opened.run(PRESSED) == [shown]
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
