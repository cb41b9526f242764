import base64
import html.parser
import io
import json
import re
import tracemalloc

import pytest
from PIL import Image, ImageDraw

from model_cards.preview.page import cut, fair_shares, render_preview, write_preview
from tests.chromium import CHROMIUM
from tests.model_cards.preview.conftest import LOADED

HOSTILE = "</script><script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\"> <!--"
SPLITS = ("train", "train", "validation", "test")
FILTERS = (
    {"filter": "min_sharpness", "value": 12.34567, "threshold": 100.0},
    {"filter": "image_missing", "value": "no"},
)
PANELS = [
    {"label": "A", "bbox": [0.0, 0.0, 200.0, 300.0], "caption": "Left."},
    {"label": "B", "bbox": [200.0, 0.0, 400.0, 300.0], "caption": "Right."},
]


def page_data(page: str) -> dict:
    """What the page's script is given."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def figure(number: int) -> dict:
    """One line of verdicts.jsonl: every third is rejected, of those every second has no picture."""
    row = {
        "figure_id": f"PMC{number // 3}/fig{number}",
        "label": f"Figure {number}",
        "caption": f"Curve number {number}.",
    }
    row |= {"context": [f"The dose rises (Fig. {number}A).", "It <b>falls</b>."], "panels": [], "image_path": None}
    row |= {"mentions": [[[16, 22 + len(str(number))]], []]}
    row |= {"article_id": f"PMC{number // 3}", "title": f"Article {number // 3}", "journal": "Doses", "year": 2021}
    row |= {"license": ("CC-BY-4.0", None)[number % 2], "source": ("jats", "pdf")[number % 2], "language": "en"}
    row |= {"source_file": f"a/{number // 3}.xml", "page": None, "bbox": None, "sharpness": 230.5, "status": None}
    row |= {"width": 400, "height": 300, "doi": "10.5555/x", "attribution": "A. Author et al.", "duplicate_group": None}
    if number % 3 == 2:
        return row | {"threshold": None} | FILTERS[number // 3 % 2]
    return row | {"split": SPLITS[number % len(SPLITS)]}


def picture(text: str, size: tuple[int, int]) -> bytes:
    image, buffer = Image.new("RGB", size, "white"), io.BytesIO()
    ImageDraw.Draw(image).text((20, 20), text, fill="black")
    image.save(buffer, "JPEG")
    return buffer.getvalue()


def make_build(folder, rows: int):
    """A dataset folder with what the preview reads of `.work/`."""
    figures = [figure(i) for i in range(rows)]
    for i, row in enumerate(figures):
        if row.get("filter") != "image_missing":
            record = folder / ".work" / "records" / "ab" / str(i)
            record.mkdir(parents=True)
            row["image_path"] = f".work/records/ab/{i}/figures-0.png"
            (record / "figures-0.png").write_bytes(b"the full picture")
            (record / "figures-0.thumb.jpg").write_bytes(picture(f"Figure {i}", (320, 240)))
            if row["source"] == "pdf":
                row |= {"page": 4, "bbox": [120.0, 160.0, 360.0, 480.0]}
                (record / "figures-0.page.jpg").write_bytes(picture("the same page", (300, 400)))
    figures[0] |= {"panels": PANELS, "caption": HOSTILE, "title": HOSTILE, "status": "corrected"}
    (folder / ".work").mkdir(exist_ok=True)
    (folder / ".work" / "verdicts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in figures))
    return folder


@pytest.mark.parametrize(
    ("spans", "pieces"),
    [
        ([], ["As Fig. 2 shows."]),
        ([[3, 9]], ["As ", "Fig. 2", " shows."]),
        ([[0, 9], [3, 9], [10, 16]], ["", "As Fig. 2", " ", "shows.", ""]),
    ],
)
def test_sentences_are_cut_at_mentions(spans, pieces):
    assert cut("As Fig. 2 shows.", spans) == pieces


def test_the_sentences_that_the_build_found_are_marked(sample_dataset):
    rows = page_data(render_preview(sample_dataset))["rows"]
    marked = [len(pieces) > 1 for row in rows for pieces in row["context"]]
    assert len(marked) > 50
    assert sum(marked) >= 0.98 * len(marked)  # a cross-reference need not name its figure


def test_a_copy_marks_what_its_build_found(sample_dataset, tmp_path):
    (tmp_path / "pairs").symlink_to(sample_dataset / "pairs")
    alone = page_data(render_preview(tmp_path))["rows"]
    assert all(len(pieces) == 1 for row in alone for pieces in row["context"])
    rows = page_data(render_preview(tmp_path, build=sample_dataset))["rows"]
    assert any(len(pieces) > 1 for row in rows for pieces in row["context"])


def test_every_figure_its_verdict_and_its_pictures(tmp_path):
    page = write_preview(make_build(tmp_path, 24)).read_text()
    data = page_data(page)
    assert data["totals"] == {"image_missing": 4, "min_sharpness": 4, "test": 4, "train": 8, "validation": 4}
    assert [row["figure_id"] for row in data["rows"]] == [figure(i)["figure_id"] for i in range(24)]
    first, second = data["rows"][:2]
    assert first["context"][0] == ["The dose rises (", "Fig. 0A", ")."]
    assert first["full"] == ".work/records/ab/0/figures-0.png"
    assert "page_picture" not in first
    assert second["page_box"] == [0.2, 0.2, 0.4, 0.4]  # of a page of 600 x 800 points
    encoded = re.findall(r'id="picture-(\d+)">(.*?)</script>', page)
    assert base64.b64decode(encoded[first["picture"]][1]) == picture("Figure 0", (320, 240))
    assert len(encoded) == 20 + 1  # the page that several figures share is there once
    assert "elsewhere" not in page


def test_the_page_is_valid_and_nothing_in_it_escapes(tmp_path):
    page = render_preview(make_build(tmp_path, 6))
    scripts, open_tags, outside = [], [], []

    class Parser(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            outside.extend(value for name, value in attributes if name in ("src", "href", "srcset"))
            if tag == "script":
                scripts.append(dict(attributes).get("type"))
            if tag not in ("meta", "input"):
                open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    Parser().feed(page)
    assert scripts == ["application/json", None, *["image/jpeg;base64"] * (len(scripts) - 2)]
    assert not open_tags
    assert not outside
    assert "<!--" not in page
    assert page_data(page)["rows"][0]["caption"] == HOSTILE


def test_the_same_files_give_the_same_page(tmp_path):
    assert render_preview(make_build(tmp_path, 12)) == render_preview(tmp_path)


def test_a_sample_shows_every_verdict(tmp_path):
    data = page_data(render_preview(make_build(tmp_path, 120), max_rows=30))
    shown = [row["verdict"] for row in data["rows"]]
    assert {name: shown.count(name) for name in set(shown)} == dict.fromkeys(data["totals"], 6)
    assert sum(data["totals"].values()) == 120


def test_rare_verdicts_are_shown_whole():
    assert fair_shares({"train": 90, "test": 10, "blank": 2}, 30) == {"blank": 2, "test": 10, "train": 18}
    assert fair_shares({"train": 3, "test": 1}, 30) == {"train": 3, "test": 1}
    assert sum(fair_shares({"a": 5, "b": 7, "c": 9}, 20).values()) == 20


def test_a_dataset_from_the_hub(dataset):
    """No `.work`: the rows of `pairs` with thumbnails made from them, and the rejected ones without."""
    (dataset / ".work" / "rows.jsonl").unlink()
    page = render_preview(dataset)
    data = page_data(page)
    assert data["totals"] == {"sharpness": 6, "test": 6, "train": 12, "validation": 6}
    assert page.count('type="image/jpeg;base64"') == 24
    assert all(("picture" in row) == ("filter" not in row) for row in data["rows"])
    with Image.open(io.BytesIO(base64.b64decode(re.search(r'id="picture-0">(.*?)</script>', page)[1]))) as image:
        assert image.size == (32, 24)


def test_of_a_published_dataset_only_the_sample_is_decoded(dataset):
    data = page_data(page := render_preview(dataset, max_rows=8))
    assert len(data["rows"]) == 8
    assert page.count('type="image/jpeg;base64"') == 6


def test_a_folder_without_figures(tmp_path):
    with pytest.raises(FileNotFoundError, match="no figure to show"):
        write_preview(tmp_path)


def test_the_built_sample_corpus(sample_dataset):
    data = page_data(write_preview(sample_dataset).read_text())
    assert all("picture" in row for row in data["rows"] if row.get("filter") != "image_missing")
    assert all("page_picture" in row for row in data["rows"] if "pdf" in row["source"] and "picture" in row)


# ---- in a browser

needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
SHOWN = "[...document.querySelectorAll('article:not([hidden])')].map(card => +card.dataset.row)"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_preview(make_build(tmp_path_factory.mktemp("preview"), 300))


@needs_chromium
def test_it_asks_nothing_of_the_network_and_breaks_nothing(opened, page):
    for card in ("document.body.scrollHeight", "0"):
        opened.run(f"scrollTo(0, {card})")
        opened.wait_for(LOADED)
    assert [url for url in opened.requests if not url.startswith("data:image/jpeg")] == [page.as_uri()]
    assert opened.problems == []
    assert opened.run("document.title") == "Figures of the dataset"
    assert opened.run("document.querySelector('.caption').textContent") == HOSTILE


@needs_chromium
def test_what_gets_past_is_stopped_by_the_policy(opened):
    opened.run("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))")
    opened.run(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'document.title = 1'}))"
    )
    opened.wait_for("document.images.length > 0")
    assert opened.run("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"
    assert opened.run("document.title") == "Figures of the dataset"
    said = " ".join(opened.problems)
    assert all(name in said for name in ("img-src", "script-src", "default-src 'none'"))


@needs_chromium
def test_figures_are_rendered_when_they_come_near(opened):
    assert opened.run("document.querySelectorAll('article').length") == 300
    assert opened.run("document.querySelectorAll('article .text').length") < 60
    opened.run("document.querySelectorAll('article')[250].scrollIntoView()")
    opened.wait_for("document.querySelectorAll('article')[250].querySelector('.text') !== null")


@needs_chromium
def test_panels_and_the_place_on_the_page_are_drawn_where_they_are(opened):
    boxes = opened.run(
        """[...document.querySelectorAll('article')[0].querySelectorAll('.panel')].map(panel => {
          const frame = panel.parentElement.querySelector('img').getBoundingClientRect();
          const box = panel.getBoundingClientRect();
          const shares = [(box.x - frame.x) / frame.width, box.width / frame.width, box.height / frame.height];
          return [panel.textContent, ...shares];
        })"""
    )
    assert [box[0] for box in boxes] == ["A", "B"]
    assert boxes[0][1:] == pytest.approx([0, 0.5, 1], abs=0.01)
    assert boxes[1][1:] == pytest.approx([0.5, 0.5, 1], abs=0.01)
    place = opened.run(
        """(() => { const [box, page] = ['.box', '.page img'].map(name =>
          document.querySelectorAll('article')[1].querySelector(name).getBoundingClientRect());
          return [(box.x - page.x) / page.width, (box.y - page.y) / page.height, box.width / page.width]; })()"""
    )
    assert place == pytest.approx([0.2, 0.2, 0.4], abs=0.02)
    opened.press("p")
    assert opened.run("getComputedStyle(document.querySelector('.panel')).display") == "none"


@needs_chromium
def test_mentions_verdicts_and_thresholds_can_be_read(opened):
    first, third = (opened.run(f"document.querySelectorAll('article')[{i}].innerText") for i in (0, 2))
    assert opened.run("document.querySelector('mark').textContent") == "Fig. 0A"
    for words in ("kept: train", "CC-BY-4.0", "A. Author et al.", "230.5", "400 × 300 px", "corrected", "Left."):
        assert words in first
    assert "rejected: min_sharpness" in third
    assert "12.35, threshold 100" in third


@needs_chromium
@pytest.mark.parametrize(
    ("choice", "fits"),
    [
        ({"verdict": "min_sharpness"}, lambda row: row.get("filter") == "min_sharpness"),
        ({"split": "rejected"}, lambda row: "filter" in row),
        ({"split": "test", "source": "pdf"}, lambda row: row.get("split") == "test" and row["source"] == "pdf"),
        ({"license": "not stated"}, lambda row: row["license"] is None),
        ({"article": "PMC7"}, lambda row: row["article_id"] == "PMC7"),
        ({"q": "curve 17"}, lambda row: "17" in f"{row['caption']} {row['title']} {row['figure_id']}"),
        ({"q": "no such words"}, lambda row: False),
    ],
)
def test_filters(opened, choice, fits):
    for name, value in choice.items():
        if name == "verdict":
            opened.run(f"document.querySelector('[name=verdict][value={value}]').click()")
        else:
            event = "input" if name == "q" else "change"
            field = f"document.getElementById('{name}')"
            opened.run(f"{field}.value = '{value}', {field}.dispatchEvent(new Event('{event}'))")
    expected = [i for i in range(300) if fits(figure(i) | ({"caption": HOSTILE, "title": HOSTILE} if i == 0 else {}))]
    assert opened.run(SHOWN) == expected
    assert opened.run("document.getElementById('count').textContent") == f"{len(expected)} of 300"
    assert opened.run("document.getElementById('none').hidden") == bool(expected)
    opened.press("Escape")
    assert len(opened.run(SHOWN)) == 300


@needs_chromium
def test_the_numbers_beside_the_choices_follow_the_other_filters(opened):
    opened.run("document.querySelector('[name=verdict][value=test]').click()")
    source = opened.run("[...document.getElementById('source').options].map(option => option.textContent)")
    tests = [row for row in map(figure, range(300)) if row.get("split") == "test"]
    counts = {name: sum(row["source"] == name for row in tests) for name in ("jats", "pdf")}
    assert source == ["any", *(f"{name} ({n})" for name, n in counts.items())]
    chips = opened.run("[...document.querySelectorAll('#verdict label')].map(label => label.innerText)")
    assert chips[0].split() == ["all", "300"]


@needs_chromium
def test_keys(opened):
    opened.press("/")
    assert opened.run("document.activeElement.id") == "q"
    for key in "PMC99/":
        opened.press(key)
    assert opened.run(SHOWN) == [297, 298, 299]
    opened.press("Escape")
    opened.press("j")
    opened.press("j")
    opened.press("j")
    opened.press("k")
    assert opened.run("document.activeElement.dataset.row") == "1"
    assert opened.run("document.activeElement.getBoundingClientRect().top > 100")  # not below the header


@needs_chromium
def test_a_link_to_a_choice(browser, page):
    browser.open(page, "#verdict=image_missing&unknown=1")
    assert browser.run(SHOWN) == [i for i in range(300) if figure(i).get("filter") == "image_missing"]
    assert browser.run("location.hash") == "#verdict=image_missing"
    browser.wait_for("document.querySelector('.title a') !== null")
    browser.run("document.querySelector('.title a').click()")
    article = figure(5)["article_id"]
    browser.wait_for(f"document.getElementById('article').value === '{article}'")
    assert browser.run(SHOWN) == [i for i in range(300) if figure(i)["article_id"] == article]


@needs_chromium
def test_light_and_dark(browser, page):
    colours = []
    for dark in (False, True):
        browser.open(page, dark=dark)
        colours.append(browser.run("getComputedStyle(document.body).backgroundColor"))
    light, dark = (sum(map(int, re.findall(r"\d+", colour))) for colour in colours)
    assert dark < 150 < 600 < light


def test_the_page_is_never_held_whole(tmp_path):
    folder = make_build(tmp_path, 60)
    for k, path in enumerate(sorted(folder.rglob("*.thumb.jpg"))):
        path.write_bytes(path.read_bytes() + bytes([k]) * 200_000)  # as large as 600 figures are
    tracemalloc.start()
    page = write_preview(folder)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert page.stat().st_size > 12_000_000
    assert most < page.stat().st_size / 4
    assert page.read_text(encoding="utf-8") == render_preview(folder)
