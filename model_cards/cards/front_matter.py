"""The model card's YAML block, from which the Hub lists, filters and links the model."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, get_args

import yaml
from huggingface_hub import EvalResult, ModelCardData
from markupsafe import Markup

from model_cards.card_file import Card
from model_cards.cards.text import GENERAL_TAGS, metric_name
from trust import markup
from trust.errors import UsageError
from trust.ids import is_tag
from trust.licenses import NOT_STATED, HubLicense, Use, combined, use_of

INDEXED = ("judge_score", "rouge1", "rouge2", "rougeL", "length_ratio", "hedges_per_1k_words")  # in `model-index`
KNOWN_LICENSES = Path(__file__).parents[2] / "recipes" / "families" / "licenses.yaml"  # of released weights
MODEL_TAGS = ("biomedical", "ldrt-vlm")  # of every model; its family's and its domain's come from the run's files


@dataclass(frozen=True)
class Stated:
    """What a user states of the model because the run's files cannot know it or know it otherwise."""

    repo_id: str | None = None  # ORG/NAME, or a folder
    dataset_id: str | None = None  # ORG/NAME
    base_model: str | None = None  # Hub id
    license: str | None = None  # of the weights, as the Hub names it
    license_name: str | None = None  # of `other`
    license_link: str | None = None  # of `other`: where its text is
    tags: tuple[str, ...] = ()  # of the domain


def stated_of(card: Card) -> Stated:
    """What was stated for the card that card.json describes."""
    return Stated(
        repo_id=card["repo_id"],
        dataset_id=card["dataset_id"],
        base_model=card["base_model"],
        license=card["license"],
        license_name=card.get("license_name"),
        license_link=card.get("license_link"),
        tags=tuple(card["tags"]),
    )


class Facts(TypedDict):
    """What the YAML and the card's text both need."""

    name: str
    repo_id: str
    base_model: str | None  # None: not known, or the run is of a model that was not tuned here
    datasets: list[str]  # that it was trained on
    dataset: str  # that it was evaluated on
    license: str | None  # None: not known, and not stated
    tags: list[str]
    stated: Stated
    rows: "RowLicenses | None"  # None: the lineage does not say


class RowLicenses(TypedDict):
    """The licences of the rows that a model was trained on, all phases together."""

    counts: dict[str, int]  # licence -> rows that are made from something under it
    strictest: str | None  # the one whose terms cover all
    use: Use


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
        "license": _stated_license(stated.license) or known_license(base_model or manifest["model"]),
        "rows": row_licenses(phases),
        "tags": _tags(manifest.get("model_type"), phases, stated.tags),
        "stated": stated,
    }


def _tags(model_type: str | None, phases: list[dict], stated: Iterable[str]) -> list[str]:
    """The model's own tags and its family's, then those of the domain: of the datasets' cards, and as stated."""
    family = [model_type.replace("_", "-")] if model_type else []
    of_datasets = [tag for phase in phases for tag in phase.get("tags") or () if tag not in GENERAL_TAGS]
    return list(dict.fromkeys([*MODEL_TAGS, *filter(is_tag, [*family, *of_datasets, *stated])]))


def _stated_license(license: str | None) -> str | None:
    """Raises ValueError for what can be no licence of the Hub's."""
    if license is not None and license not in get_args(HubLicense):
        raise UsageError(
            f"{license!r} is no licence as the Hub names it (llama2, apache-2.0, cc-by-nc-4.0, other): "
            "https://huggingface.co/docs/hub/repositories-licenses"
        )
    return license


def known_license(model: str) -> str | None:
    """The licence of a released model, by its Hub id; None where it is not known."""
    known = yaml.safe_load(KNOWN_LICENSES.read_text(encoding="utf-8"))
    return next((license for license, models in known.items() if model in models), None)


def row_licenses(phases: list[dict]) -> RowLicenses | None:
    """What the phases of a lineage say of their rows' licences; None where one of them does not say."""
    of_phases = [counts for phase in phases if isinstance(counts := phase.get("licenses"), dict)]
    if not phases or len(of_phases) < len(phases):
        return None
    licenses = sorted({name for counts in of_phases for name in counts})
    total = {name: sum(counts.get(name, 0) for counts in of_phases) for name in licenses}
    strictest = combined(None if name == NOT_STATED else name for name in licenses)
    return {"counts": total, "strictest": strictest, "use": use_of(strictest)}


def describe_licenses(facts: Facts) -> str:
    """What `ldrt card` says of the licence of the weights, and of what the training rows allow."""
    license = f"licence of the weights: {facts['stated'].license_name or facts['license']}"
    if facts["license"] is None:
        base = facts["base_model"] or facts["repo_id"]
        license = f"licence of the weights: none on the card, as that of {base} is not known; name it with --license"
    rows = "the lineage does not say which licences the training rows have"
    if facts["rows"]:
        named = ", ".join(f"{name}: {n}" for name, n in facts["rows"]["counts"].items())
        rows = f"training rows: {named}; {ALLOWED[facts['rows']['use']]}"
    return f"{license}\n{rows}"


ALLOWED: dict[Use, str] = {
    "commercial": "together they would allow any use",
    "noncommercial": "together they would allow non-commercial use only",
    "none": "together they allow no use without asking their owners",
}


def front_matter(manifest: dict, scores: dict, facts: Facts) -> Markup:
    """The card's YAML block without its fences."""
    data = ModelCardData(
        base_model=facts["base_model"],
        datasets=facts["datasets"] or None,
        license=facts["license"],
        license_name=facts["stated"].license_name,
        license_link=facts["stated"].license_link,
        library_name="peft" if manifest["adapter_of"] else "transformers",
        pipeline_tag="image-text-to-text",
        tags=facts["tags"],
        model_name=facts["name"],
        eval_results=[_eval_result(row, manifest, facts["dataset"]) for row in _indexed(scores["scores"])],
    )
    return markup.front_matter(data.to_dict())


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
        metric_name=_name_with_missing(row),
        metric_value=float(row["value"]),
    )


def _name_with_missing(row: dict) -> str:
    """The Hub shows a number without what the card says of it: answers without a score stand in its name."""
    name = metric_name(row)
    n_asked = row["n"] + row["n_unscored"]
    return f"{name} ({row['n_unscored']} of {n_asked} answers without a score)" if row["n_unscored"] else name
