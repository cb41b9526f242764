"""Copies that are not the published articles: other versions, files missing or changed; and what is refused."""

import json
import shutil
from itertools import count
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from PIL import Image

import ldrt
from dataset_builder.assembly.archive import MINING_ONLY
from dataset_builder.assembly.rebuild import NAME, column_hash, rebuild_of
from tests.dataset_builder.rehydrating.conftest import WORDS, differences, rehydrate, rows_of
from trust.licenses import of_row, permits

XML = "jats-000/article.xml"  # under CC-BY-NC, with picture files
OTHER = "jats-006/article.xml"  # without a licence


@pytest.fixture
def mine(articles, tmp_path) -> Path:
    """The XML articles, in a folder that a test may change: they are read in a second."""
    for path in articles.glob("jats-*"):
        if path.is_dir() and "pdf" not in path.name:
            shutil.copytree(path, tmp_path / "mine" / path.name)
    return tmp_path / "mine"


def _edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def _of(dataset: Path, doi: str) -> list[dict]:
    return [row for row in rows_of(dataset) if row["doi"] == doi]


def _said(dataset: Path, article: str) -> dict[str, tuple[str, bool]]:
    """figure -> reason and whether it was taken, of one article."""
    found = [one for one in differences(dataset) if one["article_id"] == article]
    return {one["figure_id"].rpartition("/")[2]: (one["reason"], one["is_taken"]) for one in found}


def _rows(dataset: Path, source_file: str) -> list[dict]:
    return [row for row in rows_of(dataset) if row["source_file"] == source_file]


def _recipes(dataset: Path) -> list[dict]:
    return [json.loads(line) for line in (dataset / "provenance" / NAME).read_text().splitlines()]


@pytest.fixture
def article(original) -> list[dict]:
    """The original rows of the article of `XML`."""
    return _rows(original, XML)


@pytest.fixture
def other(original) -> list[dict]:
    """The original rows of the article of `OTHER`."""
    return _rows(original, OTHER)


def test_other_versions_with_the_same_figures_are_as_good(published, mine, article, other, tmp_path, capsys):
    _edit(mine / XML, ("</article>", "<!-- formatted anew --></article>"))
    _edit(mine / OTHER, (f"<article-title>{other[0]['title']}", "<article-title>A new title"))
    png = (mine / XML).with_name("fig2.png")
    with Image.open(png) as image:
        image.save(png, compress_level=0)  # as another library may compress the same pixels
    assert rehydrate(published, mine, tmp_path / "dataset") == 0
    again = _rows(tmp_path / "dataset", XML)
    assert _said(tmp_path / "dataset", article[0]["article_id"]) == {}
    assert [row["figure_id"] for row in again if row not in article] == [article[1]["figure_id"]]
    other_bytes = {"image": None, "image_sha256": None}
    assert [row | other_bytes for row in again] == [row | other_bytes for row in article]
    (listed,) = [row for row in _recipes(tmp_path / "dataset") if row["figure_id"] == article[1]["figure_id"]]
    assert listed["image_sha256"] == again[1]["image_sha256"]

    retitled, said = _rows(tmp_path / "dataset", OTHER), _said(tmp_path / "dataset", other[0]["article_id"])
    assert {row["title"] for row in retitled} == {"A new title"}
    same = {"title": None, "attribution": None}
    assert [row | same for row in retitled] == [row | same for row in other]
    assert len(said) == len(other)
    assert set(said.values()) == {("said of the article differs", True)}
    assert "whose title, licence or the like differs" in capsys.readouterr().out


def test_other_words_and_other_pictures_are_not(original, published, mine, article, other, tmp_path, capsys):
    changed = article[0]["caption"].split(". ")[0]
    _edit(mine / XML, (changed, f"{changed} corrected"))
    first, second, *_ = sorted(path for path in (mine / OTHER).parent.iterdir() if path.name != Path(OTHER).name)
    first.unlink()
    with Image.open(second) as image:
        image.rotate(180).save(second)
    assert rehydrate(published, mine, tmp_path / "dataset") == 0
    assert _said(tmp_path / "dataset", article[0]["article_id"]) == {"fig1": ("text differs", False)}
    assert _rows(tmp_path / "dataset", XML) == article[1:]
    said = _said(tmp_path / "dataset", other[0]["article_id"])
    assert sorted(said.values()) == [("picture differs", False), ("picture missing", False)]
    assert len(_rows(tmp_path / "dataset", OTHER)) == len(other) - 2
    details = {one["reason"]: one["detail"] for one in differences(tmp_path / "dataset")}
    assert details["text differs"].startswith("caption: another version of the article")
    assert second.name in details["picture differs"]
    assert first.stem in details["picture missing"]
    assert "1  text differs" in capsys.readouterr().out
    _check_terms(original, tmp_path / "dataset")


def _check_terms(original: Path, dataset: Path) -> None:
    """Rights and licences of the rows that were made are those of the build, and forbid what they forbade."""
    rows = {row["figure_id"]: row for row in rows_of(dataset)}
    of_all = {row["figure_id"]: row for row in rows_of(original) if row["figure_id"] in rows}
    assert any(row["rights"] and WORDS in row["rights"] for row in of_all.values())
    for figure_id, row in of_all.items():
        same = [(one["license"], one["licenses"], one["rights"]) for one in (row, rows[figure_id])]
        assert same[0] == same[1]


def test_a_pdf_with_other_bytes_and_one_that_is_broken(published, original, articles, tmp_path):
    (tmp_path / "mine").mkdir()
    names = ("pdf-001.pdf", "pdf-004.pdf")
    for name in names:
        shutil.copy(articles / name, tmp_path / "mine" / name)
    with (tmp_path / "mine" / "pdf-001.pdf").open("ab") as file:
        file.write(b"\n% downloaded on a Tuesday\n")
    assert rehydrate(published, tmp_path / "mine", tmp_path / "dataset") == 0
    rows = [row for row in rows_of(original) if row["source_file"] == "pdf-001.pdf"]
    assert _of(tmp_path / "dataset", rows[0]["doi"]) == rows

    broken = tmp_path / "mine" / "pdf-001.pdf"
    broken.write_bytes(broken.read_bytes()[:2000])
    assert rehydrate(published, tmp_path / "mine", tmp_path / "other") == 1


def test_a_withdrawn_article_stays_out(published, mine, article, tmp_path):
    _edit(mine / XML, (f"<article-title>{article[0]['title']}", f"<article-title>RETRACTED: {article[0]['title']}"))
    assert rehydrate(published, mine, tmp_path / "dataset") == 0
    assert set(_said(tmp_path / "dataset", article[0]["article_id"]).values()) == {("article withdrawn", False)}
    assert not _of(tmp_path / "dataset", article[0]["doi"])


@pytest.mark.parametrize("what", ["absent", "empty", "others"])
def test_the_wrong_articles(published, articles, tmp_path, capsys, what):
    mine = tmp_path / "mine"
    if what != "absent":
        mine.mkdir()
    if what == "others":
        shutil.copytree(articles / "jats-008", mine / "jats-008")  # under CC-BY: in `pairs` already
    assert rehydrate(published, mine, tmp_path / "dataset") == (2 if what == "absent" else 1)
    said = capsys.readouterr().err.splitlines()[-1]
    assert ("no folder" if what == "absent" else "no figure could be made again") in said
    assert not (tmp_path / "dataset" / "pairs").exists()
    if what != "absent":
        assert {one["reason"] for one in differences(tmp_path / "dataset")} == {"article missing"}


def test_an_output_of_somebody_else(published, mine, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    for output, why in [("full", "was not made here"), ("mine", "is or holds"), (".", "is or holds")]:
        assert rehydrate(published, mine, tmp_path / output) == 2
        assert why in capsys.readouterr().err
    assert rehydrate(published, mine, published) == 2
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"


# ---- licences


def test_a_copy_that_says_more_makes_the_row_no_freer(published, mine, article, tmp_path):
    """Whoever published says CC-BY; the copy says CC-BY-NC: both stand in the row."""
    lying = Path(shutil.copytree(published, tmp_path / "lying"))
    _rewrite(lying, lambda row: row | {"license": "CC-BY-4.0", "licenses": ["CC-BY-4.0"]})
    assert rehydrate(lying, mine, tmp_path / "dataset") == 0
    rows = _of(tmp_path / "dataset", article[0]["doi"])
    assert len(rows) == len(article)
    assert not any(permits("commercial", of_row(row), row["rights"]) for row in rows)
    assert {detail["detail"] for detail in differences(tmp_path / "dataset")} >= {"license"}


def _rewrite(dataset: Path, change) -> None:
    for path in (dataset / "withheld").glob("*.parquet"):
        table = parquet.read_table(path)
        rows = [change(row) for row in table.to_pylist()]
        parquet.write_table(table.from_pylist(rows, table.schema), path)


# ---- a stranger's list


def _link(dataset: Path) -> None:
    path = next((dataset / "withheld").glob("*.parquet"))
    target = dataset.parent / "elsewhere.parquet"
    path.rename(target)
    path.symlink_to(target)


def _no_parquet(dataset: Path) -> None:
    next((dataset / "withheld").glob("*.parquet")).write_bytes(b"PAR1 no")


def _boundless(dataset: Path) -> None:
    _rewrite(dataset, lambda row: row | {"bbox": [0.0, 0.0, float("inf"), float("nan")]})


def _null(column: str):
    return lambda dataset: _rewrite(dataset, lambda row: row | {column: None})


def _twice(dataset: Path) -> None:
    path = next((dataset / "withheld").glob("*.parquet"))
    shutil.copyfile(path, path.with_name(path.name.replace("00000-of", "00001-of")))


def _published_too(dataset: Path) -> None:
    first = parquet.read_table(next((dataset / "pairs").glob("*.parquet"))).column("figure_id")[0].as_py()
    numbers = count()
    _rewrite(dataset, lambda row: row | {"figure_id": first} if next(numbers) == 0 else row)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_link, "is a link out of"),
        (_no_parquet, "is no Parquet file"),
        (_null("image_sha256"), "row 1: `image_sha256`"),
        (_null("hashes"), "row 1: `hashes`"),
        (_boundless, "row 1: a box or resolution is no finite number"),
        (_twice, "twice, in config `withheld`"),
        (_published_too, "there and in `pairs`"),
    ],
)
def test_a_list_that_is_none(published, mine, tmp_path, capsys, change, said):
    dataset = Path(shutil.copytree(published, tmp_path / "dataset"))
    change(dataset)
    assert rehydrate(dataset, mine, tmp_path / "output") == 1
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err
    assert not (tmp_path / "output" / "pairs").exists()


def test_names_in_a_list_open_nothing(published, mine, tmp_path):
    """Paths and ids of a stranger are compared, and printed, and nothing else."""
    secret = tmp_path / "secret.xml"
    secret.write_text("<article><front/></article>")
    dataset = Path(shutil.copytree(published, tmp_path / "dataset"))
    bad = {"source_file": str(secret), "source_sha256": "0" * 64, "pmcid": "PMC1\n--output /", "doi": "10.1/\nx y"}
    bad |= {"picture_files": [{"name": "../../secret.xml", "sha256": "0" * 64}]}
    _rewrite(dataset, lambda row: row | bad if row["source_file"] == XML else row)
    assert rehydrate(dataset, mine, tmp_path / "output") == 0
    found = [one for one in differences(tmp_path / "output") if str(secret) in (one["detail"] or "")]
    assert {one["reason"] for one in found} == {"article missing"}


# ---- what the build writes down


def test_labels_are_labels_and_no_sentences():
    row = {"figure_id": "PMC1/fig1", "article_id": "PMC1", "pmcid": "PMC1", "doi": None, "license": None}
    row |= {"licenses": [None], "status": None, "source": "jats", "source_file": "PMC1/a.xml", "source_sha256": "0"}
    row |= {"picture_files": [], "page": None, "bbox": None, "dpi": None, "width": 9, "height": 9, "image_sha256": "1"}
    row |= {"pixels_sha256": "2"}
    row |= {"duplicate_group": None, "rights": None, "caption": "Words.", "context": [], "questions": [], "title": "T"}
    row |= {"journal": None, "year": 2020, "language": "en", "attribution": "A.", "article_type": None, "notes": []}
    sentence = "Figure 1. A sentence that a publisher has put into the label of its figure"
    for label, kept in [("Supplementary Figure S12A–C", True), ("图 1", True), (None, True), (sentence, False)]:
        panels = [{"label": label, "bbox": [0.0, 0.0, 5.0, 5.0], "caption": "Words of a panel."}]
        said = rebuild_of(row | {"label": label, "panels": panels, "article_version": None})
        assert said["label"] == (label if kept else None)
        assert said["panels"] == [{"label": label if kept else None, "bbox": [0.0, 0.0, 5.0, 5.0]}]
        assert "Words" not in json.dumps(said)
        assert {"column": "caption", "sha256": column_hash("Words.")} in said["hashes"]


@pytest.mark.parametrize(
    ("source_file", "version"),
    [
        ("PMC12.3/PMC12.3.xml", 3),
        ("PMC12/PMC12.10.xml", 10),
        ("oa/PMC12.2/article.nxml", 2),
        ("x.tar.gz!PMC12.2/a.xml", 2),
        ("PMC12/article.xml", None),
        ("fig.2/article.xml", None),
        ("xPMC12.2/article.xml", None),
        ("PMC12.2-old/article.xml", None),
    ],
)
def test_the_version_stands_in_names_as_the_bucket_has_them(original, source_file, version):
    row = json.loads((original / ".work" / "rows.jsonl").read_text().splitlines()[0])
    assert rebuild_of(row | {"source_file": source_file, "article_version": None})["article_version"] == version
    assert rebuild_of(row | {"source_file": source_file, "article_version": 7})["article_version"] == 7


def test_the_build_says_what_each_picture_is_made_of(original):
    rows = _recipes(original)
    assert {row["figure_id"] for row in rows} == {row["figure_id"] for row in rows_of(original)}
    for row in rows:
        assert len(row["picture_files"]) == 1
        of_pdf = row["source"] in ("pdf", "jats+pdf")
        assert row["picture_files"][0]["name"].endswith(".pdf") == of_pdf
        assert (row["dpi"] is not None, row["page"] is not None, row["bbox"] is not None) == (of_pdf,) * 3
        assert 72 < (row["dpi"] or 150) <= 201


# ---- fetched by their ids


def test_what_is_not_at_hand_is_fetched(articles, tmp_path, capsys):
    """From PMC's bucket, an article for mining alone; its copy is then moved without what the archive said of it."""
    from model_cards.staging.dataset import stage_dataset
    from tests.pmc_server import PmcServer

    with PmcServer() as server:
        _serve(server, articles / "jats-000", "PMC99000000", license_code="TDM", is_manuscript=True)
        _serve(server, articles / "jats-008", "PMC99000008", license_code="CC BY")
        ids = tmp_path / "ids.txt"
        ids.write_text("PMC99000000\nPMC99000008\n")
        assert ldrt.main(["fetch", "--ids", str(ids), "--output", str(tmp_path / "first"), *server.options()]) == 0
        assert ldrt.main(["build", str(tmp_path / "first"), "--output", str(tmp_path / "built"), "--workers", "1"]) == 0
        stage_dataset(tmp_path / "built", tmp_path / "published", "commercial", "lab/figures", with_withheld=True)
        withheld = rows_of(tmp_path / "published", "withheld")
        assert {(row["pmcid"], row["article_version"]) for row in withheld} == {("PMC99000000", 2)}
        server.add("PMC99000000", 3, {"PMC99000000.3.xml": b"<article/>"}, license_code="CC BY")  # a newer one

        unknown = ("--rate", "--eutils")
        asked = ["--fetch", "true", *(word for word in server.options() if not word.startswith(unknown))]
        assert rehydrate(_plain(tmp_path), tmp_path / "mine", tmp_path / "dataset", *asked) == 0
        assert rows_of(tmp_path / "dataset") == rows_of(tmp_path / "built")
        assert "1 articles fetched" in capsys.readouterr().out
        n = len(server.seen)
        assert rehydrate(_plain(tmp_path), tmp_path / "mine", tmp_path / "dataset", *asked) == 0
        assert len(server.seen) == n

    (tmp_path / "mine/fetched/PMC99000000/article.json").unlink()
    assert rehydrate(_plain(tmp_path), tmp_path / "mine", tmp_path / "without") == 0
    again = [row for row in rows_of(tmp_path / "without") if row["pmcid"] == "PMC99000000"]
    assert {row["rights"] for row in again} == {MINING_ONLY}
    assert not any(permits("noncommercial", of_row(row), row["rights"]) for row in again)


def _plain(home: Path) -> Path:
    """What was staged, as a folder without links, which it would be refused with."""
    target = home / "plain"
    return target if target.exists() else Path(shutil.copytree(home / "published", target))


def _serve(server, folder: Path, pmcid: str, **said: object) -> None:
    xml = next(path for path in folder.iterdir() if path.suffix in (".xml", ".nxml"))
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path != xml}
    server.add(pmcid, 2, {f"{pmcid}.2.xml": xml.read_bytes(), **files}, **said)


def test_fetching_asks_for_an_address(published, mine, tmp_path, capsys):
    assert rehydrate(published, mine, tmp_path / "dataset", "--fetch", "true") == 2
    assert "missing --contact" in capsys.readouterr().err
