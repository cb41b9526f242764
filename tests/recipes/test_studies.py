"""`recipes/*/run.sh`, the whole study in one file: from a server of articles to a repository that verifies, and again.

Both run as they stand, with the variables at their top alone: articles, Hub and language models are on loopback, the
model is tiny. The run is killed in the middle of training, with all that it has started, and started again.
"""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest

import ldrt
from tests import processes
from tests.dataset_builder.llm_server import completion, serve
from tests.dataset_builder.test_instruct_teacher import good
from tests.hub_server.server import HubServer, client_env
from tests.pmc_server import PmcServer
from tests.recipes.conftest import ROOT

N_ARTICLES, N_ASKED = 16, 6  # questions of each task
TRAIN = (
    "--use_cpu true --bf16 false --dtype float32 --attn_implementation sdpa --max_steps 4 --save_steps 1 "
    "--global_batch_size 2 --per_device_train_batch_size 2 --logging_steps 1 --dataloader_num_workers 0 "
    "--lora_r 8 --lora_alpha 16"
)
SCRIPTS = sorted(ROOT.glob("recipes/*/run.sh"))
PUBLISHED = {"lab/tiny", "lab/tuned", "lab/tuned-data", "lab/tuned-results"}
UPLOAD = """
from huggingface_hub import HfApi
api = HfApi()
api.create_repo("lab/tiny")
api.upload_folder(repo_id="lab/tiny", folder_path={folder!r})
"""


def judged(request: dict) -> dict:
    """A judge that passes its controls: 10 for the reference, else up to 3, for the share of its words."""
    shown = dict(re.findall(r"^(reference|answer): (.*)$", request["messages"][0]["content"], re.M))
    reference, answer = (json.loads(shown[name]) for name in ("reference", "answer"))
    words = set(reference.split())
    score = 10 if answer == reference else round(3 * len(words & set(answer.split())) / len(words))
    return completion(json.dumps({"reason": "Words in common.", "score": score}))


def replied(request: dict) -> dict:
    return good(request) if request["model"] == "teacher" else judged(request)


def on_path(folder: Path, does: str) -> str:
    """A PATH with a command `ldrt` that does that."""
    program = folder / "bin" / "ldrt"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


class Study:
    """A `run.sh` and the world that it runs in."""

    def __init__(self, name: str, folder: Path, hub: HubServer, pmc: PmcServer, llm: tuple[str, list[dict]]):
        self.script, self.folder, self.hub, self.pmc = ROOT / "recipes" / name / "run.sh", folder, hub, pmc
        self.made, self.asked = folder / "study", llm[1]
        fetch = [word for word in pmc.options() if not word.startswith("--contact")]
        self.env = client_env(hub.url, folder / "home", "hf_write") | {
            "PATH": on_path(folder, f'exec {sys.executable} -m ldrt "$@"'),
            "HF_DATASETS_CACHE": str(folder / "cache"),
            "STUDY": str(self.made),
            "CONTACT": "test@example.org",
            "FETCH_OPTIONS": " ".join(fetch),
            "TEST_SIZE": "0.3",
            "TEACHER": "teacher",
            "TEACHER_URL": llm[0],
            "JUDGES": f"plain={llm[0]} other={llm[0]}",
            "BASE": "lab/tiny",
            "LAUNCH": "accelerate_configs/cpu.yaml",
            "TRAIN_OPTIONS": TRAIN,
            "ANSWER_OPTIONS": f"--limit {N_ASKED} --max_new_tokens 8 --device cpu",
            "MODEL_ID": "lab/tuned",
        }

    def run(self, *parts: str, **changes: str) -> str:
        """What it says; it must succeed."""
        done = processes.run(["bash", str(self.script), *parts], self.folder, env=self.env | changes, cwd=ROOT)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def kill_when(self, there: Path) -> None:
        """Start it, and kill each of its processes (SIGKILL) once a file is there."""
        with (self.folder / "killed").open("wb") as said:
            process = subprocess.Popen(["bash", str(self.script)], env=self.env, cwd=ROOT, stdout=said, stderr=said)
            ended = processes.wait(process, there.exists)
            assert ended is None, (self.folder / "killed").read_text(encoding="utf-8")[-3000:]
            top = psutil.Process(process.pid)
            for one in [top, *top.children(recursive=True)]:
                one.kill()
            assert process.wait() == -signal.SIGKILL

    def repositories(self) -> set[str]:
        return {name for _, name in self.hub.store.repos}


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> list[dict[str, bytes]]:
    """Sample articles that have an XML, as the bucket holds them."""
    from dataset_builder.sample.corpus import write_corpus

    folder = tmp_path_factory.mktemp("packages") / "articles"
    write_corpus(folder, articles=2 * N_ARTICLES)
    found = []
    for number, xml in enumerate(sorted(folder.glob("jats-*/article.*xml"))[:N_ARTICLES], 1):
        pictures = {path.name: path.read_bytes() for path in xml.parent.iterdir() if path.name.startswith("fig")}
        found.append({f"PMC{number}.1.xml": xml.read_bytes(), **pictures})
    assert len(found) == N_ARTICLES
    return found


@pytest.fixture
def study(packages, dataset, tmp_path):
    """study("smolvlm-256m", "idefics3"): the script, with a tiny model of that family on the Hub."""
    with HubServer(tmp_path / "hub") as hub, PmcServer() as pmc, serve(replied, honours="json_schema") as llm:
        for number, files in enumerate(packages, 1):
            pmc.add(f"PMC{number}", 1, files)

        def make(name: str, family: str) -> Study:
            made = Study(name, tmp_path, hub, pmc, llm)
            base = tmp_path / "base"
            words = ["--dataset", str(dataset), "--output", str(base), "--family", family, "--steps", "2"]
            python([str(ROOT / "recipes/tiny-llava/make_model.py"), *words], made.env)
            python(["-c", UPLOAD.format(folder=str(base))], made.env)
            return made

        yield make


def python(words: list[str], env: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, *words], env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_the_study_of_the_paper(study):
    ours = study("llava-v1.5-13b", "llava")
    assert f"{N_ARTICLES} articles" in ours.run("look")
    ours.kill_when(ours.made / "phase2" / "checkpoint-2")
    n_asked, n_fetched = len(ours.asked), len(ours.pmc.seen)
    said = ours.run()
    assert said.count("== ") == 7
    assert ours.repositories() == {"lab/tiny"}  # nothing is sent unless it is asked for
    assert len([path for _, path, _ in ours.pmc.seen[n_fetched:] if ".xml" in path]) == 0
    comparison = json.loads((ours.made / "runs/tuned/comparison.json").read_text())
    assert comparison["n_items"] == 2 * N_ASKED
    card = (ours.made / "runs/tuned/README.md").read_text(encoding="utf-8")
    assert "lab/tuned-data" in card
    assert "plain" in card
    assert_asked_once(ours.asked, n_asked)

    n_asked = len(ours.asked)
    said = ours.run("data", "publish", DRY_RUN="false")
    assert ours.repositories() == PUBLISHED
    assert "does not hold" not in said
    assert "given again" in said
    assert len(ours.asked) == n_asked


def assert_asked_once(asked: list[dict], n_before: int) -> None:
    """What was answered before the kill was not asked again: no prompt of the teacher is there twice."""
    prompts = Counter(str(request["messages"]) for request in asked if request["model"] == "teacher")
    assert n_before
    assert set(prompts.values()) == {1}


@pytest.mark.slow
def test_the_study_on_one_small_gpu(study):
    ours = study("smolvlm-256m", "idefics3")
    ours.env["JUDGES"] = ""
    ours.kill_when(ours.made / "phase1" / "checkpoint-2")
    ours.run("data", "plan", "train", "answers", "judge", "results")
    assert not ours.asked  # neither teacher nor judge
    assert "Not run" in (ours.made / "runs/tuned/README.md").read_text(encoding="utf-8")
    ours.run("publish", "data", DRY_RUN="false")
    assert ours.repositories() == PUBLISHED


def test_a_part_that_there_is_not_is_named():
    done = subprocess.run(["bash", str(ROOT / "recipes/smolvlm-256m/run.sh"), "dta"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "run.sh: no part dta: look, data, plan, train, answers, judge, results, publish\n"


@pytest.mark.parametrize("part", ["look", "data", ""])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.parent.name)
def test_an_address_that_was_forgotten_is_asked_for(script, part, tmp_path):
    """Before anything runs, by the name of the variable."""
    env = os.environ | {"PATH": on_path(tmp_path, f"touch {tmp_path}/ran"), "CONTACT": ""}
    done = subprocess.run(["bash", str(script), *part.split()], env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("run.sh: set CONTACT to your e-mail address")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.parent.name)
def test_what_is_missing_beside_an_address_is_said(script, tmp_path):
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(["bash", str(script), "plan"], env=bare, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "run.sh: there is no ldrt on the PATH: source .venv/bin/activate\n")
    env = os.environ | {"PATH": on_path(tmp_path, "true"), "JUDGES": " "}
    done = subprocess.run(["bash", str(script), "judge"], env=env, capture_output=True, text=True)
    assert (done.returncode, "JUDGES is empty" in done.stdout) == (0, True)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.parent.name)
def test_a_failed_line_stops_the_study(script, tmp_path):
    """The first command that fails is the last that runs."""
    env = os.environ | {"PATH": on_path(tmp_path, f'echo "$1" >> {tmp_path}/ran\ntest "$1" != build')}
    env |= {"CONTACT": "me@example.org"}
    assert subprocess.run(["bash", str(script)], env=env, capture_output=True).returncode == 1
    assert (tmp_path / "ran").read_text().split() == ["fetch", "build"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.parent.name)
def test_every_line_is_a_command_that_is_accepted(script, tmp_path):
    """As the parser has it, with every option; `test_the_study_…` run them."""
    env = os.environ | {"PATH": on_path(tmp_path, f"printf '%s\\n' \"$@\" --end-- >> {tmp_path}/ran")}
    env |= {"DRY_RUN": "false", "JUDGES": "one=http://localhost:1/v1", "CONTACT": "me@example.org"}
    parts = ["look", "data", "plan", "train", "answers", "judge", "results", "publish"]
    subprocess.run(["bash", str(script), *parts], env=env, check=True, capture_output=True)
    lines = (tmp_path / "ran").read_text(encoding="utf-8").split("--end--\n")[:-1]
    assert len(lines) >= 20
    for name, *words in map(str.splitlines, lines):
        ldrt.parse(importlib.import_module(ldrt.STAGES[name].module).Options, words, prog=f"ldrt {name}")
