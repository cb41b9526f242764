"""manifest.json of a run folder: which model answers which questions, how; and whether a folder can be continued."""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from dataset_builder.files.jsonfiles import write_json
from evaluation.answering.answers import CAPTION_ONLY, LENGTH_HINT, Answerer
from evaluation.answering.questions import Items, public_name
from evaluation.run_folder import MANIFEST, MANIFEST_FILE, PREDICTIONS
from trust.handovers import stamped

# A run folder is refused when one of these differs. Names, packages and hardware may: the revisions say what counts.
IDENTITY = (
    "backend",
    "revision",
    "adapter_of",
    "processor",
    "chat_template_sha256",
    "dataset_revision",
    "split",
    "tasks",
    "benchmark",
    "generation",
    "wording",
    "seed",
)


@dataclass(frozen=True)
class Asking:
    """How one call of `ldrt generate` asks."""

    split: str
    image_condition: str
    max_new_tokens: int
    temperature: float  # 0: greedy
    length_hint: int | None  # words
    seed: int  # of the shuffled pictures, and of sampled answers
    options: dict  # of the command that are not its defaults, so that it can be typed again


def make_manifest(answerer: Answerer, items: Items, asking: Asking, n_asked: int, n_disarmed: int) -> dict:
    """What the run is of; `n_asked` questions are asked under this image condition, in `n_disarmed` of which special
    tokens of the model were made ordinary text."""
    return {
        **answerer.facts,
        "dataset": public_name(items.dataset),
        "dataset_revision": items.revision,
        "split": asking.split,
        "tasks": items.tasks,
        "benchmark": items.benchmark,
        "data_licenses": items.licenses,
        "teachers": items.teachers,
        "generation": {
            "max_new_tokens": asking.max_new_tokens,
            "length_hint": asking.length_hint,
            "do_sample": asking.temperature > 0,
            "num_beams": 1,
            "dtype": answerer.dtype_name,
            **({"temperature": asking.temperature} if asking.temperature else {}),
        },
        "wording": {"length_hint": LENGTH_HINT, "none": CAPTION_ONLY},  # what was asked besides the dataset's question
        "seed": asking.seed,
        "image_conditions": {
            asking.image_condition: {"items": n_asked, "disarmed": n_disarmed, "options": asking.options}
        },
        "versions": {package: importlib.metadata.version(package) for package in answerer.packages},
    }


def open_run(output: Path, manifest: dict) -> dict:
    """Make the run folder, or check that it was made with these settings, and add the image condition; its manifest.

    A folder without predictions is free: a mistyped name that answered nothing does not block it. Raises ValueError for
    a folder made with other settings.
    """
    output.mkdir(parents=True, exist_ok=True)
    path = output / MANIFEST
    if (output / PREDICTIONS).exists():
        if not path.exists():
            raise ValueError(f"{output} has predictions but no manifest.json: give another --output")
        old = dict(MANIFEST_FILE.read(path))
        _check_same(output, old, manifest)
        conditions = old["image_conditions"] | manifest["image_conditions"]
        manifest = {**manifest, **old, "image_conditions": conditions}
    write_json(path, stamped(manifest))
    return manifest


def _check_same(output: Path, old: dict, new: dict) -> None:
    names = IDENTITY if new["revision"] else ("model", *IDENTITY)  # of a server's model perhaps only the name is known
    for key in names:
        if old.get(key) != new[key]:
            raise ValueError(f"{output} was made with {key} {old.get(key)!r}, not {new[key]!r}: give another --output")
