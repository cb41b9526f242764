"""`ldrt verify` over real HTTP: what was published holds, and whatever is changed in it is named.

Every change but the first is made without hashes.json, so that it is found by what was made again.
"""

import fnmatch
import hashlib
import io
import json
import re
import shutil

import PIL.Image
import pyarrow
import pyarrow.parquet as parquet
import pytest

from model_cards.staging.checkpoint import MANAGED
from model_cards.study.card import with_made
from tests.hub_server.store import regular_file
from tests.verification.conftest import DATASET, MODEL
from trust.handovers import stamped
from trust.weights.checkpoint_files import is_allowed
from verification.repository import _MODEL_FILES

PREDICTIONS, JUDGEMENTS = "results/predictions.jsonl", "results/judgements.jsonl"
CARD, LINEAGE, WEIGHTS = "README.md", "lineage.json", "model.safetensors"


def changed_row(text: str, number: int, **values) -> bytes:
    lines = text.splitlines()
    lines[number] = json.dumps(json.loads(lines[number]) | values)
    return ("\n".join(lines) + "\n").encode()


def verdicts(published, tmp_path, name, *options, status=0) -> dict[str, tuple[str, str]]:
    """What was checked -> (verdict, what was found)."""
    report = tmp_path / "report.json"
    done = published.ldrt("verify", name, *options, "--output", report, status=status)
    content = json.loads(report.read_text())
    if status is not None:
        assert content["holds"] is (status == 0)
        assert ("does not hold: " in done.stderr) is (status == 1)
    return {check["what"]: (check["verdict"], "\n".join(check["found"])) for check in content["checks"]}


def wrong(found: dict) -> dict[str, str]:
    return {what: said for what, (verdict, said) in found.items() if verdict == "does not hold"}


def test_what_was_published_holds(published, tmp_path):
    found = verdicts(published, tmp_path, MODEL, "--regenerate", 3, "--device", "cpu")
    assert not wrong(found)
    unchecked = {what for what, (verdict, _) in found.items() if verdict == "not checked"}
    assert not unchecked
    for what in ("files", "checkpoint", "lineage", "questions", "answers", "scores", "comparison", "card", "training"):
        assert any(name.startswith(what) for name in found), what
    assert any("given again" in name for name in found)


def test_a_dataset_that_was_pushed_holds(published, tmp_path):
    found = verdicts(published, tmp_path, f"datasets/{DATASET}")
    assert not wrong(found)
    assert {verdict for verdict, _ in found.values()} == {"holds"}


def test_any_file_that_is_another_is_named_by_its_hash(published, tmp_path):
    evidence = published.text("model", MODEL, "results/evidence.jsonl").replace(": ", ":  ", 1)
    sha = published.tampered("model", MODEL, **{"results/evidence.jsonl": evidence.encode(), "config.json": None})
    done = published.ldrt("verify", MODEL, "--revision", sha, status=1)
    assert "config.json" in done.stderr  # refused by the gate: no checkpoint there
    sha = published.tampered("model", MODEL, **{"results/evidence.jsonl": evidence.encode()})
    (said,) = wrong(verdicts(published, tmp_path, MODEL, "--revision", sha, status=1)).values()
    assert said == "results/evidence.jsonl is not the file that was published"


@pytest.mark.parametrize("name", ["plots/mine.png", "results/human.json", "adapter/vocab.json"])
def test_a_file_that_was_added_is_named(published, folder_of, tmp_path, name):
    model = folder_of("model", MODEL)
    (model / name).parent.mkdir(exist_ok=True)
    (model / name).write_bytes(b"{}")
    done = published.ldrt("verify", model, "--dataset", DATASET, status=1)
    assert name in done.stdout + done.stderr


def test_hashes_that_name_no_file_hide_none(published, tmp_path):
    hashes = json.dumps({"format": 1, "files": {}, "rows": {}}).encode()
    sha = published.tampered("model", MODEL, **{"results/hashes.json": hashes})
    found = wrong(verdicts(published, tmp_path, MODEL, "--revision", sha, status=1))
    assert "model.safetensors is not among the files that were published" in "".join(found.values())


def test_the_evaluated_weights_under_adapter_do_not_vouch_for_others(published, folder_of, tmp_path):
    model = folder_of("model", MODEL)
    (model / "adapter").mkdir()
    for path in [path for path in model.iterdir() if path.is_file() and is_allowed(path.name)]:
        shutil.copy(path, model / "adapter")
    weights = bytearray((model / WEIGHTS).read_bytes())
    weights[-1] ^= 64
    (model / WEIGHTS).write_bytes(weights)
    (model / "results" / "hashes.json").unlink()
    found = wrong(verdicts(published, tmp_path, model, "--dataset", DATASET, status=1))
    assert "checkpoint: the one that was evaluated" in found


def prediction(text):
    row = json.loads(text[PREDICTIONS].splitlines()[-1])
    return {PREDICTIONS: changed_row(text[PREDICTIONS], -1, prediction="the dose may appear 5 Gy")}, row["example_id"]


def judgement(text):
    rows = [json.loads(line) for line in text[JUDGEMENTS].splitlines()]
    number, row = next((n, row) for n, row in enumerate(rows) if row["status"] == "ok" and row["control"] is None)
    return {JUDGEMENTS: changed_row(text[JUDGEMENTS], number, score=10 - row["score"] or 5)}, row["example_id"]


def reference(text):
    row = json.loads(text[PREDICTIONS].splitlines()[-1])
    return {PREDICTIONS: changed_row(text[PREDICTIONS], -1, reference="another reference")}, row["example_id"]


def indexed(text):
    changed = re.sub(r"(type: rougeL\n *value: ).*", r"\g<1>0.987", text[CARD], count=1)
    return {CARD: changed.encode()}, "0.987 is published"


def in_a_table(text):
    changed = re.sub(r"^(\| ROUGE-L F \| all \| )[\d.]+", r"\g<1>0.123", text[CARD], count=1, flags=re.M)
    return {CARD: changed.encode()}, "Result, line"


def in_the_text(text):
    changed = re.sub(r"\d+ questions, true pictures", "4321 questions, true pictures", text[CARD], count=1)
    return {CARD: changed.encode()}, "4321 questions"


def conclusion(text):
    body = text[CARD].split("\n---\n", 1)
    lines = body[1].splitlines()
    place = next(n for n, line in enumerate(lines) if line and not line.startswith("#"))
    lines[place] = "The tuned model is better in everything."
    return {CARD: (body[0] + "\n---\n" + "\n".join(lines) + "\n").encode()}, "made again it says"


def lineage(text):
    changed = json.loads(text[LINEAGE])
    changed["phases"][0]["settings"]["learning_rate"] = 0.1
    return {LINEAGE: json.dumps(changed).encode()}, "phases 0 settings learning_rate: 0.1 is published"


def score(text):
    changed = json.loads(text["results/scores.json"])
    row = next(row for row in changed["scores"] if row["metric"] == "rouge1")
    row["value"] += 0.2
    return {"results/scores.json": json.dumps(changed).encode()}, f"rouge1, {row['task']}, {row['image_condition']}"


def difference(text):
    changed = json.loads(text["results/comparison.json"])
    row = next(row for row in changed["rows"] if row["metric"] == "rouge2")
    row["p_value"] = 0.0001
    return {"results/comparison.json": json.dumps(changed).encode()}, "rows rouge2, all, true p_value"


def base_answer(text):
    row = json.loads(text["results/paired_items.jsonl"].splitlines()[0])
    changed = changed_row(text["results/paired_items.jsonl"], 0, base_answer="nothing at all")
    return {"results/paired_items.jsonl": changed}, f"{row['example_id']} (image condition"


def trained_on_the_test_split(text):
    changed, manifest = json.loads(text[LINEAGE]), json.loads(text["results/manifest.json"])
    changed["phases"][0]["dataset_split"] = "test"
    manifest["lineage"] = changed
    files = {LINEAGE: json.dumps(changed).encode(), "results/manifest.json": json.dumps(manifest).encode()}
    return files, "is in the training rows"


def answer_twice(text):
    lines = text[PREDICTIONS].splitlines()
    lines[0] = lines[0].replace('"prediction": ', '"prediction": "another", "prediction": ', 1)
    return {PREDICTIONS: ("\n".join(lines) + "\n").encode()}, f"{PREDICTIONS}, line 1: a key is there twice"


def paired_answer(text):
    row = json.loads(text["results/paired_items.jsonl"].splitlines()[0])
    changed = changed_row(text["results/paired_items.jsonl"], 0, tuned_answer="nothing at all")
    return {"results/paired_items.jsonl": changed}, f"{row['example_id']} (image condition"


def left_out(text):
    """The second question of a task, as if it had never been asked."""
    rows = [json.loads(line) for line in text[PREDICTIONS].splitlines()]
    name = sorted({row["example_id"] for row in rows if row["task"] == "detail"})[1]
    kept = [line for line in text[PREDICTIONS].splitlines() if json.loads(line)["example_id"] != name]
    manifest = json.loads(text["results/manifest.json"])
    for condition in manifest["image_conditions"].values():
        condition["items"] -= 1
    files = {PREDICTIONS: "".join(f"{line}\n" for line in kept), "results/manifest.json": json.dumps(manifest)}
    return {file: content.encode() for file, content in files.items()}, f"{name} is in the dataset and has no answer"


def for_leaderboards(text):
    entry = "- dataset: {id: a/b, task_id: all-rougeL}\n  value: 0.99\n"
    return {".eval_results/ldrt.yaml": entry.encode()}, "all-rougeL: 0.99 is published"


CHANGES = {
    "files: JSON": [answer_twice],
    "questions: each": [left_out],
    "leaderboards": [for_leaderboards],
    "answers: each": [prediction, judgement],
    "questions: those": [reference],
    "card: each number of `model-index`": [indexed],
    "card: each number in tables": [in_a_table, in_the_text],
    "card: what it concludes": [conclusion],
    "lineage.json": [lineage],
    "scores.json": [score],
    "comparison.json": [difference],
    "pairs": [base_answer, paired_answer],
    "training rows": [trained_on_the_test_split],
}


@pytest.mark.parametrize(("what", "change"), [(what, one) for what, several in CHANGES.items() for one in several])
def test_one_change_is_named(published, tmp_path, what, change):
    names = [
        PREDICTIONS,
        JUDGEMENTS,
        CARD,
        LINEAGE,
        *(f"results/{n}.json" for n in ("scores", "comparison", "manifest")),
    ]
    text = {name: published.text("model", MODEL, name) for name in [*names, "results/paired_items.jsonl"]}
    files, named = change(text)
    assert all(content != text.get(name, "").encode() for name, content in files.items())
    sha = published.tampered("model", MODEL, **files, **{"results/hashes.json": None})
    found = wrong(verdicts(published, tmp_path, MODEL, "--revision", sha, status=1))
    (said,) = [said for name, said in found.items() if name.startswith(what)]
    assert named in said


def test_an_adapter_that_was_not_merged_into_the_model(published, folder_of, tmp_path):
    """Its weights changed together with hashes.json: the lineage of the merged model knows them."""
    model = folder_of("model", MODEL)
    (model / "results" / "hashes.json").unlink()
    adapter = model / "adapter"
    adapter.mkdir()
    weights = shutil.copy(model / WEIGHTS, adapter / "adapter_model.safetensors")
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    shutil.copy(model / LINEAGE, adapter)
    noted = {"merge": {"dtype": "auto", "adapter_sha256": hashlib.sha256(weights.read_bytes()).hexdigest()}}
    manifest = json.loads((model / "results" / "manifest.json").read_text())
    manifest["lineage"] |= noted
    (model / "results" / "manifest.json").write_text(json.dumps(manifest))
    (model / LINEAGE).write_text(json.dumps(manifest["lineage"]))
    what = "lineage.json: what the results say of the training"
    found = verdicts(published, tmp_path, model, "--dataset", DATASET, status=None)
    assert found[what] == ("holds", "")
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 64
    weights.write_bytes(changed)
    verdict, said = verdicts(published, tmp_path, model, "--dataset", DATASET, status=1)[what]
    assert verdict == "does not hold"
    assert "adapter/adapter_model.safetensors: not the weights that were merged" in said


@pytest.mark.parametrize("text", ["\ud83d", "a\ud83d b\ude00"])
def test_half_a_character_is_one_line_with_its_place(published, text):
    changed = changed_row(published.text("model", MODEL, PREDICTIONS), 2, prediction=text)
    sha = published.tampered("model", MODEL, **{PREDICTIONS: changed, "results/hashes.json": None})
    done = published.ldrt("verify", MODEL, "--revision", sha, status=1)
    assert done.stderr.count("\n") == 1
    assert f"{PREDICTIONS}, line 3: half a character" in done.stderr


def test_whole_characters_written_as_halves_are_let_be(published, tmp_path):
    """JSON writes what is beyond 16 bits as two escapes."""
    evidence = published.text("model", MODEL, "results/evidence.jsonl").splitlines()
    evidence[0] = json.dumps(json.loads(evidence[0]) | {"note": "\U0001f600"})
    content = ("\n".join(evidence) + "\n").encode()
    assert b"\\ud83d\\ude00" in content
    sha = published.tampered("model", MODEL, **{"results/evidence.jsonl": content, "results/hashes.json": None})
    assert not wrong(verdicts(published, tmp_path, MODEL, "--revision", sha))


def test_one_weight(published, tmp_path):
    weights = bytearray(published.content("model", MODEL, WEIGHTS))
    weights[-1] ^= 64
    sha = published.tampered("model", MODEL, **{WEIGHTS: bytes(weights)})
    found = wrong(verdicts(published, tmp_path, MODEL, "--revision", sha, status=1))
    assert found["checkpoint: the one that was evaluated"].startswith(
        "weights, configuration or tokenizer have sha256:"
    )
    assert "model.safetensors is not the file" in "".join(found.values())


def test_an_answer_that_the_checkpoint_does_not_give(published, tmp_path):
    """Changed in every file in which it stands, so that only the checkpoint knows."""
    files = {}
    row = next(
        row
        for row in map(json.loads, published.text("model", MODEL, PREDICTIONS).splitlines())
        if row["image_condition"] == "true" and len((row["prediction"] or "").split()) > 1
    )
    words = row["prediction"].split()
    for number, line in enumerate(published.text("model", MODEL, PREDICTIONS).splitlines()):
        if json.loads(line) == row:
            other = " ".join(reversed(words))
            files[PREDICTIONS] = changed_row(published.text("model", MODEL, PREDICTIONS), number, prediction=other)
    sha = published.tampered("model", MODEL, **files, **{"results/hashes.json": None})
    options = ("--revision", sha, "--regenerate", 20, "--device", "cpu")
    found = wrong(verdicts(published, tmp_path, MODEL, *options, status=1))
    assert row["example_id"] in found["predictions: the first 20 given again by the checkpoint"]


@pytest.mark.parametrize(
    ("added", "is_listed"),
    [
        ("\n## Thanks\n\nTo all who rated answers.\n", False),
        ("\n## Elsewhere\n\nAnother group reports 99.9 % on its own set.\n", True),
    ],
)
def test_what_a_person_wrote_is_let_be_and_its_numbers_are_not_vouched_for(published, tmp_path, added, is_listed):
    card = published.text("model", MODEL, CARD) + added
    sha = published.tampered("model", MODEL, **{CARD: card.encode()})
    found = verdicts(published, tmp_path, MODEL, "--revision", sha)
    listed = "".join(said for what, (verdict, said) in found.items() if "not from the results" in what)
    assert ("99.9" in listed) is is_listed


def test_results_of_an_earlier_version_are_not_checked_and_said(published, tmp_path):
    gone = ("per_item_scores.jsonl", "paired_items.jsonl", "card.json", "hashes.json")
    sha = published.tampered("model", MODEL, **{f"results/{name}": None for name in gone})
    found = verdicts(published, tmp_path, MODEL, "--revision", sha)
    unchecked = [what for what, (verdict, _) in found.items() if verdict == "not checked"]
    for start in ("files", "answers: each", "pairs", "card", "comparison"):
        assert any(what.startswith(start) for what in unchecked), start


def test_rows_that_may_not_be_quoted(published, tmp_path):
    """With the dataset at hand they are measured again; without it what was published of them stands, and is said."""
    items = "results/per_item_scores.jsonl"
    bare = changed_row(published.text("model", MODEL, PREDICTIONS), -1, question=None, reference=None)
    files = {PREDICTIONS: bare, "results/hashes.json": None}
    sha = published.tampered("model", MODEL, **files)
    found = verdicts(published, tmp_path, MODEL, "--revision", sha)
    assert [what for what, (verdict, _) in found.items() if verdict == "not checked"] == [
        "files: those that were published (hashes.json)",
        "predictions: given again by the checkpoint",
    ]
    found = verdicts(published, tmp_path, MODEL, "--revision", sha, "--dataset", "lab/none")
    verdict, said = found["answers: the measurements of rows that may not be quoted"]
    assert verdict == "not checked"
    assert said.startswith("1 of 32 are published without question and reference")

    place = [json.loads(bare.splitlines()[-1])[key] for key in ("example_id", "image_condition")]
    rows = [json.loads(line) for line in published.text("model", MODEL, items).splitlines()]
    number = next(n for n, row in enumerate(rows) if [row["example_id"], row["image_condition"]] == place)
    scores = rows[number]["scores"] | {"rougeL": 1.0}
    files[items] = changed_row(published.text("model", MODEL, items), number, scores=scores)
    sha = published.tampered("model", MODEL, **files)
    found = wrong(verdicts(published, tmp_path, MODEL, "--revision", sha, "--dataset", "lab/none", status=1))
    (said,) = [said for what, said in found.items() if what.startswith("scores.json")]
    assert f"rougeL, all, {place[1]} value" in said


def with_study(published, dataset_commit=None, answers=None, results="lab/model-results"):
    """The model at a commit at which it names the dataset and a repository of answers, as one that a study made."""
    server = published.server
    store, head = server.store, server.repo("dataset", DATASET).branches["main"]
    answers = answers or published.content("model", MODEL, PREDICTIONS)
    repo = server.store.repos.get(("dataset", results)) or store.create("dataset", results, True, "alice")
    file = regular_file(answers)
    store.put_object(file["oid"], answers)
    sha = store.add_commit(repo, "main", {"runs/tuned/predictions.jsonl": file}, "answers", "", "alice")
    made = [
        {"what": "dataset", "id": DATASET, "type": "dataset", "commit": dataset_commit or head},
        {"what": "answers and judgements", "id": results, "type": "dataset", "commit": sha},
    ]
    card = with_made(published.text("model", MODEL, CARD), made).encode()
    files = {CARD: card, "results/made.json": json.dumps(stamped({"made": made})).encode()}
    return published.tampered("model", MODEL, **files, **{"results/hashes.json": None})


def test_what_a_study_names_on_its_card_is_looked_at(published, tmp_path):
    sha = with_study(published)
    found = verdicts(published, tmp_path, MODEL, "--revision", sha)
    assert {what for what, (verdict, _) in found.items() if what.startswith("study: ") and verdict == "holds"} == {
        "study: each repository on the card is there, at its commit",
        "study: the dataset on the card is the one whose questions were compared",
        "study: the answers are among those of the repository on the card",
    }
    found = verdicts(published, tmp_path, MODEL, "--revision", sha, "--dataset", "lab/none")
    assert found["study: the dataset on the card is the one whose questions were compared"][0] == "not checked"


def test_what_a_study_names_and_is_not_there_or_another_does_not_hold(published, tmp_path):
    sha = with_study(published, dataset_commit="d" * 40, answers=b"{}\n")
    found = wrong(verdicts(published, tmp_path, MODEL, "--revision", sha, status=1))
    assert found["study: each repository on the card is there, at its commit"] == (
        f"dataset: {DATASET} has no commit {'d' * 40}"
    )
    assert "no run of lab/model-results at" in found["study: the answers are among those of the repository on the card"]


def test_another_commit_on_the_card_than_in_the_results(published, tmp_path):
    sha = with_study(published)
    files = published.server.repo("model", MODEL).commits[sha]["files"]
    card = published.server.store.content_path(files[CARD]).read_text()
    made = json.loads(published.server.store.content_path(files["results/made.json"]).read_text())
    other = card.replace(made["made"][0]["commit"] + "` |", "e" * 40 + "` |")
    assert other != card
    changed = {CARD: other.encode(), "results/made.json": json.dumps(made).encode(), "results/hashes.json": None}
    sha = published.tampered("model", MODEL, **changed)
    found = wrong(verdicts(published, tmp_path, MODEL, "--revision", sha, status=1))
    assert "e" * 40 in found["card: each number in tables and text"]


def test_a_repository_that_one_may_not_see_is_not_checked(published, tmp_path):
    sha = with_study(published, results="lab/hidden")
    del published.server.store.repos["dataset", "lab/hidden"]
    report = verdicts(published, tmp_path, MODEL, "--revision", sha)
    assert ("not checked", "answers and judgements: lab/hidden is not there, or not for this token") in report.values()


def changed_table(content: bytes, change) -> bytes:
    """A Parquet file with one row changed."""
    table = parquet.read_table(io.BytesIO(content))
    rows = table.to_pylist()
    change(rows[1])
    target = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), target)
    return target.getvalue()


def caption(row):
    row["caption"] = "Another caption."
    return row["figure_id"]


def picture(row):
    row["image"]["bytes"] = row["image"]["bytes"] + b"\0"


def another_picture(row):
    """As if its own hash were that of the picture, which near-duplicates are then not found of."""
    image = PIL.Image.effect_noise((row["width"], row["height"]), 99)
    image.save(target := io.BytesIO(), "PNG")
    row["image"]["bytes"] = target.getvalue()
    row["image_sha256"] = hashlib.sha256(target.getvalue()).hexdigest()


def without_ids(row):
    row["figure_id"] = None


def article(row):
    row["article_id"] = "MOVED"


def license(row):
    row["license"], row["licenses"] = "CC-BY-NC-ND-4.0", ["CC-BY-NC-ND-4.0"]


@pytest.mark.parametrize(
    ("change", "what", "said"),
    [
        (caption, "files", "row 2 ({figure}) has changed"),
        (caption, "card: `configs`", "config pairs"),
        (picture, "pictures", "{figure}: its picture is not the one whose hash is in its row"),
        (another_picture, "pictures", "{figure}: `phash` in its row is not its picture's"),
        (without_ids, "pictures", "a row has no figure_id"),
        (article, "examples", "its figure in"),
        (license, "rows", "pairs: 1 rows whose licence does not permit it (commercial)"),
    ],
)
def test_one_row_of_a_dataset(published, tmp_path, change, what, said):
    name = next(n for n in published.server.repo("dataset", DATASET).files_at("main") if n.startswith("pairs/train"))
    content = published.content("dataset", DATASET, name)
    figure = parquet.read_table(io.BytesIO(content)).column("figure_id")[1].as_py()
    sha = published.tampered("dataset", DATASET, **{name: changed_table(content, change)})
    found = wrong(verdicts(published, tmp_path, f"datasets/{DATASET}", "--revision", sha, status=1))
    (line,) = [line for name, line in found.items() if name.startswith(what)]
    assert said.format(figure=figure) in line


def test_a_training_row_that_shows_a_test_picture(published, tmp_path):
    files = published.server.repo("dataset", DATASET).files_at("main")
    train, test = (next(n for n in files if n.startswith(start)) for start in ("detail/train", "pairs/test"))
    picture = parquet.read_table(io.BytesIO(published.content("dataset", DATASET, test))).to_pylist()[0]["image"]
    changed = changed_table(published.content("dataset", DATASET, train), lambda row: row.update(images=[picture]))
    row = parquet.read_table(io.BytesIO(changed)).to_pylist()[1]
    sha = published.tampered("dataset", DATASET, **{train: changed, "provenance/hashes.json": None})
    found = wrong(verdicts(published, tmp_path, f"datasets/{DATASET}", "--revision", sha, status=1))
    (said,) = [said for what, said in found.items() if what.startswith("pictures")]
    assert said == f"detail: {row['example_id']}: its picture is not that of {row['figure_id']}"


def test_a_file_that_is_no_parquet_is_named(published):
    name = next(n for n in published.server.repo("dataset", DATASET).files_at("main") if n.startswith("pairs/train"))
    sha = published.tampered("dataset", DATASET, **{name: b"PAR1garbagePAR1"})
    done = published.ldrt("verify", f"datasets/{DATASET}", "--revision", sha, status=1)
    assert f"{name} of " in done.stderr


def test_an_article_in_two_splits(published, tmp_path):
    files = published.server.repo("dataset", DATASET).files_at("main")
    train, test = (next(n for n in files if n.startswith(f"pairs/{split}")) for split in ("train", "test"))
    in_training = parquet.read_table(io.BytesIO(published.content("dataset", DATASET, train))).to_pylist()[0]
    moved = changed_table(published.content("dataset", DATASET, test), lambda row: row.update(in_training))
    sha = published.tampered("dataset", DATASET, **{test: moved})
    found = wrong(verdicts(published, tmp_path, f"datasets/{DATASET}", "--revision", sha, status=1))
    (said,) = [said for what, said in found.items() if what.startswith("splits")]
    assert f"{in_training['figure_id']}: its article is in train and in test" in said


def test_folders_are_verified_as_repositories_are(published, folder_of, tmp_path):
    model, dataset = folder_of("model", MODEL), folder_of("dataset", DATASET)
    assert not wrong(verdicts(published, tmp_path, model, "--dataset", dataset))
    assert not wrong(verdicts(published, tmp_path, dataset))
    (model / "results" / "predictions.jsonl").unlink()
    (model / "results" / "predictions.jsonl").symlink_to("/etc/hostname")
    refused = published.ldrt("verify", model, status=1)
    assert "is a link out of its folder" in refused.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [("lab/none", "a dataset is named datasets/ORG/NAME"), ("datasets/lab/none", "no dataset there")],
)
def test_what_is_not_there_is_one_line(published, name, message):
    done = published.ldrt("verify", name, status=1)
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        ("adapter/chat_template.jinja", True),
        ("adapter/adapter_model.safetensors", True),
        ("adapter/tokenizer.json", True),
        ("results/judgements.jsonl", True),
        ("adapter/training_args.bin", False),
        ("adapter/optimizer.pt", False),
        ("adapter/code.py", False),
    ],
)
def test_what_is_published_of_an_adapter_is_downloaded_and_nothing_else(name, is_read):
    assert any(fnmatch.fnmatch(name, pattern) for pattern in _MODEL_FILES) == is_read
    assert any(fnmatch.fnmatch(name, pattern) for pattern in MANAGED) == is_read
