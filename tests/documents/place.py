"""A folder in which the commands of documents are typed, and what stands in for what a laptop has not.

The Hub, PMC's services and the servers of language models are the tests' own, on loopback; a model of 13 billion
parameters is the demo's tiny one, trained for a few steps by the tiny recipe.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dataset_builder.sample.corpus import write_corpus
from tests.dataset_builder.llm_server import completion
from tests.documents.commands import ROOT, Command
from tests.hub_server.server import HubServer, client_env
from tests.hub_server.store import lfs_file, regular_file
from tests.pmc_server import PmcServer

PROJECT_FOLDERS = (
    "accelerate_configs",
    "dataset_builder",
    "evaluation",
    "model_cards",
    "recipes",
    "trust",
    "verification",
)
FEW_ARTICLES, FEW_STEPS = 20, 2
MODELS = ("llava-hf/llava-1.5-13b-hf", "llava-hf/llava-1.5-7b-hf")  # on the tests' Hub the demo's tiny model
_SENTENCES = re.compile(r"^\[(caption|context) (\d+)\] (.*)$", re.M)
_TINY = "--launch accelerate_configs/cpu.yaml --config recipes/tiny-llava/{phase}.yaml --model_name_or_path {model}"
_TINY += f" --output_dir runs/llava-v1.5-13b/{{phase}} --max_steps {FEW_STEPS}"
_BIG = r"--launch accelerate_configs/zero3\.yaml --config recipes/llava-v1\.5-13b/{phase}\.yaml"
# What a command says -> what is typed in its place.
STAND_INS = [
    # Several pages begin with it.
    (r"^make demo$", f"test -e demo || ldrt demo --output demo --articles {FEW_ARTICLES}"),
    (r"^source .*", "ldrt --version"),
    (_BIG.format(phase="phase1"), _TINY.format(phase="phase1", model=MODELS[0])),
    (_BIG.format(phase="phase2"), _TINY.format(phase="phase2", model="runs/llava-v1.5-13b/phase1")),
    # In tables, what is added to a command of the page.
    (r"^ldrt judge runs/tuned --against runs/base$", r"\g<0> --judge Qwen/Qwen2-72B-Instruct --base_url {llm}"),
    (r"^ldrt generate --base_url .*", r"\g<0> --dataset ORG/NAME --output runs/served --limit 2"),
    (r"^ldrt compare … --train", "ldrt compare runs/base runs/tuned --train"),
    (r"http://localhost:800\d/v1", "{llm}"),
    (r"\bORG/", "lab/"),
    (r"\bCOMMIT\b", "a" * 40),
]


@dataclass
class Place:
    """The folder, and the servers that its commands talk to."""

    folder: Path
    hub: HubServer
    llm_url: str
    pmc: PmcServer

    def type(self, command: Command) -> subprocess.CompletedProcess:
        """Run the command, or what stands in for it, as a user does who has activated the environment."""
        environment = client_env(self.hub.url, self.folder / ".home", "hf_write")
        environment |= {"PATH": f"{self._programs()}{os.pathsep}{os.environ['PATH']}", "OPENAI_API_KEY": "none"}
        environment |= {"TOKENIZERS_PARALLELISM": "false", "HF_DATASETS_CACHE": str(self.folder / ".home" / "datasets")}
        text = self.typed(command.text)
        return subprocess.run(
            ["bash", "-ec", text], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def typed(self, text: str) -> str:
        """What is typed for a command."""
        for pattern, instead in STAND_INS:
            text = re.sub(pattern, instead.replace("{llm}", self.llm_url), text)
        if text.startswith("ldrt fetch"):
            text += " " + shlex.join(self.pmc.options())
        return text

    def _programs(self) -> Path:
        """A folder for the PATH in which `ldrt` and `python` are those of this checkout."""
        folder = self.folder / ".programs"
        if not folder.exists():
            folder.mkdir()
            (folder / "ldrt").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ldrt "$@"\n')
            (folder / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
            for program in folder.iterdir():
                program.chmod(0o755)
        return folder


def checkout(folder: Path) -> Path:
    """A working folder as a checkout is: with the project's folders of code, recipes and launch configs."""
    folder.mkdir()
    for name in PROJECT_FOLDERS:
        (folder / name).symlink_to(ROOT / name)
    return folder


def reply(asked: dict) -> dict:
    """What a language model answers: a teacher quotes its evidence, a verifier upholds, a judge is content."""
    prompt = asked["messages"][-1]["content"]
    prompt = prompt if isinstance(prompt, str) else " ".join(part.get("text", "") for part in prompt)
    if "<<<ANSWER" in prompt:
        return completion('{"verdict": "supported"}')
    if "VERDICT: tie" in prompt:
        return completion("Both are right.\nVERDICT: tie")
    found = _SENTENCES.findall(prompt.rpartition("<<<EVIDENCE")[2])
    if not found:
        return completion("Nothing is wrong.\nSCORE: 7")
    source, number, sentence = found[0 if "detailed description" in prompt else -1]
    evidence = [{"source": source, "sentence": int(number)}]
    said = {"question": "What can be seen here?", "answer": json.loads(sentence), "evidence": evidence}
    return completion(json.dumps(said))


# ---- what readers bring


def fill_pmc(server: PmcServer, scratch: Path) -> None:
    """A few synthetic articles in PMC's bucket."""
    write_corpus(scratch, articles=FEW_ARTICLES)
    xmls = sorted(scratch.glob("jats-*/article.*xml"))
    for number, xml in enumerate(xmls[:6], 1):
        pictures = {path.name: path.read_bytes() for path in xml.parent.iterdir() if path.name.startswith("fig")}
        server.add(f"PMC{number}", 1, {f"PMC{number}.1.xml": xml.read_bytes(), **pictures})
    server.make_inventory()


def bring_models(place: Place) -> None:
    """The models that documents name, on the Hub."""
    store = place.hub.store
    for name in MODELS:
        repo = store.create("model", name, False, "llava-hf")
        files = {}
        for path in filter(Path.is_file, (place.folder / "demo" / "base").iterdir()):
            content = path.read_bytes()
            sha256 = hashlib.sha256(content).hexdigest()
            is_lfs = path.suffix == ".safetensors"
            files[path.name] = lfs_file(sha256, len(content)) if is_lfs else regular_file(content)
            store.put_object(sha256 if is_lfs else files[path.name]["oid"], content)
        store.add_commit(repo, "main", files, "model", "", "llava-hf")


def bring_list(place: Place) -> None:
    shutil.copy(place.folder / "articles" / "articles.jsonl", place.folder / "articles.jsonl")


def bring_ids(place: Place) -> None:
    (place.folder / "ids.txt").write_text("PMC1\n10.5555/pmc2\n")


def bring_pictures(place: Place) -> None:
    """The table that docs/fetch.md shows, and its pictures."""
    import numpy as np
    from PIL import Image

    folder = place.folder
    (folder / "pictures" / "img").mkdir(parents=True)
    page = (ROOT / "docs" / "fetch.md").read_text(encoding="utf-8")
    (folder / "pictures" / "figures.csv").write_text(re.findall(r"```csv\n(.*?)```", page, re.S)[0], encoding="utf-8")
    for number in (1, 2):
        noise = np.random.default_rng(number).integers(0, 255, (200, 300, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "pictures" / "img" / f"{number:02}.png")


def bring_ratings(place: Place) -> None:
    """What a rater sends back: a grade for every answer of the page."""
    key = json.loads((place.folder / "rating" / "key.json").read_text(encoding="utf-8"))
    said = {"packet": key["packet"], "rater": "A", "score": 7, "status": "ok"}
    lines = [json.dumps({**said, "item": entry["item"]}) + "\n" for entry in key["items"]]
    (place.folder / "ratings.jsonl").write_text("".join(lines), encoding="utf-8")


def bring_library(place: Place) -> None:
    """A Zotero export with a reference that has its PDF, and one that PMC has."""
    folder = place.folder
    (folder / "My library" / "files").mkdir(parents=True)
    pdf = sorted((folder.parent / "sample").glob("pdf-*.pdf"))[0]
    shutil.copy(pdf, folder / "My library" / "files" / "one.pdf")
    (folder / "My library" / "My library.bib").write_text(
        "@article{one, title = {One}, doi = {10.5555/one}, file = {files/one.pdf}}\n"
        "@article{two, title = {Two}, pmcid = {PMC3}}\n"
    )


# The beginning of a command -> what must be there before it is typed.
BROUGHT: dict[str, Callable[[Place], None]] = {
    "ldrt plan --config recipes/llava-v1.5-13b/phase2.yaml --dataset_name": bring_models,
    "ldrt fetch --list": bring_list,
    "ldrt fetch --ids": bring_ids,
    "ldrt build pictures": bring_pictures,
    "ldrt fetch --zotero": bring_library,
    "ldrt human import": bring_ratings,
}
