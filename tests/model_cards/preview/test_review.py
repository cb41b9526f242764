"""review.html in a browser: a person decides and downloads review.jsonl, which push then goes by."""

import json
import shutil
import time

import pytest

from model_cards.preview.review import write_review_page
from model_cards.reviewing.review import read_review
from tests.chromium import CHROMIUM
from tests.model_cards.conftest import make_dataset
from tests.model_cards.preview.test_page import HOSTILE
from tests.model_cards.staging.test_review import screen

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
BOXES = ([2.0, 2.0, 12.0, 8.0], [14.0, 10.0, 30.0, 20.0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    dataset = make_dataset(tmp_path_factory.mktemp("reviewed") / "dataset", tasks=())
    screen(dataset, found=("PMC0/fig1", "PMC5/fig1", "PMC13/fig1"), decision=None, boxes=BOXES)
    path = dataset / "review.jsonl"
    path.write_text(path.read_text().replace("ZAPHOD^BEEBLEBROX", json.dumps(HOSTILE)[1:-1]))
    return dataset


@pytest.fixture(scope="module")
def page(folder):
    return write_review_page(folder)


def open_drawn(browser, page):
    browser.open(page)
    browser.wait_for("document.querySelectorAll('article button').length > 0")


def press_on(browser, article, n):
    browser.run(f"document.querySelectorAll('article')[{article}].querySelectorAll('button')[{n}].click()")


def test_a_person_decides_and_push_goes_by_it(opened, folder, tmp_path):
    assert opened.run("document.getElementById('count').textContent") == "3 of 3"
    assert opened.run("document.title") == "Personal data in the pictures"
    press_on(opened, 0, 1)  # blur the first finding
    press_on(opened, 0, 3)  # keep the second
    press_on(opened, 1, 2)  # drop the figure: both
    opened.run("document.querySelectorAll('article')[2].focus()")
    opened.press("1")
    opened.download_to(tmp_path)
    opened.click("#download")
    file = tmp_path / "review.jsonl"
    deadline = time.monotonic() + 60
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["decision"] for row in rows] == ["blur", "keep", "keep", "keep", "drop", "drop"]
    assert opened.problems == []
    assert not [address for address in opened.requests if not address.startswith(("file:", "data:", "blob:"))]
    dataset = shutil.copytree(folder, tmp_path / "dataset")
    shutil.copy(file, dataset / "review.jsonl")
    fates = read_review(dataset).fates
    assert (fates["PMC0/fig1"], fates["PMC13/fig1"], fates["PMC5/fig1"]) == ("blur", "drop", "keep")


def test_decisions_outlive_a_closed_page_and_a_wrong_one_is_taken_back(browser, page):
    open_drawn(browser, page)
    browser.run("localStorage.clear()")
    open_drawn(browser, page)
    press_on(browser, 0, 0)
    open_drawn(browser, page)
    pressed = "document.querySelectorAll('article')[0].querySelectorAll('button')[0].getAttribute('aria-pressed')"
    assert browser.run(pressed) == "true"
    press_on(browser, 0, 0)
    assert browser.run(pressed) == "false"


def test_boxes_lie_where_the_findings_are(opened):
    left, width = opened.run(
        """(() => {
          const frame = document.querySelector("article .picture").getBoundingClientRect();
          const box = document.querySelector("article .box").getBoundingClientRect();
          return [(box.left - frame.left) / frame.width, box.width / frame.width];
        })()"""
    )
    assert (left, width) == (pytest.approx(2 / 32, abs=0.05), pytest.approx(10 / 32, abs=0.05))


def test_no_findings_no_page(dataset):
    (dataset / "review.html").write_text("of before")
    assert write_review_page(dataset) is None
    assert not (dataset / "review.html").exists()
