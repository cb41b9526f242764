"""`ldrt push` after `ldrt retract`: which published states, and which models, still hold what was taken down."""

import json

import pyarrow.parquet as parquet
import pytest

from tests.hub_server.store import regular_file

TAKEN, FIGURE = "PMC1", "PMC3/fig1"


@pytest.fixture
def dataset(dataset):
    """With a certificate as `ldrt build` writes it."""
    path = dataset / "provenance" / "splits.json"
    splits = {"train": range(12), "validation": range(12, 18), "test": range(18, 24)}
    assignments = {f"PMC{n}": split for split, numbers in splits.items() for n in numbers}
    whole = {"max_phash_distance": 4, "assignments": assignments, "benchmarks": {}}
    path.write_text(json.dumps(json.loads(path.read_text()) | whole))
    (dataset / "provenance" / "failed.jsonl").write_text("")
    return dataset


def push(ldrt_client, dataset, *words):
    done = ldrt_client("push", dataset, "lab/figures", *words)
    assert done.status == 0, done.stderr
    return done.stdout


def retract(ldrt_client, dataset, *words):
    done = ldrt_client("retract", dataset, *words, "--why", "asked for")
    assert done.status == 0, done.stderr


def model(hub, name: str, revision: str | None, dataset: str = "lab/figures") -> None:
    """A published model that says what it was trained on."""
    repo = hub.store.create("model", name, False, "alice")
    files = dict(repo.files_at("main"))
    phases = [{"dataset": dataset, "dataset_revision": revision, "trainable": "lora"}]
    for path, text in (
        ("README.md", f"---\ndatasets:\n- {dataset}\n---\n# M\n"),
        ("lineage.json", json.dumps({"base_model": "b", "phases": phases})),
    ):
        files[path] = regular_file(text.encode())
        hub.store.put_object(files[path]["oid"], text.encode())
    hub.store.add_commit(repo, "main", files, "model", "", "alice")


def test_states_and_models_that_still_hold_it_are_told_until_they_are_squashed(hub, ldrt_client, dataset, run_client):
    assert "taken down" not in push(ldrt_client, dataset, "--tag", "v1")
    repo = hub.repo("dataset", "lab/figures")
    first = repo.branches["main"]
    (dataset / "eval.yaml").unlink()
    push(ldrt_client, dataset)
    second = repo.branches["main"]
    model(hub, "lab/tuned", first)
    model(hub, "bob/folder", None)
    model(hub, "bob/of-before", "0" * 40)
    model(hub, "bob/elsewhere", first, "lab/other")
    retract(ldrt_client, dataset, "--article", TAKEN)
    said = push(ldrt_client, dataset, "--tag", "v2")
    third = repo.branches["main"]
    states = f"rows that were taken down (provenance/retracted.jsonl) are still there for whoever may read {hub.url}"
    assert f"{states}/datasets/lab/figures: commits {second[:12]}, {first[:12]}; tags v1. " in said
    assert third[:12] not in said.partition(states)[2]
    assert "run this again with --squash --delete_tags v1" in said
    assert 'HfApi().super_squash_history("lab/figures", repo_type="dataset")' in said
    assert 'HfApi().delete_tag("lab/figures", tag="v1", repo_type="dataset")' in said
    trained = f"lab/tuned (at {first[:12]})"
    assert f"trained on a state that has them: {trained}, bob/folder (at a commit that its lineage does not say)\n" in (
        said + "\n"
    )

    refused = ldrt_client("push", dataset, "lab/figures", "--squash", "true")
    assert refused.status == 1
    assert "the tags v1 hold rows that were taken down" in refused.stderr
    done = push(ldrt_client, dataset, "--squash", "true", "--delete_tags", "v1")
    assert "taken down" not in done
    assert len(hub.titles("dataset", "lab/figures")) == 1
    assert repo.tags == {"v2": third}
    texts = [hub.store.content_path(file).read_bytes() for file in repo.files_at("main").values()]
    assert not [text for text in texts if b"Text of PMC1." in text or b"Dose curve 1." in text]


def test_the_published_state_says_what_is_gone(hub, ldrt_client, dataset):
    retract(ldrt_client, dataset, "--article", TAKEN, "--figure", FIGURE)
    push(ldrt_client, dataset)
    repo = hub.repo("dataset", "lab/figures")
    paths = {path: hub.store.content_path(file) for path, file in repo.files_at("main").items()}
    read = {path: file.read_text("utf-8", "replace") for path, file in paths.items()}
    assert "article `PMC1` taken down (asked for)" in read["CHANGELOG.md"]
    assert "figure `PMC3/fig1` taken down (asked for)" in read["CHANGELOG.md"]
    assert len(read["provenance/retracted.jsonl"].splitlines()) == 2
    assert "PMC1/fig1, PMC3/fig1" in read["README.md"]
    assert "holds          files: " in ldrt_client("verify", "datasets/lab/figures").stdout


@pytest.mark.parametrize(("words", "other"), [(("--figure", FIGURE), "PMC4"), (("--article", "PMC100"), "PMC101")])
def test_a_figure_and_an_article_of_which_only_rejected_figures_were_there(hub, ldrt_client, dataset, words, other):
    """Its text under provenance/ counts, and the rows of others do not."""
    push(ldrt_client, dataset, "--policy", "all")
    first = hub.repo("dataset", "lab/figures").branches["main"]
    retract(ldrt_client, dataset, *words)
    assert f"commits {first[:12]}. To remove" in push(ldrt_client, dataset, "--policy", "all")
    retract(ldrt_client, dataset, "--article", other)
    second = hub.repo("dataset", "lab/figures").branches["main"]
    assert f"commits {second[:12]}, {first[:12]}. To remove" in push(ldrt_client, dataset, "--policy", "all")


def test_what_a_policy_never_let_out_is_held_by_no_state(hub, ldrt_client, dataset):
    closed = next(
        row["article_id"]
        for row in parquet.read_table(dataset / "pairs", columns=["article_id", "license"]).to_pylist()
        if row["license"] is None
    )
    push(ldrt_client, dataset)
    retract(ldrt_client, dataset, "--article", closed)
    assert "taken down (" not in push(ldrt_client, dataset)


def test_each_content_is_looked_at_once_and_no_picture_is_fetched(hub, ldrt_client, dataset):
    for n in range(3):
        (dataset / "CHANGELOG.md").write_text(f"# Changelog\n\n- {n}\n")
        push(ldrt_client, dataset)
    retract(ldrt_client, dataset, "--article", TAKEN)
    hub.log.clear()
    push(ldrt_client, dataset)
    read = hub.requests("GET /datasets/lab/figures/resolve/.*parquet")
    commits = {row["path"].split("/resolve/")[1].split("/")[0] for row in read}
    assert len(commits) == 2  # one of the three that share their files, and the new one
