"""`ldrt app` as a person uses it, in Chromium; run where Gradio is installed (the extra `app`)."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.chromium import CHROMIUM, Browser

pytest.importorskip("gradio", reason="the extra `app` is not installed")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")

QUESTION = "the dose of a lesion ?"
START_S, WAIT_S = 300, 0.2


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def served(command, port, folder, **environment):
    """The address of a page that the command opens at the port."""
    log = folder / "page.log"
    paths = {"GRADIO_TEMP_DIR": str(folder / "uploads"), "HF_DATASETS_CACHE": str(folder / "cache")}
    address = f"http://127.0.0.1:{port}/"
    with (
        log.open("w") as file,
        subprocess.Popen(command, stdout=file, stderr=file, env=os.environ | paths | environment) as process,
    ):
        try:
            deadline = time.monotonic() + START_S
            while not _answers(address):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(WAIT_S)
            yield address
        finally:
            process.terminate()


def _answers(address):
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def page(tiny_llava, tiny_llava_next, dataset_folder, tmp_path_factory):
    port, folder = free_port(), tmp_path_factory.mktemp("app")
    words = ["app", tiny_llava, tiny_llava_next, "--dataset", dataset_folder, "--port", port, "--max_new_tokens", 8]
    with served([sys.executable, "-m", "ldrt", *map(str, words)], port, folder) as address:
        yield address
    assert (folder / "page.log").read_text() == f"open {address} in a browser; Ctrl-C closes the page\n"
    left = [path for path in (folder / "uploads").rglob("*") if path.is_file()]
    assert not left  # what was dropped is gone with the page


@pytest.fixture
def browser(page):
    with Browser(1280, 1100) as opened:
        opened.visit(page)
        opened.wait_for("!!document.querySelector('#ask')")
        yield opened


def value(browser, place):
    return browser.run(f"document.querySelector('#{place} textarea').value")


def type_question(browser, text):
    browser.run(f"""(() => {{
      const field = document.querySelector('#question textarea');
      field.value = {json.dumps(text)};
      field.dispatchEvent(new Event('input', {{ bubbles: true }}));
    }})()""")


def drop(browser, path):
    browser.choose_file("#figure input[type=file]", path)
    browser.wait_for("!!document.querySelector('#figure img')")


def ask_here(model, path, question):
    from evaluation.ask import Options, run

    return run(Options(str(model), str(path), question, max_new_tokens=8)).partition(" … (cut")[0]


@needs_browser
def test_a_dropped_figure_is_answered_by_both_models_as_ask_answers(browser, tiny_llava, tiny_llava_next, tmp_path):
    path = tmp_path / "figure.png"
    Image.effect_noise((60, 40), 90).convert("RGB").save(path)
    drop(browser, path)
    type_question(browser, QUESTION)
    browser.click("#ask")
    browser.wait_for("document.querySelector('#answer-1 textarea').value !== ''")
    assert value(browser, "answer-0") == ask_here(tiny_llava, path, QUESTION)
    assert value(browser, "answer-1") == ask_here(tiny_llava_next, path, QUESTION)
    labels = browser.run("[...document.querySelectorAll('#answer-0, #answer-1')].map(e => e.innerText)")
    assert ["tuned: tiny-llava" in labels[0], "base: tiny-llava-next" in labels[1]] == [True, True]


@needs_browser
def test_an_example_of_the_test_split_is_a_click(browser, tiny_llava):
    assert browser.run("document.querySelectorAll('.gallery-item, tbody tr').length") == 6
    browser.click("tbody tr:nth-child(2)")
    browser.wait_for("!!document.querySelector('#figure img')")
    assert browser.run("document.querySelector('#question textarea').value").startswith("the dose of a lesion")
    browser.click("#ask")
    browser.wait_for("document.querySelector('#answer-1 textarea').value !== ''")


@needs_browser
def test_it_says_that_it_is_not_for_patients_and_asks_nobody_else(browser, page):
    said = browser.run("document.querySelector('#research-only').innerText")
    assert said.startswith("For research only, not for patients.")
    box = browser.run("JSON.stringify(document.querySelector('#research-only').getBoundingClientRect())")
    assert 0 < json.loads(box)["top"] < 300  # seen without scrolling
    time.sleep(1)
    assert {address for address in browser.requests if not address.startswith((page, "data:", "blob:"))} == set()


@needs_browser
def test_what_is_wrong_is_a_line_on_the_page(browser, tmp_path):
    browser.click("#ask")
    browser.wait_for("document.body.innerText.includes('drop a figure first')")
    path = tmp_path / "<b>broken<b>.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    browser.choose_file("#figure input[type=file]", path)
    browser.wait_for("!!document.querySelector('#figure img')")
    browser.click("#ask")
    browser.wait_for("document.body.innerText.includes('not a readable picture')")
    assert value(browser, "answer-0") == ""


@needs_browser
@pytest.mark.parametrize("width", [1280, 420])
def test_nothing_is_wider_than_the_window(browser, width, tmp_path):
    browser.resize(width, 900)
    time.sleep(0.5)
    assert browser.run("document.documentElement.scrollWidth") <= width
    if "LDRT_SCREENSHOTS" in os.environ:
        browser.screenshot(Path(os.environ["LDRT_SCREENSHOTS"]) / f"app-{width}.png")


def test_it_listens_on_this_machine_alone(page):
    """The other addresses of this machine refuse."""
    port = int(page.rsplit(":", 1)[1].strip("/"))
    with socket.socket() as tried:
        tried.settimeout(5)
        assert tried.connect_ex(("127.0.0.2", port)) != 0
    with socket.socket() as tried:
        assert tried.connect_ex(("127.0.0.1", port)) == 0


def test_a_picture_goes_to_the_opener_unopened(tmp_path):
    """Gradio's own component would have Pillow open it, by any of its readers."""
    from gradio.data_classes import ImageData

    from evaluation.trying.page import gr

    path = tmp_path / "page.eps"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n")
    preprocess = gr.Image().preprocess
    assert preprocess(ImageData(path=str(path), orig_name="page.eps")) == str(path)
    assert preprocess(ImageData(url="data:image/png;base64,AAAA")) is None
    assert preprocess(None) is None


def test_gradio_writes_nothing_beside_the_code(page):
    import evaluation.trying

    assert not list(Path(evaluation.trying.__file__).parent.glob("*.pyi"))
