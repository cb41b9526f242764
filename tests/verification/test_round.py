"""The whole round over real HTTP: demo, push, publish; a clean cache, load, ask, verify; tamper; a narrower policy."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import processes
from tests.hub_server.fixtures import hub, ldrt_client  # noqa: F401 - fixtures
from tests.hub_server.server import PROJECT, HubServer, client_env
from tests.verification.conftest import DATASET, MODEL, Published

pytestmark = pytest.mark.slow

ARTICLES = 24  # of the demo: enough for a test split with several articles
_LOAD = f"""
from datasets import load_dataset
from transformers import AutoModelForImageTextToText, AutoProcessor
pairs, instruct = (load_dataset("{DATASET}", config) for config in ("pairs", "instruct"))
pairs["test"][0]["image"].save("figure.png")
model, processor = (kind.from_pretrained("{MODEL}") for kind in (AutoModelForImageTextToText, AutoProcessor))
print(len(pairs["train"]), len(instruct["train"]), model.num_parameters())
"""


class Stranger:
    """Whoever reads the Hub later: no file of the demo's folder, caches of its own, `ldrt` in new processes."""

    def __init__(self, server: HubServer, folder: Path):
        self.hub, self.folder = server, folder
        folder.mkdir()

    def python(self, *argv, status: int = 0) -> SimpleNamespace:
        env = client_env(self.hub.url, self.folder / "home", "hf_write")
        command = [sys.executable, *map(str, argv)]
        done = processes.run(command, self.folder / "printed", cwd=self.folder, env=env)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def ldrt(self, *argv, status: int = 0) -> SimpleNamespace:
        return self.python("-m", "ldrt", *argv, status=status)


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """What `ldrt demo` makes, with fewer articles."""
    folder = tmp_path_factory.mktemp("round") / "demo"
    command = [sys.executable, "-m", "ldrt", "demo", "--output", str(folder), "--articles", str(ARTICLES)]
    done = processes.run(command, folder.parent / "printed", cwd=PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_what_a_stranger_can_load_ask_check_and_catch(hub, ldrt_client, hub_process, demo, tmp_path):  # noqa: F811
    published = publish(ldrt_client, hub_process, demo)
    stranger = Stranger(hub, tmp_path / "stranger")
    check_that_it_loads_and_answers(stranger)
    check_that_it_holds_until_it_is_tampered_with(published, stranger)
    check_that_a_narrower_policy_lists_the_old_state(ldrt_client, demo, stranger)


def test_a_model_whose_vision_tower_was_trained_holds(hub, ldrt_client, demo, tmp_path):  # noqa: F811
    """`trainable: full-vision`: the tower is among the adapter's weights, and merged."""
    asked = ["--dataset", demo / "dataset", "--limit", 4, "--device", "cpu"]
    phase2, tuned, run = (tmp_path / name for name in ("phase2", "tuned", "run"))
    train = ["train", "--launch", "accelerate_configs/cpu.yaml", "--config", "recipes/tiny-llava/phase2.yaml"]
    train += ["--model_name_or_path", demo / "phase1", "--dataset_name", demo / "dataset", "--max_steps", 2]
    train += ["--trainable", "full-vision", "--output_dir", phase2]
    command = [sys.executable, "-m", "ldrt", *map(str, train)]
    done = processes.run(command, tmp_path / "printed", cwd=PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [
        ("merge", phase2, "--output", tuned),
        ("generate", "--model", tuned, *asked, "--output", run),
        ("score", run),
        ("card", run, "--license", "apache-2.0"),
        ("publish", run, "lab/tower", "--checkpoint", tuned, "--adapter", phase2, "--policy", "all"),
    ]
    for step in steps:
        done = ldrt_client(*step)
        assert done.status == 0, done.stdout + done.stderr
    stranger = Stranger(hub, tmp_path / "stranger")
    options = ["--dataset", demo / "dataset", "--device", "cpu", "--regenerate", 2]
    whole = stranger.ldrt("verify", "lab/tower", *options, "--output", "report.json")
    report = json.loads((stranger.folder / "report.json").read_text())
    assert report["holds"], whole.stdout
    verdicts = {check["what"]: check["verdict"] for check in report["checks"]}
    assert verdicts["checkpoint: the one that was evaluated"] == "holds"
    assert verdicts["lineage.json: what the results say of the training"] == "holds"
    assert verdicts["predictions: the first 2 given again by the checkpoint"] == "holds"


def publish(ours, hub_process, demo: Path) -> Published:
    steps = [
        ("push", demo / "dataset", DATASET, "--policy", "all"),
        ("card", demo / "runs/tuned", "--repo_id", MODEL, "--dataset_id", DATASET, "--license", "apache-2.0"),
        ("publish", demo / "runs/tuned", MODEL, "--checkpoint", demo / "tuned", "--adapter", demo / "phase2"),
    ]
    for step in steps:
        done = ours(*step)
        assert done.status == 0, done.stdout + done.stderr
    return Published(*hub_process)


def check_that_it_loads_and_answers(stranger: Stranger) -> None:
    n_pairs, n_examples, n_parameters = map(int, stranger.python("-c", _LOAD).stdout.split())
    assert n_pairs > ARTICLES / 2
    assert n_examples > n_pairs
    assert n_parameters > 0
    answer = stranger.ldrt("ask", MODEL, "figure.png", "What does this figure show?", "--device", "cpu").stdout
    assert answer.strip()


def check_that_it_holds_until_it_is_tampered_with(published: Published, stranger: Stranger) -> None:
    options = ["--dataset", DATASET, "--device", "cpu"]
    whole = stranger.ldrt("verify", MODEL, *options, "--regenerate", 2, "--output", "report.json")
    assert json.loads((stranger.folder / "report.json").read_text())["holds"], whole.stdout
    stranger.ldrt("verify", f"datasets/{DATASET}")
    lines = published.text("model", MODEL, "results/predictions.jsonl").splitlines()
    changed = json.loads(lines[1])
    lines[1] = json.dumps(changed | {"prediction": "A map of the dose to the left knee."})
    sha = published.tampered("model", MODEL, **{"results/predictions.jsonl": ("\n".join(lines) + "\n").encode()})
    said = stranger.ldrt("verify", MODEL, "--revision", sha, *options, status=1)
    assert "results/predictions.jsonl" in said.stdout
    assert changed["example_id"] in said.stdout


def check_that_a_narrower_policy_lists_the_old_state(ours, demo: Path, stranger: Stranger) -> None:
    wide = stranger.hub.repo("dataset", DATASET).branches["main"]
    narrow = ours("push", demo / "dataset", DATASET, "--policy", "commercial")
    assert narrow.status == 0, narrow.stderr
    assert "leaves out are still there" in narrow.stdout
    assert wide[:12] in narrow.stdout
    stranger.ldrt("verify", f"datasets/{DATASET}")
