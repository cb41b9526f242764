"""Which run a folder holds: the same one, finished or to be continued, or another one, which is left alone.

A run is what goes into it: the content of the model that it starts from, of its rows and of its templates, the code
that makes the rows, and every option that is not at its default but those of `HARMLESS`, which change nothing that is
trained. Names and places of folders say nothing: content does.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from transformers.trainer_pt_utils import AcceleratorConfig
from trl import ModelConfig, SFTConfig

from recipes.keys.recipe import LORA_KEYS, Recipe
from recipes.project_files import ROOT

# Options that change nothing of what a run comes to. Whatever is not listed does, as far as anybody knows.
HARMLESS = {
    # what is compared by content instead: model, rows, templates; the batch, as the product of all that makes it
    *("model_name_or_path", "model_revision", "dataset_name", "dataset_revision", "dataset_config"),
    *("chat_template_path", "train_template_path", "dataset_train_split", "dataset_test_split"),
    *("per_device_train_batch_size", "gradient_accumulation_steps", "global_batch_size"),
    # where it writes, and what it says meanwhile
    *("output_dir", "run_name", "project", "report_to", "trackio_space_id", "trackio_bucket_id"),
    *("trackio_static_space_id", "disable_tqdm", "log_level", "log_level_replica", "log_on_each_node"),
    *("logging_strategy", "logging_steps", "logging_first_step", "logging_nan_inf_filter"),
    *("include_num_input_tokens_seen", "skip_memory_metrics", "debug", "do_train", "do_eval", "do_predict"),
    # when it saves: what is saved last is the same, but for `load_best_model_at_end` (`_CHOOSING`)
    *("save_strategy", "save_steps", "save_total_limit", "save_on_each_node", "enable_jit_checkpoint"),
    # how rows come to the processes
    *("dataloader_num_workers", "dataloader_pin_memory", "dataloader_persistent_workers"),
    *("dataloader_prefetch_factor", "dataloader_multiprocessing_context", "dataset_num_proc"),
    *("remove_unused_columns", "eval_questions", "per_device_eval_batch_size", "eval_accumulation_steps"),
    *("torch_empty_cache_steps", "ddp_timeout", "ddp_backend", "ddp_bucket_cap_mb", "local_rank"),
    "activation_checkpointing",  # transformers' copy of `gradient_checkpointing`, which is compared
}
_CHOOSING = ("save_strategy", "save_steps", "eval_questions")  # which checkpoints there are to choose the best one from
_BESIDE = {
    "settings",
    "versions",
    "recipe",
    "command",
    "licenses",
    "tags",
    "dataset",
}  # noted, not compared: the content is
ROWS_MADE_BY = (  # files and folders, in the project
    *("recipes/families", "recipes/training/conversations.py", "recipes/training/examples.py"),
    *("recipes/training/scan.py", "trust/pictures", "trust/text.py"),
)
_WHAT = {  # keys that do not speak for themselves
    "start_revision": "the model that it starts from",
    "dataset_sha256": "the content of its rows",
    "dataset_revision": "the commit of its dataset",
    "held_out_sha256": "the content of its held-out rows",
    "rows_made_by": "the code that makes its rows",
    "train_template_sha256": "the template of its rows",
    "chat_template_sha256": "the template that is saved with the model",
}
_SHOWN = 60  # characters of a value in a message
DEFAULT, NOT_NOTED = "the default", "not noted"


def changed_options(recipe: Recipe, args: SFTConfig, model_args: ModelConfig) -> dict[str, Any]:
    """Options that are not at their defaults, as JSON has them, without the `HARMLESS` ones.

    A file that an option names (DeepSpeed's configuration) is its content's hash.
    """
    ignored = HARMLESS - set(_CHOOSING) if args.load_best_model_at_end or args.save_strategy == "best" else HARMLESS
    ignored = ignored if recipe.with_lora else ignored | {*LORA_KEYS}
    found = {}
    for options in (recipe, args, model_args):
        for option in dataclasses.fields(options):
            value = _plain(getattr(options, option.name)) if option.init else None
            if option.init and option.name not in ignored and value != _plain(_default(option)):
                found[option.name] = value
    return found


def _default(option: dataclasses.Field) -> Any:
    return option.default_factory() if callable(option.default_factory) else option.default


def _plain(value: Any) -> Any:
    """The value as JSON gives it back; None and an empty list are the same."""
    if value == AcceleratorConfig():  # what transformers makes of None
        return None
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str) and value.endswith((".json", ".yaml")) and Path(value).is_file():
        return f"sha256:{hashlib.sha256(Path(value).read_bytes()).hexdigest()}"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return json.loads(json.dumps(value, default=str)) or None


def hash_text(text: str | None) -> str | None:
    """SHA-256 (hex) of a template."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


@cache
def rows_made_by() -> str:
    """A hash of the code that makes tensors of a row: other code may make others of the same dataset."""
    digest = hashlib.sha256()
    for name in ROWS_MADE_BY:
        paths = [ROOT / name] if name.endswith(".py") else sorted((ROOT / name).rglob("*.py"))
        for path in paths:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """What of a run is another in `old`, in one line: "learning_rate 0.001 there, 0.002 here"; None for the same run.

    `old` and `new` are entries of lineage.json, `new` as `describe_phase` makes it. What `old` has beside the settings
    and `new` has not is a result. An entry of before a key was noted differs in it.
    """
    beside = _BESIDE if new["dataset_sha256"] else _BESIDE - {"dataset"}
    noted = [(key, old.get(key, NOT_NOTED), new[key]) for key in sorted(set(new) - beside)]
    names = sorted((set(old["settings"]) | set(new["settings"])) - {"train_template"})  # a name, compared by its hash
    settings = [(key, old["settings"].get(key, DEFAULT), new["settings"].get(key, DEFAULT)) for key in names]
    different = [(key, there, here) for key, there, here in settings + noted if there != here]
    if not different:
        return None
    key, there, here = different[0]
    more = f", and {len(different) - 1} more" if len(different) > 1 else ""
    name = f"{_WHAT[key]}, {key}" if key in _WHAT else key
    return f"{name} {_shown(there)} there, {_shown(here)} here{more}"


def _shown(value: Any) -> str:
    text = value if value in (DEFAULT, NOT_NOTED) else repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
