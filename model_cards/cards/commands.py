"""The commands that make a checkpoint and its numbers again: what ran, with paths that fit together.

What ran is in the run's files: each phase's launch, recipe and options in the lineage, the options of `ldrt generate`
in the manifest, those of `ldrt score` and `ldrt compare` in their results. Models and datasets are Hub ids with their
commits, or folders by their name, which whoever types the commands has in the working folder.
"""

import json
from collections.abc import Iterable, Mapping

from model_cards.cards.front_matter import Facts
from trust.command_words import is_launch, is_recipe, is_settings, options_of
from trust.places import COMMIT

Words = list[str]

PREFERENCE = "preference"  # the phase of recipes/dpo.py; the others are of recipes/sft.py
_ADAPTERS = ("lora", "full-vision", PREFERENCE)  # phases whose result is an adapter
# option of `accelerate launch` -> the same of `ldrt train`, which takes no other, and needs a recipe for its script
_OF_LDRT_TRAIN = {"config_file": "--launch", "num_processes": "--num_processes"}
_SERVER = "http://localhost:8000/v1"  # where vLLM answers; whose server it was is the user's own affair
BASE_RUN, TUNED_RUN = "runs/base", "runs/tuned"


def training_commands(manifest: Mapping, facts: Facts) -> list[Words] | None:
    """The phases and the merge; None where a phase does not say how it was started, or says what no card repeats
    (`trust.command_words`); [] where there was none."""
    lineage = manifest["lineage"] or {"phases": []}
    phases = lineage["phases"]
    if not all(map(_is_told, phases)):
        return None
    made, is_merged = _made(facts["repo_id"]), _is_merged(manifest, phases)
    outputs = [f"runs/phase{number}" for number in range(1, len(phases) + 1)]
    if phases and not is_merged:
        outputs[-1] = made
    model, revision = lineage["base_model"] if phases else "", lineage.get("base_revision")
    commands: list[Words] = []
    for phase, before, output in zip(phases, [None, *phases], outputs, strict=False):
        if phase["trainable"] == PREFERENCE and before is not None and before["trainable"] in _ADAPTERS:
            commands.append(["ldrt", "merge", model, *_merged(lineage), "--output", f"{model}-merged"])
            model = f"{model}-merged"
        places = ["--model_name_or_path", model, *_pinned("--model_revision", revision), *_trained_on(phase, facts)]
        commands.append([*_launched(phase), *phase["command"]["recipe"], *places, "--output_dir", output])
        commands[-1] += phase["command"]["options"]
        model, revision = output, None
    if is_merged:
        commands.append(["ldrt", "merge", outputs[-1], *_merged(lineage), "--output", made])
    return commands


def evaluation_commands(manifest: Mapping, scores: Mapping, comparison: Mapping | None, facts: Facts) -> list[Words]:
    """Answers, judgements, scores, comparison and card."""
    stated, runs = facts["stated"], [TUNED_RUN] if comparison is None else [BASE_RUN, TUNED_RUN]
    commands = []
    if comparison is not None:
        base = comparison["base"]
        model = [stated.base_model] if stated.base_model else _named(base["model"], base.get("revision"))
        asked = base.get("image_conditions") or manifest["image_conditions"]
        commands += _generated(model, asked, {**manifest, "generation": base.get("generation", {})}, facts, BASE_RUN)
    model = [stated.repo_id] if stated.repo_id else _named(manifest["model"], manifest["revision"])
    commands += _generated(model, manifest["image_conditions"], manifest, facts, TUNED_RUN)
    commands += [_judged(run, judge) for judge in scores["judges"] for run in runs]
    commands += [["ldrt", "score", run, *_scored(scores["settings"])] for run in runs]
    if comparison is not None:
        commands.append(["ldrt", "compare", *runs, *_options(_compared(comparison, facts))])
    return [*commands, ["ldrt", "card", TUNED_RUN, *_carded(facts)]]


def folders(manifest: Mapping, comparison: Mapping | None, facts: Facts) -> list[str]:
    """The folders that the commands start from: what they name and is no Hub id."""
    lineage = manifest["lineage"] or {"phases": []}
    named = [(facts["dataset"], manifest["dataset_revision"])]
    named += [
        (facts["stated"].dataset_id or phase["dataset"], phase["dataset_revision"]) for phase in lineage["phases"]
    ]
    if lineage["phases"]:
        named.append((lineage["base_model"], lineage.get("base_revision")))
    if comparison is not None and not facts["stated"].base_model:
        named.append((comparison["base"]["model"], comparison["base"].get("revision")))
    if not lineage["phases"] and not facts["stated"].repo_id:
        named.append((manifest["model"], manifest["revision"]))
    made = {_made(facts["repo_id"])} if lineage["phases"] else set()
    return sorted({name for name, revision in named if not _is_commit(revision) and "/" not in name} - made)


# ---- training


def _is_told(phase: Mapping) -> bool:
    told = phase.get("command")
    if told is None:
        return False
    return is_launch(told["launch"] or ()) and is_recipe(told["recipe"]) and is_settings(told["options"])


def _made(repo_id: str) -> str:
    """The folder of the trained checkpoint: its name where it is published under none, so that the commands meet."""
    name = repo_id.rstrip("/").split("/")[-1]
    return name if name == repo_id else f"runs/{name}"


def _is_merged(manifest: Mapping, phases: list[dict]) -> bool:
    """Whether an adapter was trained last, and a whole checkpoint was evaluated."""
    return bool(phases) and phases[-1]["trainable"] in _ADAPTERS and manifest["adapter_of"] is None


def _launched(phase: Mapping) -> Words:
    """What starts the script: `ldrt train` where it says all that accelerate was told, accelerate, torchrun, Python."""
    script = "recipes/dpo.py" if phase["trainable"] == PREFERENCE else "recipes/sft.py"
    options = phase["command"]["launch"]
    if options is not None:
        given = dict(options_of(options))
        recipe = phase["command"]["recipe"]
        if recipe and "config_file" in given and given.keys() <= _OF_LDRT_TRAIN.keys():
            return ["ldrt", "train", *(word for name in given for word in (_OF_LDRT_TRAIN[name], *given[name]))]
        return ["accelerate", "launch", *options, script]
    processes = (phase.get("launch") or {}).get("processes") or 1
    if processes > 1:
        return ["torchrun", "--nproc_per_node", str(processes), script]
    return ["python", script]


def _trained_on(phase: Mapping, facts: Facts) -> Words:
    published = facts["stated"].dataset_id
    if published:
        return ["--dataset_name", published]
    return ["--dataset_name", phase["dataset"], *_pinned("--dataset_revision", phase["dataset_revision"])]


def _merged(lineage: Mapping) -> Words:
    dtype = (lineage.get("merge") or {}).get("dtype", "auto")
    return [] if dtype == "auto" else ["--dtype", dtype]


# ---- evaluation


def _generated(model: Words, asked: Mapping, manifest: Mapping, facts: Facts, run: str) -> list[Words]:
    """One command for each image condition."""
    data = ["--dataset", facts["dataset"]]
    if not facts["stated"].dataset_id:
        data += _pinned("--dataset_revision", manifest["dataset_revision"])
    server = ["--base_url", _SERVER] if manifest["backend"] == "openai" else []
    commands = []
    for condition, about in asked.items():
        options = dict(about["options"] if "options" in about else _known(manifest))
        if condition != "true":
            options["image_condition"] = condition
        commands.append(["ldrt", "generate", "--model", *model, *data, *_options(options), *server, "--output", run])
    return commands


def _known(manifest: Mapping) -> dict:
    """The options of a run of before, as far as its manifest tells."""
    generation = manifest["generation"]
    known = {"split": manifest["split"], "tasks": manifest["tasks"], "max_new_tokens": generation.get("max_new_tokens")}
    return known | {"length_hint": generation.get("length_hint")}


def _judged(run: str, judge: Mapping) -> Words:
    served = ["--base_url", _SERVER] if judge["backend"] == "openai" else ["--backend", judge["backend"]]
    revision = ["--revision", judge["revision"]] if judge["revision"] else []
    return ["ldrt", "judge", run, "--judge", judge["judge"], *revision, *served]


def _scored(settings: Mapping) -> Words:
    return _options({"rouge_tokenizer": settings["rouge"]["tokenizer"]})


def _compared(comparison: Mapping, facts: Facts) -> dict:
    given = dict(comparison.get("options") or {})
    if "train_dataset" in given and facts["stated"].dataset_id:
        given["train_dataset"] = facts["stated"].dataset_id
    return given


def _carded(facts: Facts) -> Words:
    stated = facts["stated"]
    names = ("repo_id", "dataset_id", "base_model", "license", "license_name", "license_link")
    return _options({name: getattr(stated, name) for name in names})


# ---- words


def _options(values: Mapping[str, object]) -> Words:
    """{"split": "test", "limit": None, "tasks": ["detail"]} -> ["--split", "test", "--tasks", '["detail"]']."""
    given = ((name, value) for name, value in values.items() if value is not None)
    return [word for name, value in given for word in (f"--{name}", _value(value))]


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _named(model: str, revision: str | None) -> Words:
    return [model, *_pinned("--revision", revision)]


def _pinned(option: str, revision: str | None) -> Iterable[str]:
    """The option with a Hub commit; nothing for a folder's hash, which no command takes."""
    return [option, revision] if revision is not None and _is_commit(revision) else []


def _is_commit(revision: str | None) -> bool:
    return COMMIT.fullmatch(revision or "") is not None
