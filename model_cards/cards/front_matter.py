"""The model card's YAML block, from which the Hub lists, filters and links the model."""

from dataclasses import dataclass
from typing import TypedDict

from huggingface_hub import EvalResult, ModelCardData

from model_cards.cards.text import metric

INDEXED = ("judge_score", "rouge1", "rouge2", "rougeL", "length_ratio", "hedges_per_1k_words")  # in `model-index`
LLAMA_DERIVED = ("llava-1.5", "llava-v1.5", "vicuna", "llama-2")  # base models under the Llama 2 licence


@dataclass(frozen=True)
class Stated:
    """What a user states of the model because the run's files cannot know it or know it otherwise."""

    repo_id: str | None = None  # ORG/NAME, or a folder
    dataset_id: str | None = None  # ORG/NAME
    base_model: str | None = None  # Hub id
    license: str | None = None  # of the weights


class Facts(TypedDict):
    """What the YAML and the card's text both need."""

    name: str
    repo_id: str
    base_model: str | None  # None: not known, or the run is of a model that was not tuned here
    datasets: list[str]  # that it was trained on
    dataset: str  # that it was evaluated on
    license: str


def model_facts(manifest: dict, stated: Stated) -> Facts:
    """Names, base model, datasets and licence: as stated, else as the run's manifest and the model's lineage say."""
    lineage = manifest["lineage"]
    phases = lineage["phases"] if lineage else []
    base_model = stated.base_model or (lineage["base_model"] if phases else None)
    if base_model is None and manifest["adapter_of"]:
        base_model = manifest["adapter_of"]["model"]
    repo_id = stated.repo_id or manifest["model"]
    trained_on = [stated.dataset_id or phase["dataset"] for phase in phases]
    return {
        "name": repo_id.rstrip("/").split("/")[-1],
        "repo_id": repo_id,
        "base_model": base_model,
        "datasets": list(dict.fromkeys(trained_on)),
        "dataset": stated.dataset_id or manifest["dataset"],
        "license": stated.license or _license(base_model or manifest["model"]),
    }


def _license(base_model: str) -> str:
    is_derived = any(part in base_model.lower() for part in LLAMA_DERIVED)
    return "llama2" if is_derived else "apache-2.0"


def front_matter(manifest: dict, scores: dict, facts: Facts) -> str:
    """The card's YAML block without its fences."""
    data = ModelCardData(
        base_model=facts["base_model"],
        datasets=facts["datasets"] or None,
        license=facts["license"],
        library_name="peft" if manifest["adapter_of"] else "transformers",
        pipeline_tag="image-text-to-text",
        tags=["llava", "biomedical", "low-dose-radiation-therapy", "ldrt-vlm"],
        model_name=facts["name"],
        eval_results=[_eval_result(row, manifest, facts["dataset"]) for row in _indexed(scores["scores"])],
    )
    return data.to_yaml()


def _indexed(rows: list[dict]) -> list[dict]:
    """The scores that the Hub shows: of the true pictures, for a few metrics."""
    of_true_pictures = [row for row in rows if row["image_condition"] == "true"]
    return [row for row in of_true_pictures if row["metric"] in INDEXED and row["value"] is not None]


def _eval_result(row: dict, manifest: dict, dataset: str) -> EvalResult:
    return EvalResult(
        task_type="image-text-to-text",
        task_name=f"{row['task']} questions about biomedical figures",
        dataset_type=dataset,
        dataset_name=dataset.split("/")[-1],
        dataset_config=None if row["task"] == "all" else row["task"],
        dataset_split=manifest["split"],
        dataset_revision=manifest["dataset_revision"],
        metric_type=f"{row['metric']}_{row['judge']}" if row["judge"] else row["metric"],
        metric_name=metric(row),
        metric_value=float(row["value"]),
    )
