"""An LLM as teacher, behind an OpenAI-compatible server: what it is asked, and how its reply is read.

It sees the caption and the context, quoted as data, and the picture where the row has it in a URL.
"""

from collections.abc import Mapping
from math import ceil, floor
from typing import Any

from dataset_builder.llm.replies import only_object
from dataset_builder.llm.requests import Request, quote
from dataset_builder.teaching.evidence import evidence_sentences, example_id
from dataset_builder.teaching.wording import GENERAL, Wording

_EVIDENCE = {
    "type": "object",
    "properties": {"source": {"type": "string", "enum": ["caption", "context"]}, "sentence": {"type": "integer"}},
    "required": ["source", "sentence"],
    "additionalProperties": False,
}
_KEYS = ("question", "answer", "evidence")  # that a reply must have
# What `parse` reads, for servers that hold a model to it. OpenAI asks for all keys to be required, and no others.
SCHEMA = {
    "type": "object",
    "properties": {
        "question": {"type": ["string", "null"]},
        "answer": {"type": ["string", "null"]},
        "evidence": {"type": "array", "items": _EVIDENCE},
        "visually_answerable": {"type": "boolean"},
    },
    "required": [*_KEYS, "visually_answerable"],
    "additionalProperties": False,
}


def request(row: Mapping[str, Any], task: str, wording: Wording = GENERAL, number: int = 1) -> Request:
    """Question `number`, from 1, about one figure: the task's prompt with caption and context quoted as data.

    With `picture_url` in the row, the picture comes before the text.
    """
    lines = [f"[{source} {number}] {quote(s)}" for source, number, s in evidence_sentences(row)]
    quoted = "\n".join(["<<<EVIDENCE", *lines, "EVIDENCE>>>"])
    prompt = wording.prompt(task, quoted, wording.kind(task, example_id(row, task), number))
    about = {"example_id": example_id(row, task, number), "figure_id": row["figure_id"], "task": task}
    sizes = [_picture_size(row)] if row.get("picture_url") else []
    messages = [{"role": "user", "content": _content(prompt, row.get("picture_url"))}]
    return Request(messages, about, parse, SCHEMA, sizes)


def _picture_size(row: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height, in pixels, of the figure's picture, or of the part of it that is the panel."""
    if not row.get("panel"):
        return row["width"], row["height"]
    left, top, right, bottom = row["panel_bbox"]
    return ceil(right) - floor(left), ceil(bottom) - floor(top)


def _content(prompt: str, picture_url: str | None) -> str | list[dict[str, Any]]:
    if picture_url is None:
        return prompt
    return [{"type": "image_url", "image_url": {"url": picture_url}}, {"type": "text", "text": prompt}]


def parse(reply: str) -> dict[str, Any]:
    """The teacher's JSON: `question`, `answer` (None: the teacher found too little to go on), `evidence` and,
    where it says so, `visually_answerable`.

    Raises ValueError for anything else.
    """
    value = only_object(reply, _KEYS)
    question, answer = value["question"], value["answer"]
    try:
        evidence = [{"source": e["source"], "sentence": int(e["sentence"])} for e in value["evidence"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"evidence is no list of source and sentence ({error})") from error
    if any(e["source"] not in ("caption", "context") for e in evidence):
        raise ValueError("evidence from another source than caption or context")
    if answer is not None and not (isinstance(question, str) and isinstance(answer, str) and question and answer):
        raise ValueError("question or answer is empty or no text")
    visual = value.get("visually_answerable")
    visual = visual if isinstance(visual, bool) else None
    return {"question": question, "answer": answer, "evidence": evidence, "visually_answerable": visual}
