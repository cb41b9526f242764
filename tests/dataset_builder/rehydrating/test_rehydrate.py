"""Push with ids of what may not be published, rehydrate, push again: over HTTP, and what a kill leaves."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from recipes.training.examples import COLUMNS, PAIR_COLUMNS, load_examples
from tests import processes
from tests.dataset_builder.rehydrating.conftest import WORDS, differences, rehydrate, rows_of
from tests.hub_server.server import PROJECT
from trust.licenses import of_row, permits

TEXTS = ("caption", "context", "title", "rights", "attribution", "panels", "questions", "prompt", "completion")
MIN_CHARS = 12  # of a text to look for: shorter ones ("A", "Fig. 1") stand anywhere


def _is_open(row: dict) -> bool:
    return permits("commercial", of_row(row), row["rights"])


def _texts(value: object) -> Iterator[str]:
    """Every text in a value, of lists and structs too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _forbidden(dataset: Path) -> tuple[set[str], set[bytes], set[str]]:
    """Texts and pictures that only rows have which the policy does not permit; and of the texts those of figures with
    rights of their own, whose articles are open: there the text is the article's, and stands in its Markdown.
    """
    of_open_articles: set[str] = set()
    texts: dict[bool, set[str]] = {True: set(), False: set()}
    pictures: dict[bool, set[bytes]] = {True: set(), False: set()}
    for config in ("pairs", "align", "detail", "reasoning"):
        for row in rows_of(dataset, config):
            found = [text for name in TEXTS for text in _texts(row.get(name)) if len(text) >= MIN_CHARS]
            texts[_is_open(row)] |= set(found)
            of_open_articles |= set(found) if row["rights"] else set()
            pictures[_is_open(row)] |= {stored["bytes"] for stored in row.get("images") or [row.get("image")]}
    published = "\n".join(texts[True])  # a sentence of a synthetic article may stand in another one, too
    closed = {text for text in texts[False] if text not in published}
    return closed, pictures[False] - pictures[True], closed & of_open_articles


def _published(hub, name: str) -> dict[str, Path]:
    return {path: hub.store.content_path(blob) for path, blob in hub.repo("dataset", name).files_at("main").items()}


def _read(path: str, file: Path) -> tuple[list[str], list[bytes]]:
    """The texts and pictures of a file: of a Parquet file those of its rows."""
    if not path.endswith(".parquet"):
        return [file.read_text(encoding="utf-8")], [file.read_bytes()]
    rows = parquet.read_table(file).to_pylist()
    stored = [picture["bytes"] for row in rows for picture in row.get("images") or [row.get("image")] if picture]
    return list(_texts(rows)), stored


def leaks(hub, name: str, dataset: Path) -> list[str]:
    """What of the forbidden rows' words and pictures stands in a repository."""
    texts, pictures, of_open_articles = _forbidden(dataset)
    assert len(texts) > 50
    assert len(pictures) > 10
    found = []
    for path, file in _published(hub, name).items():
        held, blobs = _read(path, file)
        joined = "\n".join(held)
        sought = texts - of_open_articles if path == "provenance/markdown.parquet" else texts
        found += [f"{path}: {text}" for text in sought if text in joined]
        found += [f"{path}: {len(picture)} bytes" for picture in pictures for blob in blobs if picture in blob]
    return found


def _renamed(articles: Path, target: Path) -> Path:
    """The same articles under other names, in other folders."""
    for number, path in enumerate(sorted(articles.iterdir())):
        if path.is_dir():
            shutil.copytree(path, target / "mine" / str(number))
        elif path.suffix in (".pdf", ".gz"):
            (target / "mine").mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / "mine" / f"{number}{''.join(path.suffixes[-2:])}")
    for number, path in enumerate(sorted((target / "mine").rglob("article.*"))):
        path.rename(path.with_name(f"other name {number}{path.suffix}"))
    return target


# ---- the whole way


def test_what_is_forbidden_stays_at_home_and_comes_back_from_the_articles(
    hub, ldrt_client, run_client, original, articles, tmp_path
):
    pushed = ldrt_client("push", original, "lab/figures", "--withheld", "true")
    assert pushed.status == 0, pushed.stderr
    closed = [row for row in rows_of(original) if not _is_open(row)]
    assert f"withheld   {len(closed):>7} rows" in pushed.stdout
    assert {row["source"] for row in closed} == {"jats", "pdf", "jats+pdf"}
    assert WORDS in str([row["rights"] for row in closed])
    assert leaks(hub, "lab/figures", original) == []
    loaded = run_client("-c", LOAD, "lab/figures", home="clean").stdout
    assert json.loads(loaded) == {"pairs": len(rows_of(original)) - len(closed), "withheld": len(closed)}

    output, mine = tmp_path / "dataset", _renamed(articles, tmp_path / "library")
    done = ldrt_client("rehydrate", "lab/figures", "--articles", mine, "--output", output)
    assert done.status == 0, done.stderr
    assert f"made again     {len(closed):>7}" in done.stdout
    assert differences(output) == []
    assert rows_of(output) == rows_of(original)
    for path in (original / "pairs").iterdir():
        assert (output / "pairs" / path.name).read_bytes() == path.read_bytes()

    taught = ldrt_client("instruct", output)
    assert taught.status == 0, taught.stderr
    for config in ("align", "detail", "reasoning"):
        assert rows_of(output, config) == rows_of(original, config)

    again = ldrt_client("push", output, "lab/again", "--withheld", "true")
    assert again.status == 0, again.stderr
    assert leaks(hub, "lab/again", original) == []
    first, second = _published(hub, "lab/figures"), _published(hub, "lab/again")
    for path in first:
        if path.endswith(".parquet") and not path.startswith("provenance/"):
            assert second[path].read_bytes() == first[path].read_bytes(), path
    verified = ldrt_client("verify", "datasets/lab/again")
    assert verified.status == 0, verified.stdout + verified.stderr
    assert "withheld: ids and hashes alone" in verified.stdout


LOAD = """
import json, sys
from datasets import load_dataset
print(json.dumps({name: sum(len(rows) for rows in load_dataset(sys.argv[1], name or None).values())
                  for name in ("pairs", "withheld")}))
assert "image" in load_dataset(sys.argv[1])["train"].column_names  # what is loaded without a name
"""


def test_without_being_asked_no_ids_are_published_and_old_ones_go(hub, ldrt_client, original):
    assert ldrt_client("push", original, "lab/figures", "--withheld", "true").status == 0
    assert any(path.startswith("withheld/") for path in _published(hub, "lab/figures"))
    assert ldrt_client("push", original, "lab/figures").status == 0
    assert not any(path.startswith("withheld/") for path in _published(hub, "lab/figures"))
    plain = ldrt_client("rehydrate", "lab/figures", "--articles", original, "--output", original.with_name("none"))
    assert plain.status == 1
    assert "lists no figure without its picture" in plain.stderr
    assert not any(path.endswith("rebuild.jsonl") for path in _published(hub, "lab/figures"))


def test_the_search_for_leaks_finds_one(hub, ldrt_client, original):
    assert ldrt_client("push", original, "lab/open", "--policy", "all").status == 0
    found = leaks(hub, "lab/open", original)
    for place in ("pairs/", "detail/", "preview.html", "provenance/markdown"):
        assert any(one.startswith(place) for one in found), place


def test_a_dataset_of_before_has_nothing_to_list_by(ldrt_client, original, tmp_path):
    dataset = Path(shutil.copytree(original, tmp_path / "dataset"))
    (dataset / "provenance" / "rebuild.jsonl").unlink()
    refused = ldrt_client("push", dataset, "lab/figures", "--withheld", "true", "--dry_run", "true")
    assert refused.status == 1
    assert "rebuild.jsonl is absent, and --withheld needs it: run `ldrt build` again" in refused.stderr


def test_what_else_stands_in_rebuild_is_not_published(original, tmp_path):
    """Rows of it in another shape are refused; further keys stay at home."""
    from model_cards.staging.dataset import stage_dataset

    dataset = Path(shutil.copytree(original, tmp_path / "dataset"))
    path = dataset / "provenance" / "rebuild.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row | {"caption": "THE WORDS", "note": "THE WORDS"}) + "\n" for row in rows))
    staged = stage_dataset(dataset, tmp_path / "staged", "commercial", "lab/figures", with_withheld=True)
    assert staged.withheld is not None
    assert staged.withheld.listed
    assert not any("THE WORDS" in text for name, file in staged.files.items() for text in _read(name, file)[0])
    path.write_text("".join(json.dumps(row | {"label": ["Figure 1"]}) + "\n" for row in rows))
    with pytest.raises(ValueError, match=r"rebuild.jsonl, line 1: `label`"):
        stage_dataset(dataset, tmp_path / "staged", "commercial", "lab/figures", with_withheld=True)


def test_figures_that_are_in_no_list_are_counted(original, tmp_path):
    from model_cards.staging.dataset import stage_dataset

    dataset = Path(shutil.copytree(original, tmp_path / "dataset"))
    path = dataset / "provenance" / "rebuild.jsonl"
    kept = [line for line in path.read_text().splitlines() if '"source": "jats"' in line]
    path.write_text("\n".join(kept) + "\n")
    said = stage_dataset(dataset, tmp_path / "staged", "commercial", "lab/figures", with_withheld=True).describe()
    closed = [row for row in rows_of(original) if not _is_open(row)]
    jats = sum(row["source"] == "jats" for row in closed)
    assert f"withheld   {jats:>7} rows, ids" in said
    assert f"{len(closed) - jats:>7} more are not listed (not in provenance/rebuild.jsonl" in said


@pytest.mark.parametrize("decision", ["drop", "blur", None, "keep"])
def test_figures_with_personal_data_are_in_no_list(original, tmp_path, decision):
    """Their articles are public, and still nobody is told where they are; places count what is published or listed."""
    from model_cards.staging.dataset import stage_dataset

    dataset = Path(shutil.copytree(original, tmp_path / "dataset"))
    rows = rows_of(dataset)
    split = next(row["split"] for row in rows if not _is_open(row))
    of_split = [row for row in rows if row["split"] == split]
    first = next(row for row in of_split if not _is_open(row))
    row = {"picture": first["image_sha256"], "figure_id": first["figure_id"], "decision": decision}
    row |= {"kind": "name", "text": "a name", "box": [0.0, 0.0, 9.0, 9.0], "score": 1.0}
    (dataset / "review.jsonl").write_text(json.dumps(row) + "\n")
    staged = stage_dataset(dataset, tmp_path / "staged", "commercial", "lab/figures", with_withheld=True)
    listed = rows_of(tmp_path / "staged", "withheld")
    assert (first["figure_id"] in {row["figure_id"] for row in listed}) == (decision == "keep")
    there = [row["figure_id"] for row in of_split if row["figure_id"] != first["figure_id"] or decision == "keep"]
    places = [(row["figure_id"], row["position"]) for row in listed if row["split"] == split]
    assert places == [(one, there.index(one)) for one, _ in places]
    assert staged.withheld is not None
    assert staged.withheld.unlisted == (decision != "keep")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.append_column("caption", table["figure_id"]), "has columns of its own: caption"),
        (lambda table: table.slice(1), "rows, not"),
        (None, "is listed as withheld, and its row is in pairs"),
    ],
)
def test_verify_knows_a_list_that_was_changed(published, original, tmp_path, capsys, change, said):
    import ldrt

    dataset = Path(shutil.copytree(published, tmp_path / "dataset"))
    assert ldrt.main(["verify", str(dataset)]) == 0
    path = next((dataset / "withheld").glob("*.parquet"))
    if change:
        parquet.write_table(change(parquet.read_table(path)), path)
    else:
        name = f"pairs/{path.name}"
        shutil.copyfile(original / name, dataset / name)
    capsys.readouterr()
    assert ldrt.main(["verify", str(dataset)]) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("columns", [COLUMNS, PAIR_COLUMNS])
def test_nothing_trains_on_the_list_by_accident(published, columns):
    for split in {row["split"] for row in rows_of(published, "withheld")}:
        with pytest.raises(ValueError, match=r"config withheld: no column images"):
            load_examples(str(published), "withheld", split, None, columns=columns)


# ---- again, and after a kill


def test_a_second_run_changes_nothing_and_needs_no_articles(published, made_again, tmp_path):
    output = Path(shutil.copytree(made_again, tmp_path / "dataset"))
    before = {path: path.stat().st_mtime_ns for path in (output / "pairs").iterdir()}
    rows = rows_of(output)
    (tmp_path / "empty").mkdir()
    assert rehydrate(published, tmp_path / "empty", output) == 0
    assert {path: path.stat().st_mtime_ns for path in (output / "pairs").iterdir()} == before
    assert rows_of(output) == rows


def test_articles_may_come_in_parts(published, original, articles, tmp_path, capsys):
    output = tmp_path / "dataset"
    for part in ("jats*", "pdf*"):
        mine = tmp_path / part.strip("*")
        for path in articles.glob(part):
            copy = shutil.copytree if path.is_dir() else shutil.copy
            mine.mkdir(exist_ok=True)
            copy(path, mine / path.name)
        capsys.readouterr()
        assert rehydrate(published, mine, output) == 0
        if part == "jats*":
            assert "article missing" in capsys.readouterr().out
            assert {one["reason"] for one in differences(output)} == {"article missing"}
    assert rows_of(output) == rows_of(original)
    assert differences(output) == []


def test_examples_made_since_stay(published, articles, made_again, tmp_path):
    output = Path(shutil.copytree(made_again, tmp_path / "dataset"))
    assert rows_of(output, "detail") == rows_of(published, "detail")  # those that were published, until there are more
    mine = output / "detail" / "train-00000-of-00001.parquet"
    parquet.write_table(parquet.read_table(mine).slice(0, 1), mine)
    assert rehydrate(published, articles, output) == 0
    assert parquet.read_metadata(mine).num_rows == 1


KILLED = """
import os, signal, sys
left, real = int(sys.argv[1]), os.replace
def replace(*args):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return real(*args)
os.replace = replace
import ldrt
sys.exit(ldrt.main(sys.argv[2:]))
"""


@pytest.mark.slow
def test_killed_anywhere_and_started_again(published, original, articles, tmp_path):
    output, killed = tmp_path / "dataset", 0
    words = ["rehydrate", published, "--articles", articles, "--output", output, "--workers", 2]
    env = os.environ | {"PYTHONPATH": str(PROJECT)}
    for step in range(100):
        command = [sys.executable, "-c", KILLED, str(step), *map(str, words)]
        done = processes.run(command, tmp_path / "printed", cwd=tmp_path, env=env)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        killed += 1
    assert killed > 5
    assert rows_of(output) == rows_of(original)
    assert differences(output) == []
    assert rows_of(output, "align") == rows_of(published, "align")
