"""RUN/*.json -> RUN/README.md, the model card, and RUN/plots/*.png.

    ldrt card runs/tuned
    ldrt card runs/tuned --repo_id my-org/my-model --dataset_id my-org/my-dataset

Written from the run's files only: manifest.json and scores.json, and comparison.json, human.json, predictions.jsonl,
evidence.jsonl where they are there. Same files, same card.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from model_cards.cards.text import METRICS, cell, interval, metric, number, p_value, quote
from model_cards.files import read_json, read_jsonl, write_text
from model_cards.licenses import use_of

INDEXED = ("judge_score", "rouge1", "rouge2", "rougeL", "length_ratio", "hedges_per_1k_words")  # in `model-index`
BY_TASK = ("judge_score", "rougeL", "length_ratio", "hedges_per_1k_words")
QUALITY = ("judge_score", "rougeL")
PARTS = {  # of comparison.json, made only when asked for
    "by_term_frequency": "scores by how often the terms were seen in training",
    "forgetting": "forgetting on a general-domain dataset",
    "transfer": "transfer to another domain",
}
CONDITIONS = {"blank": "an empty picture", "shuffled": "another article's picture", "none": "the caption, no picture"}
LLAMA_DERIVED = ("llava-1.5", "llava-v1.5", "vicuna", "llama-2")  # base models under the Llama 2 licence
TEST_DOI = "10.5555/"  # articles with such a DOI do not exist
N_EXAMPLES = 3


@dataclass
class Options:
    """Options of `ldrt card`."""

    run: str = field(
        metadata={"help": "run folder with scores.json, and comparison.json for a tuned model", "positional": True}
    )
    repo_id: str | None = field(
        default=None, metadata={"help": "ORG/NAME under which the model is published, or its folder"}
    )
    dataset_id: str | None = field(
        default=None, metadata={"help": "ORG/NAME of the dataset (default: as the run names it)"}
    )
    base_model: str | None = field(
        default=None, metadata={"help": "Hub id of the base model (default: from the lineage)"}
    )
    license: str | None = field(
        default=None, metadata={"help": "licence of the weights (default: llama2 for Vicuna's kin, else apache-2.0)"}
    )


def run(options: Options) -> str:
    """Write card and plots; returns their paths. Raises FileNotFoundError for a run without manifest or scores."""
    from model_cards.cards.plots import write_plots

    folder = Path(options.run)
    plots = write_plots(folder) if _required(folder / "scores.json", f"ldrt score {folder}") else []
    path = folder / "README.md"
    write_text(path, render_card(folder, options, [plot.stem for plot in plots]))
    return "\n".join(map(str, [path, *plots]))


def render_card(folder: Path, options: Options, plots: list[str]) -> str:
    """The card's text. `plots` are the names of the plots beside it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from model_cards.cards.reproduction import reproduction

    manifest = _required(folder / "manifest.json", f"ldrt generate --output {folder}")
    scores = _required(folder / "scores.json", f"ldrt score {folder}")
    comparison = read_json(folder / "comparison.json")
    human = read_json(folder / "human.json")
    facts, result = _facts(manifest, options), _result_rows(scores, comparison)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "cards" / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": number, "signed": lambda value: number(value, True), "cell": cell}
    environment.filters |= {"p": p_value, "interval": interval, "metric": metric}
    return environment.get_template("model_card.md.jinja").render(
        front=front_matter(manifest, scores, facts),
        facts=facts,
        manifest=manifest,
        lineage=manifest["lineage"] or {"phases": []},
        settings=scores["settings"],
        scores=scores,
        human=human,
        not_run=not_run(scores, comparison, human),
        comparison=comparison,
        result=result,
        by_task=[row for row in _main_rows(result, BY_TASK) if row["task"] != "all"],
        unscored=_unscored(scores),
        gaps=[row for row in _main_rows(scores["image_gaps"], QUALITY) if row["task"] == "all" and row["n"]],
        paper=reproduction(comparison, facts["base_model"]),
        examples=examples(folder),
        synthetic=synthetic_share(folder),
        plots=plots,
        home=_home_rows(manifest, comparison),
        main_rows=_main_rows,
        quality=QUALITY,
        conditions=CONDITIONS,
    )


def front_matter(manifest: dict, scores: dict, facts: dict) -> str:
    """The card's YAML block without its fences."""
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        base_model=facts["base_model"],
        datasets=facts["datasets"] or None,
        license=facts["license"],
        library_name="peft" if manifest["adapter_of"] else "transformers",
        pipeline_tag="image-text-to-text",
        tags=["llava", "biomedical", "low-dose-radiation-therapy", "ldrt-vlm"],
        model_name=facts["name"],
        eval_results=_eval_results(manifest, scores, facts),
    )
    return data.to_yaml()


def _eval_results(manifest: dict, scores: dict, facts: dict) -> list:
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type="image-text-to-text",
            task_name=f"{row['task']} questions about biomedical figures",
            dataset_type=facts["dataset"],
            dataset_name=facts["dataset"].split("/")[-1],
            dataset_config=None if row["task"] == "all" else row["task"],
            dataset_split=manifest["split"],
            dataset_revision=manifest["dataset_revision"],
            metric_type=f"{row['metric']}_{row['judge']}" if row["judge"] else row["metric"],
            metric_name=metric(row),
            metric_value=float(row["value"]),
        )
        for row in scores["scores"]
        if row["image_condition"] == "true" and row["metric"] in INDEXED and row["value"] is not None
    ]


def _facts(manifest: dict, options: Options) -> dict:
    """What the YAML and the text both need: names, base model, datasets, licence."""
    lineage = manifest["lineage"] or {"base_model": None, "base_revision": None, "phases": []}
    base_model = options.base_model or (lineage["base_model"] if lineage["phases"] else None)
    if base_model is None and manifest["adapter_of"]:
        base_model = manifest["adapter_of"]["model"]
    trained_on = [options.dataset_id or phase["dataset"] for phase in lineage["phases"]]
    derived = any(part in (base_model or manifest["model"]).lower() for part in LLAMA_DERIVED)
    return {
        "name": (options.repo_id or manifest["model"]).rstrip("/").split("/")[-1],
        "repo_id": options.repo_id or manifest["model"],
        "base_model": base_model,
        "datasets": list(dict.fromkeys(trained_on)),
        "dataset": options.dataset_id or manifest["dataset"],
        "license": options.license or ("llama2" if derived else "apache-2.0"),
    }


def _result_rows(scores: dict, comparison: dict | None) -> list[dict]:
    """The result table, true pictures: of the comparison, else of the run alone; the card's metrics in its order."""
    rows = comparison["rows"] if comparison else scores["scores"]
    order = list(METRICS)
    shown = [row for row in rows if row["image_condition"] == "true" and row["metric"] in METRICS and row["n"]]
    return sorted(shown, key=lambda row: (order.index(row["metric"]), row["judge"] != "mean"))


def _unscored(scores: dict) -> list[dict]:
    """The rows of metrics that some answers to the true pictures do not have."""
    rows = [row for row in scores["scores"] if (row["task"], row["image_condition"]) == ("all", "true")]
    return [row for row in rows if row["n_unscored"] and row["n"] and row["judge"] != "mean"]


def _main_rows(rows: list[dict], metrics: tuple[str, ...]) -> list[dict]:
    """Rows of some metrics; of several judges only their mean."""
    several = any(row["judge"] == "mean" for row in rows)
    return [row for row in rows if row["metric"] in metrics and (row["judge"] in (None, "mean") or not several)]


def _home_rows(manifest: dict, comparison: dict | None) -> list[dict]:
    """The comparison over all tasks as rows of its transfer table."""
    rows = comparison["rows"] if comparison else []
    where = {key: manifest[key] for key in ("dataset", "tasks")}
    return [where | row for row in rows if (row["task"], row["image_condition"]) == ("all", "true")]


def not_run(scores: dict, comparison: dict | None, human: dict | None) -> list[str]:
    """What an evaluation can have and this one has not, in the words of the card."""
    absent = [text for key, text in PARTS.items() if comparison is None or comparison[key] is None]
    return [
        *(["reliance on the picture (answers to an empty or another article's picture)"] * (not scores["image_gaps"])),
        *(["judges"] * (not scores["judges"])),
        *(["human check"] * (human is None)),
        *absent,
    ]


def examples(folder: Path) -> list[dict]:
    """A few held-out items, drawn by the hash of their id (not by their score), of rows whose licence lets us quote.

    {"task", "figure_id", "question", "reference", "base", "tuned"}; `base` is None without a comparison.
    """
    answers = {item["example_id"]: item["base_answer"] for item in read_jsonl(folder / "paired_items.jsonl")}
    quotable = {
        record["example_id"]: record
        for record in read_jsonl(folder / "predictions.jsonl")
        if record["image_condition"] == "true"
        and record["prediction"] is not None
        and use_of(record["license"]) == "commercial"
    }
    drawn = sorted(quotable, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[:N_EXAMPLES]
    return [
        {
            "task": record["task"],
            "figure_id": record["figure_id"],
            "question": quote(record["question"]),
            "reference": quote(record["reference"]),
            "base": quote(answers[name]) if answers.get(name) is not None else None,
            "tuned": quote(record["prediction"]),
        }
        for name, record in ((name, quotable[name]) for name in drawn)
    ]


def synthetic_share(folder: Path) -> float:
    """Share of the evaluated figures that come from made-up articles (test DOIs); 0 where no DOI is known."""
    dois = [row["doi"] for row in read_jsonl(folder / "evidence.jsonl")]
    return sum((doi or "").startswith(TEST_DOI) for doi in dois) / len(dois) if dois else 0.0


def _required(path: Path, command: str) -> dict:
    content = read_json(path)
    if content is None:
        raise FileNotFoundError(f"{path} is absent: run `{command}` first")
    return content
