"""`ldrt publish RUN ORG/NAME`: checkpoint, model card and results of an evaluation run -> Hub.

    ldrt publish runs/tuned my-org/my-model --checkpoint checkpoints/tuned
    ldrt publish runs/tuned my-org/my-model --checkpoint checkpoints/merged --adapter checkpoints/phase2 --tag v1

Sent are the checkpoint's weights (safetensors only), configuration, tokenizer and lineage, RUN/README.md as the card,
the run's results under `results/` and its plots under `plots/`, where the card shows them; nothing else, and never a
pickle. The checkpoint must be the one that the run evaluated. Predictions of rows whose licence the policy does not
permit are sent without the question and the reference, which quote the article.

One atomic commit, then a tag. Remote files of these kinds that are no longer part of it are deleted, other files in the
repository stay. When nothing changed no commit is made.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from model_cards.files import read_json, read_jsonl
from model_cards.licenses import Policy, permits

CHECKPOINT = (
    *("*.safetensors", "*.safetensors.index.json", "config.json", "*_config.json", "tokenizer*.json", "*.jinja"),
    *("tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt"),
    *("lineage.json", "trainable.json"),
)
RESULTS = ("scores.json", "comparison.json", "manifest.json", "human.json")
MANAGED = ("README.md", "results/*", "plots/*", *CHECKPOINT, *(f"adapter/{pattern}" for pattern in CHECKPOINT))
# What `ldrt generate` hashes for the run's `revision` (evaluation/answering/checkpoints.py); a test keeps both alike.
_HASHED = (
    *("*.safetensors", "*config.json", "tokenizer*", "*.jinja", "special_tokens_map.json", "vocab.json", "merges.txt"),
)


@dataclass
class Options:
    """Options of `ldrt publish`."""

    run: str = field(metadata={"help": "run folder with the card that `ldrt card` wrote", "positional": True})
    repo_id: str = field(metadata={"help": "ORG/NAME or USER/NAME on the Hub", "positional": True})
    checkpoint: str | None = field(
        default=None, metadata={"help": "the checkpoint's folder; default: `model` in RUN/manifest.json"}
    )
    adapter: str | None = field(default=None, metadata={"help": "folder of a LoRA adapter to publish under adapter/"})
    policy: Policy = field(
        default="commercial",
        metadata={"help": "predictions of rows whose licence it does not permit go without question and reference"},
    )
    private: bool = field(default=True, metadata={"help": "visibility of the repository"})
    tag: str | None = field(
        default=None, metadata={"help": "name for the published state; default: the next of v1, v2"}
    )
    dry_run: bool = field(
        default=False, metadata={"help": "do everything but talk to the Hub; list what would be sent"}
    )
    limit_s: float = field(default=6 * 3600.0, metadata={"help": "give up after this time, seconds"})


def run(options: Options) -> str:
    """Publish the run; returns what was sent and what was left out.

    Raises FileNotFoundError when the card or the checkpoint is absent, ValueError when the weights are broken or not
    the ones that were evaluated, RuntimeError when the Hub refuses.
    """
    from model_cards import hub

    folder = Path(options.run)
    repo = hub.Repo(options.repo_id, "model", options.private)
    card, manifest = _read_run(folder)
    checkpoint = _checkpoint_folder(options, manifest)
    adapter = Path(options.adapter) if options.adapter else None
    files = {"README.md": folder / "README.md"} | checkpoint_files(checkpoint)
    files |= {f"adapter/{name}": path for name, path in (checkpoint_files(adapter) if adapter else {}).items()}
    _check_evaluated(manifest, checkpoint, adapter)
    with tempfile.TemporaryDirectory() as temporary:
        results, notes = _result_files(folder, options.policy, Path(temporary))
        files |= results
        notes += [f"left out: {name}" for name in _left_out(checkpoint)]
        if options.dry_run:
            return "\n".join([*notes, f"would send to {repo.url}:", *(f"  {path}" for path in sorted(files))])
        with hub.session(repo, options.limit_s):
            hub.preflight(repo, card)
            done = hub.commit(repo, files, MANAGED, "Publish checkpoint, card and results", options.tag)
            tag = hub.tag(repo, done.sha, options.tag)
    return "\n".join([*notes, f"{done.describe(repo)}, tag {tag}"])


def _read_run(folder: Path) -> tuple[str, dict]:
    """The card's text and the run's manifest."""
    for name, command in (("manifest.json", "generate"), ("README.md", "card")):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} has no {name}: run `ldrt {command}` for it first")
    return (folder / "README.md").read_text(encoding="utf-8"), read_json(folder / "manifest.json")


def _checkpoint_folder(options: Options, manifest: dict) -> Path:
    named = options.checkpoint or manifest.get("model")
    if named is None or not Path(named).is_dir():
        said = "--checkpoint" if options.checkpoint else f"`model` in {options.run}/manifest.json"
        raise FileNotFoundError(f"no folder {named} ({said}): give the checkpoint's folder as --checkpoint")
    return Path(named)


def checkpoint_files(folder: Path) -> dict[str, Path]:
    """File name -> path of what is published of a checkpoint, full or adapter.

    Raises FileNotFoundError when there are no weights as safetensors or no configuration, ValueError when weights are
    cut off, empty or named by the index but absent.
    """
    from model_cards.hub import is_managed

    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    found = {
        path.name: path for path in sorted(folder.iterdir()) if path.is_file() and is_managed(path.name, CHECKPOINT)
    }
    weights = [path for name, path in found.items() if name.endswith(".safetensors")]
    if not weights:
        pickles = [name for name in _left_out(folder) if name.endswith((".bin", ".pt", ".pth", ".ckpt"))]
        beside = f", only pickles ({', '.join(pickles)}), which are never published" if pickles else ""
        raise FileNotFoundError(f"{folder} has no weights as *.safetensors{beside}: save the model as safetensors")
    if not {"config.json", "adapter_config.json"} & set(found):
        raise FileNotFoundError(f"{folder} has no config.json or adapter_config.json: is it a checkpoint?")
    for path in weights:
        check_weights(path)
    for index in folder.glob("*.safetensors.index.json"):
        named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        if missing := sorted(named - set(found)):
            raise ValueError(f"{index} names {missing[0]}, which is absent: the checkpoint is not complete")
    return found


def check_weights(path: Path) -> None:
    """Raises ValueError when a safetensors file is cut off or holds an empty tensor (a ZeRO-3 shard saved as is)."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise ValueError(f"{path} cannot be read as safetensors ({error}): save the checkpoint again") from error
    empty = sorted(name for name, shape in shapes.items() if 0 in shape)
    if empty or not shapes:
        raise ValueError(
            f"{path}: {empty[0] if empty else 'no tensor at all'} is empty; gather the weights and save again"
        )


def _left_out(folder: Path) -> list[str]:
    from model_cards.hub import is_managed

    return [path.name for path in sorted(folder.iterdir()) if path.is_file() and not is_managed(path.name, CHECKPOINT)]


def _check_evaluated(manifest: dict, checkpoint: Path, adapter: Path | None) -> None:
    """Raises ValueError when the run's numbers belong to another checkpoint (known where the run used a folder)."""
    revision = str(manifest.get("revision"))
    if revision.startswith("sha256:") and revision not in (content_hash(f) for f in (checkpoint, adapter) if f):
        raise ValueError(
            f"{checkpoint} is not the checkpoint that the run evaluated ({manifest.get('model')}, {revision[:15]}…): "
            "give that one as --checkpoint, or evaluate this one"
        )


def content_hash(folder: Path) -> str:
    """What identifies a local checkpoint in a run's manifest: "sha256:" and 64 hex digits over its files."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _HASHED for path in folder.glob(pattern) if path.is_file()}):
        with open(path, "rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"


def _result_files(folder: Path, policy: Policy, temporary: Path) -> tuple[dict[str, Path], list[str]]:
    """Path in the repository -> file of the run's results; and what the user should know about them."""
    files = {f"results/{name}": folder / name for name in RESULTS if (folder / name).is_file()}
    files |= {f"plots/{path.name}": path for path in sorted((folder / "plots").glob("[!.]*.png"))}
    if not (folder / "predictions.jsonl").is_file():
        return files, []
    files["results/predictions.jsonl"] = temporary / "predictions.jsonl"
    bare = 0
    with files["results/predictions.jsonl"].open("w", encoding="utf-8") as file:
        for row, is_permitted in _predictions(folder, policy):
            bare += not is_permitted
            row = row if is_permitted else row | {"question": None, "reference": None}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    note = f"{bare} predictions go without question and reference: the rows' licences do not permit it ({policy})"
    return files, [note] if bare else []


def _predictions(folder: Path, policy: Policy) -> Iterator[tuple[dict, bool]]:
    """Each prediction, and whether the policy permits to quote its row (by the figure's licence in evidence.jsonl)."""
    licenses = {row["figure_id"]: row.get("license") for row in read_jsonl(folder / "evidence.jsonl")}
    for row in read_jsonl(folder / "predictions.jsonl"):
        yield row, permits(policy, licenses.get(row.get("figure_id")))
