"""The sample corpus keeps its promises: deterministic, balanced, readable from the pictures, true to its truth."""

import collections
import hashlib
import itertools
import json
import re
import tarfile

import imagehash
import numpy as np
import pypdfium2
import pytest
from lxml import etree
from PIL import Image, ImageOps

from dataset_builder.sample import text
from dataset_builder.sample.articles import make_articles
from dataset_builder.sample.corpus import PASSWORD, write_articles, write_corpus
from dataset_builder.sample.figures import KINDS, sharpness
from dataset_builder.sample.pdf import visible_box


@pytest.fixture(scope="module")
def articles():
    return make_articles(72, seed=0)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, articles):
    folder = tmp_path_factory.mktemp("corpus")
    write_articles(folder, articles)
    return folder


@pytest.fixture(scope="module")
def truth(corpus):
    return [json.loads(line) for line in (corpus / "truth.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def figures(articles):
    """(article index, figure) of every figure that a build should keep."""
    return [(a.index, f) for a in articles for f in a.figures if f.expectation == "kept"]


def _digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _xml(corpus, article):
    """Root of a JATS article's XML, from its folder or its .tar.gz."""
    path = corpus / article
    if path.suffix != ".gz":
        return etree.fromstring(path.read_bytes())
    with tarfile.open(path) as archive:
        name = next(name for name in archive.getnames() if name.endswith("nxml"))
        return etree.fromstring(archive.extractfile(name).read())


def test_same_seed_same_bytes(tmp_path):
    for name, seed in (("first", 3), ("again", 3), ("other", 4)):
        write_corpus(tmp_path / name, articles=10, seed=seed)
    first, again, other = (_digests(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert first.keys() == other.keys()
    assert not set(first.values()) & set(other.values())


def test_refuses_a_corpus_without_the_special_cases(tmp_path):
    with pytest.raises(ValueError, match="at least 10"):
        write_corpus(tmp_path, articles=9)


def test_contains_what_later_stages_need(truth):
    kept = [row for row in truth if row["expectation"] == "kept"]
    expectations = collections.Counter(row["expectation"] for row in truth)
    assert len({row["article"] for row in kept}) == 72
    assert expectations["rejected:min_sharpness"] == expectations["rejected:image_missing"] == 1
    assert {row["article"] for row in truth if row["expectation"] == "failed"} == {
        "pdf-broken.pdf",
        "pdf-encrypted.pdf",
    }
    assert len(kept) >= 240
    assert {row["source"] for row in kept} == {"jats", "pdf", "jats+pdf"}
    assert {row["language"] for row in kept} == {"en", "de"}
    assert {row["license"] for row in kept} == {"CC-BY-4.0", "CC0-1.0", "CC-BY-NC-4.0"}
    assert sum(row["duplicate_of"] is not None for row in kept) == 1
    assert sum(row["article"].endswith(".tar.gz") for row in kept) >= 3
    assert all([panel["label"] for panel in row["panels"]] in ([], list("ABCD")) for row in kept)
    assert sum(len(row["panels"]) == 4 for row in kept) >= 15
    assert {row["label"].split()[0] for row in kept} == {"Figure", "Fig.", "Abb.", "Abbildung"}


def test_every_file_says_that_it_is_synthetic(corpus, truth):
    for article in {row["article"] for row in truth if row["expectation"] != "failed"}:
        if article.endswith(".pdf"):
            document = pypdfium2.PdfDocument(corpus / article)
            assert all(text.NOTE["en"] in page.get_textpage().get_text_range() for page in document)
        else:
            assert text.NOTE["en"] in "".join(_xml(corpus, article).itertext())
    assert all(row["note"] == text.NOTE["en"] for row in truth)


def test_attributes_are_balanced_and_independent(figures):
    for kind, attributes in KINDS.items():
        drawn = [figure.attributes for _, figure in figures if figure.kind == kind]
        for name, values in attributes.items():
            counts = collections.Counter(row[name] for row in drawn)
            assert set(counts) == set(values)
            assert max(counts.values()) - min(counts.values()) <= 4, (kind, name, counts)
        for one, two in itertools.combinations(attributes, 2):
            joint = collections.Counter((row[one], row[two]) for row in drawn)
            assert len(joint) == len(attributes[one]) * len(attributes[two])
            assert max(joint.values()) - min(joint.values()) <= 5, (kind, one, two, joint)


def test_captions_state_all_attributes_and_the_body_only_one(truth):
    """What the caption alone says can be known in no other way than by looking."""
    for row in truth:
        assert len(row["attributes"]) >= 3
        words = text.WORDS[row["language"]]
        body = " ".join(row["context"])
        for name, value in row["attributes"].items():
            if name == "chart type":
                continue
            printed = words.get(value, value)
            assert printed in row["caption"], (row["article"], row["label"], name)
            if name in row["caption_only"] and not row["panels"]:
                assert not re.search(rf"\b{printed}\b", body), (row["article"], row["label"], name)
        named = len([name for name in row["attributes"] if name != "chart type"])
        assert len(row["caption_only"]) == named - 1


def test_captions_are_unique_and_figures_are_mentioned(truth):
    readable = [row for row in truth if row["expectation"] != "failed"]
    captions = collections.Counter(row["caption"] for row in readable)
    assert max(captions.values()) == 1
    for row in readable:
        assert 2 <= len(row["context"]) == len(set(row["context"]))
        reasons = ("because", "weil")
        assert any(word in sentence for word in reasons for sentence in row["context"])


def test_pictures_are_sharp_and_unlike_each_other(articles):
    every = [(a.index, figure) for a in articles for figure in a.figures]
    for index, figure in every:
        blurred = figure.expectation == "rejected:min_sharpness"
        assert (sharpness(figure.picture) < 50) if blurred else (sharpness(figure.picture) > 300), (index, figure.label)
        assert 0.5 <= figure.width / figure.height <= 2
        assert min(figure.picture.size) >= 180
        assert max(figure.picture.size) <= 520
    hashes = [imagehash.phash(f.picture).hash.ravel() for _, f in every if not f.duplicate_of]
    bits = np.array(hashes)  # (pictures, 64)
    distances = (bits[:, None] != bits[None]).sum(axis=2) + 64 * np.eye(len(bits), dtype=int)
    assert distances.min() >= 10


def test_picture_files(corpus, truth):
    for row in truth:
        if row["source"] != "jats" or row["article"].endswith(".gz"):
            continue
        path = (corpus / row["article"]).parent / row["image_file"]
        if row["expectation"] == "rejected:image_missing":
            assert not path.exists()
            continue
        with Image.open(path) as image:
            assert image.size == (row["width"], row["height"])
            assert not image.getexif() or path.suffix == ".tif"
            if path.suffix == ".png":
                assert image.info == {}


def test_duplicate_is_the_same_file_under_another_caption(corpus, truth):
    copy = next(row for row in truth if row["duplicate_of"])
    article, label = copy["duplicate_of"].split("#")
    original = next(row for row in truth if row["article"] == article and row["label"] == label)
    files = [(corpus / row["article"]).parent / row["image_file"] for row in (copy, original)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert copy["caption"] != original["caption"]


def test_jats_holds_captions_and_mentions(corpus, truth):
    wraps = collections.Counter()
    for article in sorted({row["article"] for row in truth if row["source"].startswith("jats")}):
        root = _xml(corpus, article)
        printed = " ".join("".join(p.itertext()) for p in root.iter("p"))
        rows = [row for row in truth if row["article"] == article]
        assert [fig.findtext("label") for fig in root.iter("fig")] == [row["label"] for row in rows]
        for fig, row in zip(root.iter("fig"), rows, strict=True):
            assert " ".join("".join(part.itertext()) for part in fig.find("caption")) == row["caption"]
            assert all(sentence in printed for sentence in row["context"])
        ids = {fig.get("id") for fig in root.iter("fig")}
        for xref in root.iter("xref"):
            assert set(xref.get("rid").split()) <= ids
            wraps[xref.getparent().tag] += 1
            wraps["two targets"] += " " in xref.get("rid")
    assert all(wraps[name] >= 5 for name in ("p", "bold", "italic", "two targets")), wraps


def test_pdf_holds_captions_and_pictures_where_the_truth_says(articles, corpus, truth):
    rows_of = collections.defaultdict(list)
    for row in truth:
        if row["page"] and row["expectation"] == "kept":
            rows_of[row["article"]].append(row)
    assert len(rows_of) >= 20
    drawn = {article.main_file: article.figures for article in articles}
    for name, rows in rows_of.items():
        path = (corpus / name).with_suffix(".pdf")
        document = pypdfium2.PdfDocument(path)
        for row, figure in zip(rows, drawn[name], strict=True):
            page = document[row["page"] - 1]
            printed = re.sub(r"\W", "", page.get_textpage().get_text_range())
            assert re.sub(r"\W", "", row["caption"]) in printed
            scale = 160 / 72
            x0, y0, x1, y1 = (round(value * scale) for value in row["bbox"])
            crop = page.render(scale=scale).to_pil().crop((x0, y0, x1, y1))
            visible = figure.picture.crop(visible_box(figure))
            assert imagehash.phash(crop) - imagehash.phash(visible) <= 8, (name, row["label"])
            assert sharpness(crop) > 150


def test_unreadable_pdfs(corpus):
    with pytest.raises(pypdfium2.PdfiumError, match="Data format"):
        pypdfium2.PdfDocument(corpus / "pdf-broken.pdf")
    with pytest.raises(pypdfium2.PdfiumError, match="password"):
        pypdfium2.PdfDocument(corpus / "pdf-encrypted.pdf")
    assert len(pypdfium2.PdfDocument(corpus / "pdf-encrypted.pdf", password=PASSWORD)) >= 1


def test_panels_lie_inside_the_picture(truth):
    for row in truth:
        for panel in row["panels"]:
            x0, y0, x1, y1 = panel["bbox"]
            assert 0 <= x0 < x1 <= row["width"]
            assert 0 <= y0 < y1 <= row["height"]
            assert panel["caption"] in row["caption"]


def _held_out_accuracy(pictures, values, groups):
    """Share right of a ridge classifier on 32 × 32 RGB pixels, over five folds of articles."""
    padded = [ImageOps.pad(picture, (32, 32), color=(122, 116, 104)) for picture in pictures]
    pixels = np.array(padded, float).reshape(len(padded), -1) / 255  # (pictures, 3072)
    classes = sorted(set(values))
    wanted = np.array([[1.0 if value == name else -1.0 for name in classes] for value in values])
    pixels = (pixels - pixels.mean(axis=0)) / (pixels.std(axis=0) + 1e-6)
    kernel = pixels @ pixels.T / pixels.shape[1]
    right = []
    for fold in range(5):
        train, test = np.flatnonzero(groups % 5 != fold), np.flatnonzero(groups % 5 == fold)
        weights = np.linalg.solve(kernel[np.ix_(train, train)] + 0.1 * np.eye(len(train)), wanted[train])
        right += list((kernel[np.ix_(test, train)] @ weights).argmax(axis=1) == wanted[test].argmax(axis=1))
    return np.mean(right)


@pytest.mark.parametrize(
    ("kind", "name", "least"),
    [
        ("dose map", "hot spot colour", 0.75),  # chance 0.25
        ("dose map", "hot spot side", 0.95),  # chance 0.5
        ("line plot", "trend", 0.85),
        ("line plot", "number of curves", 0.75),
        ("bar chart", "bar colour", 0.7),  # chance 0.25
        ("bar chart", "tallest bar", 0.8),
        ("bar chart", "number of bars", 0.8),
        ("micrograph", "cell colour", 0.6),  # chance 0.25
        ("micrograph", "cell density", 0.75),
    ],
)
def test_attributes_can_be_read_from_small_pictures_of_unseen_articles(figures, kind, name, least):
    chosen = [(index, figure) for index, figure in figures if figure.kind == kind and not figure.duplicate_of]
    values = [figure.attributes[name] for _, figure in chosen]
    groups = np.array([index for index, _ in chosen])
    assert _held_out_accuracy([figure.picture for _, figure in chosen], values, groups) >= least
