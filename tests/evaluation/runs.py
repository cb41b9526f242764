"""Hand-made run folders for the tests of score, compare and card."""

import json
import random

ARTICLES, PER_ARTICLE = 12, 4
GENERATION = {"max_new_tokens": 64, "do_sample": False, "num_beams": 1, "dtype": "float32"}
VOCABULARY = [
    "the",
    "curve",
    "is",
    "red",
    "high",
    "low",
    "left",
    "right",
    "5",
    "Gy",
    "dose",
    "lesion",
    "may",
    "appears",
]


def make_run(folder, model, quality, conditions=("true",), **changes):
    """A run whose answers keep each word of the reference with probability `quality` (half without the picture)."""
    rng, records = random.Random(model), []
    for condition in conditions:
        kept = quality if condition == "true" else quality / 2
        records += [_record(i, model, condition, kept, rng) for i in range(ARTICLES * PER_ARTICLE)]
    folder.mkdir(parents=True, exist_ok=True)
    manifest = _manifest(model, conditions) | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))
    write_records(folder, records)
    return folder


def write_records(folder, records):
    (folder / "predictions.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def read_records(folder, name="predictions.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def _record(i, model, condition, kept, rng):
    words = random.Random(i).choices(VOCABULARY, k=20)
    answer = [word if rng.random() < kept else rng.choice(VOCABULARY) for word in words][: rng.randint(10, 20)]
    return {
        "example_id": f"E{i}",
        "figure_id": f"A{i // PER_ARTICLE}/F{i}",
        "article_id": f"A{i // PER_ARTICLE}",
        "task": ("detail", "reasoning")[i % 2],
        "license": "CC-BY-4.0" if i % 3 else None,
        "question": f"What does figure {i} show?",
        "reference": " ".join(words),
        "prediction": " ".join(answer),
        "finish_reason": "length" if i == 0 else "stop",
        "new_tokens": len(answer),
        "model": model,
        "revision": f"sha256:{model}",
        "generation": GENERATION,
        "image_condition": condition,
        "image_figure_id": f"A{i // PER_ARTICLE}/F{i}",
    }


def _manifest(model, conditions):
    lineage = {"base_model": "tiny-llava", "base_revision": None, "phases": []} if model == "tuned" else None
    return {
        "model": model,
        "revision": f"sha256:{model}",
        "adapter_of": None,
        "lineage": lineage,
        "processor": None,
        "chat_template_sha256": "0" * 64,
        "dataset": "org/figures",
        "dataset_revision": "f" * 40,
        "split": "test",
        "tasks": ["detail", "reasoning"],
        "data_licenses": {"CC-BY-4.0": 40, "not stated": 8},
        "generation": GENERATION,
        "seed": 0,
        "image_conditions": {condition: {"items": ARTICLES * PER_ARTICLE} for condition in conditions},
        "versions": {"torch": "2.15.0", "transformers": "5.23.0"},
        "device": "cpu",
    }
