"""Teachers: from a figure's caption and context to a question and an answer.

`extractive` works offline by rules: it picks sentences of the article, and says so (`teacher: extractive`). `openai`
asks an LLM behind an OpenAI-compatible server. Both see text only, never the picture.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import jinja2
import yaml

from dataset_builder.llm.requests import Request, quote
from dataset_builder.text.mentions import mentioned_keys, split_sentences

PROMPTS = Path(__file__).parent / "prompts"
QUESTIONS = PROMPTS / "questions.yaml"
TASKS = ("detail", "reasoning")
MAX_ANSWER_CHARS = 1500  # about 400 tokens: with 576 image tokens well within LLaVA's 2,048

_FIGURE = (
    r"(?:figures?|figs?\.?|abbildung(?:en)?|abb\.?)\s*S?\d+(?:\s?[A-Za-z](?![a-z]))?(?:\s?[–,-]\s?[A-Za-z](?![a-z]))*"
)
_IN_PARENTHESES = re.compile(rf"\s*[(\[](?:see|siehe|cf\.?|vgl\.)?\s*{_FIGURE}[^()\[\]]*[)\]]", re.I)
_CITATION = re.compile(r"\s*\[\d+(?:\s?[–,-]\s?\d+)*\]")
_MENTION = re.compile(rf"\b{_FIGURE}", re.I)
_THE_FIGURE = {
    "f": ("The figure", "the figure"),
    "a": ("Die Abbildung", "der Abbildung"),
}  # by the mention's first letter
_REASONS = re.compile(
    r"\b(because|therefore|thus|hence|suggest\w*|indicat\w+|impl(?:y|ies)|consistent with|due to|explain\w*|confirm\w*|"
    r"demonstrat\w+|whereas|although|conclu\w+|interpret\w*|in contrast|weil|daher|deshalb|spricht für|spricht gegen|"
    r"deutet|hinweis\w*|porque|por lo tanto|sugier\w+|sugere\w*|indica\w*|parce que|donc|suggère\w*|perché|quindi|"
    r"suggerisc\w+|потому|поэтому|свидетельств\w+|тому що|отже|свідч\w+)\b|因为|因此|表明|提示|ため|したがって|示唆",
    re.I,
)
_TERM = re.compile(
    r"\d+(?:[.,]\d+)*"  # numbers, with their units
    r"(?:\s?(?:%|‰|[µμmkcn]?(?:Gy|m|g|L|l|M|Bq|V|s|Hz|W)\b|h\b|min\b|days?\b|weeks?\b))?"
    r"|[A-Za-z]*[Α-ω]+[\w-]*"  # Greek
    r"|\b\w*[A-Z]\w*[A-Z]\w*\b"  # abbreviations
    r"|\b[^\W\d_]{6,}\b"  # long words
)


def evidence_sentences(row: dict) -> list[tuple[str, int, str]]:
    """(source, number, sentence) of a row of `pairs`: the caption's sentences, then the context's."""
    caption = split_sentences(row["caption"] or "")
    return [("caption", i, s) for i, s in enumerate(caption)] + [
        ("context", i, s) for i, s in enumerate(row["context"])
    ]


def support(answer: str, evidence: Iterable[str]) -> float | None:
    """Share of the answer's numbers (with units), Greek terms, abbreviations and long words that stand in `evidence`.

    0 to 1; None when the answer has no such term.
    """
    terms = {_folded(term) for term in _TERM.findall(answer)} - {"figure", "abbildung"}
    known = _folded(" ".join(evidence))
    return sum(term in known for term in terms) / len(terms) if terms else None


def _folded(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()


# The extractive teacher


def extractive(row: dict, task: str) -> dict | None:
    """Question, answer and evidence for `task`, made of the article's own sentences; None where they do not suffice.

    `detail` takes the caption and what the context describes, `reasoning` the sentences of the context that give
    reasons. Sentences that mention several figures are left out, citations and figure numbers are removed.
    """
    chosen = []
    for source, number, sentence in evidence_sentences(row):
        gives_reasons = source == "context" and bool(_REASONS.search(sentence))
        if gives_reasons == (task == "reasoning") and len(mentioned_keys(sentence)) <= (source == "context"):
            chosen.append((source, number, _as_answer(sentence)))
    if task == "detail" and not any(source == "caption" for source, _, _ in chosen):
        return None
    answer, kept = "", []
    for source, number, sentence in chosen:
        if len(answer) + len(sentence) < MAX_ANSWER_CHARS:
            answer += " " * bool(answer) + sentence
            kept.append({"source": source, "sentence": number})
    if not answer:
        return None
    return {"question": _question(row, task), "answer": answer, "evidence": kept}


def _as_answer(sentence: str) -> str:
    sentence = _CITATION.sub("", _IN_PARENTHESES.sub("", sentence))
    return _MENTION.sub(lambda m: _THE_FIGURE[m[0][0].lower()][m.start() > 0], sentence).strip()


@cache
def _questions() -> dict[str, dict[str, list[str]]]:
    return yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))


def _question(row: dict, task: str) -> str:
    questions = _questions()
    choices = questions.get(row["language"], questions["en"])[task]
    return choices[int(hashlib.sha256(f"{row['figure_id']}/{task}".encode()).hexdigest(), 16) % len(choices)]


# The LLM as teacher


@cache
def _template(task: str) -> jinja2.Template:
    return jinja2.Template((PROMPTS / f"{task}.md").read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined)


def request(row: dict, task: str) -> Request:
    """What is asked of the LLM about one figure: the task's prompt file with caption and context quoted as data."""
    lines = [f"[{source} {number}] {quote(s)}" for source, number, s in evidence_sentences(row)]
    quoted = "\n".join(["<<<EVIDENCE", *lines, "EVIDENCE>>>"])
    return Request(
        [{"role": "user", "content": _template(task).render(evidence=quoted)}],
        {"figure_id": row["figure_id"], "task": task},
        parse,
    )


def parse(reply: str) -> dict:
    """The teacher's JSON: `question`, `answer` (None: the teacher found too little to go on) and `evidence`.

    Raises ValueError for anything else.
    """
    start, end = reply.find("{"), reply.rfind("}")
    try:
        value = json.loads(reply[start : end + 1])
        question, answer = value["question"], value["answer"]
        evidence = [{"source": e["source"], "sentence": int(e["sentence"])} for e in value["evidence"]]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"no JSON object with question, answer and evidence ({error})") from error
    if any(e["source"] not in ("caption", "context") for e in evidence):
        raise ValueError("evidence from another source than caption or context")
    if answer is not None and not (isinstance(question, str) and isinstance(answer, str) and question and answer):
        raise ValueError("question or answer is empty or no text")
    return {"question": question, "answer": answer, "evidence": evidence}


@cache
def prompt_sha256(teacher: str, task: str) -> str:
    """The hash of the file that the questions or the prompt come from."""
    file = QUESTIONS if teacher == "extractive" else PROMPTS / f"{task}.md"
    return hashlib.sha256(file.read_bytes()).hexdigest()
