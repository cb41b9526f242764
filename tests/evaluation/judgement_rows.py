"""Rows of predictions.jsonl and judgements.jsonl with what the judging room reads of them."""

from evaluation.judgements import INJECTED, answer_sha256, injected

ANSWER, REFERENCE = "the dose is 5 Gy", "the dose is 0.5 Gy"


def prediction(example, answer=None, condition="true"):
    return {
        "example_id": example,
        "image_condition": condition,
        "task": "detail",
        "prediction": answer or f"{ANSWER} {example}",
        "reference": REFERENCE,
    }


def record(example, score=7.0, judge="org/judge", control=None, about=None, condition="true", **changes):
    answer = f"{ANSWER} {example}"
    shown = {"reference": REFERENCE, "empty": "", "shuffled": f"{ANSWER} E0", INJECTED: injected(answer)}
    text = shown.get(control, answer)
    found = {
        "example_id": example,
        "task": "detail",
        "image_condition": condition,
        "judge": judge,
        "judge_revision": "r1",
        "backend": "openai",
        "prompt_sha256": "p1",
        "answer_sha256": answer_sha256(about or text),
        "score": score,
        "status": "ok" if score is not None else "unparsable",
        "control": control,
    } | changes
    identity = ("judge", "judge_revision", "prompt_sha256", "example_id", "image_condition", "answer_sha256", "control")
    return {"key": "/".join(str(found[name]) for name in identity)} | found


PREDICTIONS = [prediction(f"E{i}") for i in range(4)]
