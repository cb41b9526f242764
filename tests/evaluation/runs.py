"""Hand-made run folders for the tests of score, compare and card."""

import hashlib
import json
import random

from evaluation.judgements import injected

ARTICLES, PER_ARTICLE = 12, 4
GENERATION = {"max_new_tokens": 64, "length_hint": None, "do_sample": False, "num_beams": 1, "dtype": "float32"}
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


def write_evidence(folder):
    """What the articles say of the figures, with the licences of the questions about them."""
    rows = {
        record["figure_id"]: {
            "figure_id": record["figure_id"],
            "caption": f"Caption of {record['figure_id']}.",
            "context": [],
            "license": record["license"],
            "licenses": [record["license"]],
            "rights": None,
            "doi": None,
        }
        for record in read_records(folder)
    }
    (folder / "evidence.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows.values()))


def judge_run(folder, judge="org/judge", leniency=0, refused=(), backend="openai", revision="a" * 40):
    """Append a judge's records for all answers: the share of the reference's words kept, 0 to 10, plus `leniency`.

    Examples in `refused` get no score. One record each of every control, too.
    """
    rng, records = random.Random(judge), []
    for answer in read_records(folder):
        pairs = zip(answer["prediction"].split(), answer["reference"].split(), strict=False)
        kept = sum(said == meant for said, meant in pairs) / len(answer["reference"].split())
        points = max(0, min(10, round(10 * kept) + leniency + rng.choice((-1, 0, 0, 1))))
        told = answer["example_id"] not in refused
        records.append(_judgement(answer, judge, revision, backend, points if told else None))
        if answer["image_condition"] == "true" and answer["example_id"] in ("E1", "E2"):
            fixed = {"reference": 9, "shuffled": 1, "empty": 0}
            for control, value in (fixed | {"retest": points, "injected": points}).items():
                records.append(_judgement(answer, judge, revision, backend, value, control))
    with (folder / "judgements.jsonl").open("a") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    return folder


def _judgement(answer, judge, revision, backend, points, control=None):
    identity = {key: answer[key] for key in ("example_id", "article_id", "task", "image_condition")}
    text = {"reference": answer["reference"], "shuffled": answer["reference"], "empty": ""}
    text["injected"] = injected(answer["prediction"])
    answer_sha256 = hashlib.sha256(text.get(control, answer["prediction"]).encode()).hexdigest()
    return {
        "key": hashlib.sha256(f"{judge} {identity} {answer_sha256} {control}".encode()).hexdigest(),
        **identity,
        "judge": judge,
        "judge_revision": revision,
        "backend": backend,
        "model": judge,
        "prompt_sha256": {"detail": "1" * 64, "reasoning": "2" * 64}[answer["task"]],
        "answer_sha256": answer_sha256,
        "score": points,
        "status": "refused" if points is None else "ok",
        "reply": "I cannot rate this." if points is None else f"SCORE: {points}",
        "usage": {"prompt_tokens": 500, "completion_tokens": 5},
        "finish_reason": "stop",
        "latency_s": 1.0,
        "control": control,
    }


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
        "backend": "local",
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
        "teachers": {"extractive": 48},
        "generation": GENERATION,
        "seed": 0,
        "image_conditions": {condition: {"items": ARTICLES * PER_ARTICLE} for condition in conditions},
        "versions": {"torch": "2.15.0", "transformers": "5.23.0"},
        "device": "cpu",
    }
