"""Every word that a stranger can put before a card or page, at each: it stays a word.

A card is rendered twice, with an attack and with a harmless word in the same places: a real Markdown parser must find
the same blocks, links, pictures and commands in both.
"""

import json
from pathlib import Path

import datasets
import pyarrow
import pyarrow.parquet as parquet
import pytest
import yaml

from dataset_builder.schema import PAIRS
from model_cards.cards.dataset_card import render_dataset_card
from model_cards.cards.evaluated_run import EvaluatedRun
from model_cards.cards.examples import write_examples
from model_cards.cards.front_matter import Stated, model_facts
from model_cards.cards.model_card import render_card
from model_cards.files import read_jsonl
from model_cards.hub.preflight import front_matter
from model_cards.preview.page import render_preview
from tests.model_cards.test_card import compared, everything  # noqa: F401 - fixtures
from tests.trust.attacks import ATTACKS, commands, live, structure, unseen
from trust.markup import visible

HARMLESS = "word"
# Words that the cards' own rules look for, and keys whose values are such words
OURS = {"mean", "all", "true", "base", "tuned", "openai", "local", "word", "image", "projector", "lora", "reference"}
OUR_KEYS = {"metric", "image_condition", "task", "versus", "bin", "status", "tokenizer"}
NAMES = {"data_licenses", "teachers", "versions", "settings", "statuses", "differences", "failed", "rejected", "notes"}
NAMES |= {"skipped", "splits", "stages", "options", "licenses"}  # objects whose keys are strangers', too


def poisoned(value, attack: str, key: str = ""):
    """The value with an attack before and behind every text in it, and every name that a stranger chose."""
    if isinstance(value, dict):
        names = {name: f"{name}{attack}" if key in NAMES and name not in KEPT else name for name in value}
        return {names[name]: poisoned(inner, attack, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner, attack, key) for inner in value]
    if isinstance(value, str) and value not in OURS and key not in OUR_KEYS:
        return f"{attack}{value}{attack}"
    return value


TOLD = {  # of a phase
    "recipe": "a/b.yaml",
    "licenses": {"CC-BY-4.0": 3},
    "command": {"launch": ["--cpu"], "recipe": ["--config", "recipes/b.yaml"], "options": ["--seed", "3"]},
}
KEPT = {"interval", "rouge", "hedging", "build", "instruct", "push", "train", "validation", "test"}  # read by name


@pytest.fixture(scope="module", params=[pytest.param("compared", marks=pytest.mark.slow), "everything"])
def run(request) -> EvaluatedRun:
    """A run without judges, and one with all that a run can have, of an adapter."""
    folder = request.getfixturevalue(request.param)
    read = {name: json.loads((folder / f"{name}.json").read_text()) for name in ("manifest", "scores", "comparison")}
    human = json.loads((folder / "human.json").read_text()) if (folder / "human.json").exists() else None
    phases = [phase | TOLD for phase in _phases(read["manifest"])]
    read["manifest"]["lineage"] = {"base_model": "org/base", "base_revision": "c", "phases": phases}
    if human:
        read["manifest"]["adapter_of"] = {"model": "org/base", "revision": "d"}
    return EvaluatedRun(folder, **read, human=human)


@pytest.fixture(scope="module")
def harmless(run, tmp_path_factory) -> str:
    """The card with a harmless word where the attacks stand."""
    return model_card(run, HARMLESS, tmp_path_factory.mktemp("plain") / "run")


def _phases(manifest: dict) -> list[dict]:
    return (manifest["lineage"] or {"phases": [{}]})["phases"]


def model_card(run: EvaluatedRun, attack: str, folder: Path) -> str:
    """The card of the run with the attack in all its files, the predictions as well."""
    folder.mkdir()
    for name in ("predictions.jsonl", "paired_items.jsonl", "evidence.jsonl"):
        rows = list(read_jsonl(run.folder / name))
        keep = OUR_KEYS | {"example_id", "license", "licenses"}
        rows = [{k: v if k in keep else poisoned(v, attack, k) for k, v in row.items()} for row in rows]
        (folder / name).write_bytes("".join(json.dumps(row) + "\n" for row in rows).encode())
    manifest, scores, comparison, human = (
        poisoned(value, attack) for value in (run.manifest, run.scores, run.comparison, run.human)
    )
    evil = EvaluatedRun(folder, manifest, scores, comparison, human)
    return render_card(evil, model_facts(manifest, Stated()), ["metrics"], write_examples(folder))


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=str)
def test_nobody_but_us_writes_a_model_card(run, harmless, attack, tmp_path):
    card = model_card(run, attack, tmp_path / "evil")
    seen = visible(attack)
    # Of an attack that nobody sees the card is as without it; a word in a command leaves the command out.
    assert_same(card, harmless if seen else model_card(run, "", tmp_path / "none"))
    assert front_matter(card).get("license") is None
    if seen.strip():
        assert front_matter(card)["base_model"].startswith(seen)


def assert_same(card: str, plain: str) -> None:
    (front, body), (_, plain_body) = (text.removeprefix("---\n").split("\n---\n", 1) for text in (card, plain))
    assert isinstance(yaml.safe_load(front), dict)
    assert structure(body) == structure(plain_body)
    assert live(body) == live(plain_body)
    assert [len(words) for words in commands(body)] == [len(words) for words in commands(plain_body)]
    assert not unseen(card)
    card.encode()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=str)
def test_what_a_user_names_is_text_too(run, attack):
    def card(text: str) -> str:
        stated = Stated(repo_id=f"org/{text}", dataset_id=f"org/{text}", base_model=f"org/{text}")
        return render_card(run, model_facts(run.manifest, stated), [], [])

    assert_same(card(attack.replace("/", "-")), card(HARMLESS))


@pytest.mark.parametrize("license", [text for text in ATTACKS.values() if text] + ["MIT", "a b", "llama2\n", "-x"])
def test_a_licence_of_the_weights_is_a_name_of_the_hubs(run, license):
    with pytest.raises(ValueError, match="is no licence as the Hub names it"):
        model_facts(run.manifest, Stated(license=license))


def figures(folder: Path, attacks: list[str]) -> None:
    """Config `pairs` with one row an attack, which is in every column of text."""
    texts = [name for name, feature in PAIRS.items() if feature == datasets.Value("string")]
    schema = PAIRS.arrow_schema
    rows = []
    for number, attack in enumerate(attacks):
        text = f"{attack} {number}".encode("utf-8", "ignore").decode()  # Parquet takes no surrogates
        empty = dict.fromkeys(schema.names)
        rows.append(empty | dict.fromkeys(texts, text) | {"licenses": [text, None], "width": 1, "height": 1})
    (folder / "pairs").mkdir(parents=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema), folder / "pairs" / "train-00000-of-00001.parquet")


def provenance(folder: Path, attack: str) -> None:
    """All that the dataset card reads of `provenance/`, with the attack in it."""
    (folder / "provenance").mkdir(exist_ok=True)
    counts = {"articles": attack, "failed": {attack: 1}, "figures": 1, "kept": attack, "rejected": {attack: 6}}
    counts |= {"notes": {attack: 1}, "skipped": {f".{attack}": 2}, "text_damaged": attack or "x"}
    options = {"seed": attack, f"x{attack}": [attack, {"y": attack}]}
    build = {"versions": {attack: attack}, "options": options, "inputs_sha256": f"x{attack}", "counts": counts}
    push = {"options": {"policy": attack}, "counts": {attack: {"left_out": attack}}}
    stages = {"build": build, "instruct": build, "push": push, f"x{attack}": build}
    files = {
        "manifest.json": {"stages": stages},
        "splits.json": {"splits": {attack: dict.fromkeys(("articles", "figures", "groups"), 1)}, "collisions": []},
        "audit.json": {"articles": 1, "counts": {**dict.fromkeys(AUDITED, 1), attack: 2}, **dict.fromkeys(MEASURED)},
        "rejected.jsonl": {"filter": attack, "figure_id": attack},
    }
    for name, content in files.items():
        (folder / "provenance" / name).write_text(json.dumps(content) + "\n")


AUDITED = ("figures_xml", "figures_pdf", "captions_xml", "sentences_xml", "sentences_pdf")
MEASURED = ("figure_recall", "figure_precision", "caption_right", "context_recall", "context_precision")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    figures(folder, list(ATTACKS.values()))
    return folder


@pytest.fixture(scope="module")
def harmless_dataset(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("harmless")
    figures(folder, [HARMLESS] * len(ATTACKS))
    provenance(folder, HARMLESS)
    return render_dataset_card(folder, f"org/{HARMLESS}")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=str)
def test_nobody_but_us_writes_a_dataset_card(folder, harmless_dataset, attack):
    provenance(folder, attack)
    card = render_dataset_card(folder, f"org/{attack}")
    assert_same(card, harmless_dataset)
    front = front_matter(card)
    assert front["license"] == "other"
    assert set(front) == {"license", "license_name", "task_categories", "tags", "size_categories", "configs"}


@pytest.mark.parametrize("full", [text for text in ATTACKS.values() if text] + ["javascript:alert(1)", "/etc/passwd"])
def test_the_preview_links_and_reads_only_pictures_of_its_folder(tmp_path, full):
    (tmp_path / ".work").mkdir()
    row = {"figure_id": "F1", "image_path": f"javascript:{full}", "split": "train", "context": [full], "caption": full}
    (tmp_path / ".work" / "verdicts.jsonl").write_text(json.dumps(row) + "\n")
    page = render_preview(tmp_path)
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert "full" not in data["rows"][0]
    assert data["rows"][0]["caption"] == full
    assert page.count("<script") == 2
    assert "<img" not in page
