"""`examples.html` of a dataset repo folder: one page to read the questions and answers, and why others were rejected.

    write_examples_preview(Path("dataset"))

Each with its picture, and with the sentences of caption and context that it names as its evidence marked where they
stand. Kept examples come from the configs, rejected ones from `provenance/rejected_examples.jsonl`, what they are about
from `pairs`. Which part of a caption is which sentence, `ldrt instruct` leaves in `.work/`; a dataset from the Hub
lacks it, and the page gives the numbers instead.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from model_cards.dataset_folder import all_files, config_files
from model_cards.files import read_jsonl, write_parts
from model_cards.preview.parts import (
    EXAMPLE_CONFIGS,
    REJECTED_EXAMPLES,
    Pictures,
    cut,
    fair_shares,
    load_thumbnail,
    parquet_rows,
    rendered,
)

KEPT = "kept"
_OF_EXAMPLE = (
    *("example_id", "figure_id", "article_id", "task", "split", "teacher", "license", "rights", "question", "answer"),
    *("support", "reason", "value", "threshold"),
)
_OF_FIGURE = ("label", "title", "journal", "year", "language", "attribution", "doi", "width", "height")

Figures = dict[str | None, dict]  # figure_id -> row of `pairs`, with what is shown of its picture


def write_examples_preview(dataset: Path, max_rows: int = 1000, build: Path | None = None) -> Path:
    """Write DATASET/examples.html and return its path; the same files give the same page.

    Of more than `max_rows` examples a sample is shown, figure by figure in the order of the hashes of their ids, with
    as many of each verdict and task as there are, up to an equal share. `build` is the folder in which `ldrt instruct`
    ran, where `dataset` holds rows of it. Raises FileNotFoundError when the folder holds no example.
    """
    path = dataset / "examples.html"
    write_parts(path, _page(dataset, max_rows, build))
    return path


def render_examples(dataset: Path, max_rows: int = 1000, build: Path | None = None) -> str:
    """The page's text; see `write_examples_preview`."""
    return "".join(_page(dataset, max_rows, build))


def _page(dataset: Path, max_rows: int, build: Path | None) -> Iterator[str]:
    """The page in parts."""
    totals, chosen = _sample(_read_examples(dataset), max_rows)
    if not chosen:
        raise FileNotFoundError(f"{dataset} has no example to show: run `ldrt instruct` first")
    examples = [row for number, row in enumerate(_read_examples(dataset)) if number in chosen]
    pictures = Pictures()
    figures = _figures(dataset, examples, pictures)
    captions = _caption_sentences((build or dataset) / ".work" / "caption_sentences.jsonl", figures)
    rows = [_shown(example, figures, captions) for example in _by_figure(examples, figures)]
    links_figures = "pairs" in config_files(dataset)
    return rendered("examples", {"rows": rows, "totals": totals}, pictures, links_figures=links_figures)


def verdict(example: Mapping) -> str:
    """Why the gate rejected an example ("min_support"), or `KEPT`."""
    return example.get("reason") or KEPT


# ---- which examples


def _read_examples(dataset: Path) -> Iterator[dict]:
    """The examples of the configs, then the rejected ones, both with `question` and `answer`; without pictures."""
    configs = config_files(dataset)
    for config in EXAMPLE_CONFIGS:
        for split, paths in configs.get(config, {}).items():
            for path in paths:
                for row in parquet_rows(path, 0, set()):
                    said = {"question": _said(row["prompt"]), "answer": _said(row["completion"])}
                    yield row | said | {"split": split}
    yield from read_jsonl(dataset / REJECTED_EXAMPLES)


def _said(messages: Sequence[Mapping]) -> str:
    return "\n".join(message["content"] or "" for message in messages)


def _sample(examples: Iterator[dict], max_rows: int) -> tuple[Counter[str], set[int]]:
    """How many examples got each verdict, and the numbers of those to show."""
    found: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
    totals: Counter[str] = Counter()
    for number, row in enumerate(examples):
        drawn = hashlib.sha256(str(row.get("figure_id")).encode(errors="replace")).digest()  # all of a figure, or none
        found[f"{verdict(row)}/{row.get('task')}"].append((drawn, number))
        totals[verdict(row)] += 1
    shares = fair_shares({name: len(drawn) for name, drawn in found.items()}, max_rows)
    chosen = {number for name, drawn in found.items() for _, number in sorted(drawn)[: shares[name]]}
    return Counter(dict(sorted(totals.items()))), chosen


def _by_figure(examples: list[dict], figures: Figures) -> list[dict]:
    """The examples of a figure together, in the order of `figures`, then the others; of each those kept come first."""
    place = {figure_id: number for number, figure_id in enumerate(figures)}
    return sorted(examples, key=lambda row: (place.get(row.get("figure_id"), len(place)), verdict(row) != KEPT))


# ---- what they are about


def _figures(dataset: Path, examples: list[dict], pictures: Pictures) -> Figures:
    """The examples' figures, and without pictures those whose context a teacher was given instead."""
    shown = {example.get("figure_id") for example in examples}
    wanted = shown | {_context_of(example) for example in examples}
    numbers = {number for number, row in enumerate(_read_pairs(dataset, set())) if row["figure_id"] in shown}
    figures: Figures = {}
    for number, row in enumerate(_read_pairs(dataset, numbers)):
        if row["figure_id"] not in wanted:
            continue
        picture = row.pop("image", None)
        if number in numbers:
            loaded = load_thumbnail(picture)
            row |= {"picture": pictures.add(loaded.thumbnail), "picture_problem": loaded.problem}
        figures[row["figure_id"]] = row
    return figures


def _read_pairs(dataset: Path, chosen: set[int]) -> Iterator[dict]:
    first = 0
    for path in all_files(config_files(dataset).get("pairs", {})):
        for row in parquet_rows(path, first, chosen):
            first += 1
            yield row


def _context_of(example: Mapping) -> str | None:
    """The figure whose context the teacher saw; rejected examples of before did not say it."""
    return example.get("context_of", example.get("figure_id"))


def _caption_sentences(path: Path, figures: Figures) -> dict[str | None, list[str]]:
    return {row["figure_id"]: row["sentences"] for row in read_jsonl(path) if row["figure_id"] in figures}


# ---- what the page is given


def _shown(example: dict, figures: Figures, captions: Mapping[str | None, list[str]]) -> dict:
    """The example as the page's script takes it; what is None is left out."""
    figure_id = example.get("figure_id")
    figure = figures.get(figure_id, {})
    shown = {name: figure.get(name) for name in (*_OF_FIGURE, "picture", "picture_problem")}
    shown |= {name: example.get(name) for name in _OF_EXAMPLE} | {"verdict": verdict(example)}
    if example.get("task") != "align":  # whose answer is the caption, and all of it the evidence
        shown |= _evidence(example, figure, figures, captions.get(figure_id))
    return {name: value for name, value in shown.items() if value is not None}


def _evidence(example: dict, figure: dict, figures: Figures, sentences: list[str] | None) -> dict:
    """Caption and context with the evidence marked, and the names of what could not be marked."""
    context_of = _context_of(example)
    context = figures.get(context_of, {}).get("context") or [] if context_of else []
    named = [(one.get("source"), one.get("sentence")) for one in example.get("evidence") or ()]
    caption = _marked(figure.get("caption") or "", sentences or [], named)
    marked = {("context", number) for number in range(len(context))}
    marked |= {("caption", number) for number in range(len(sentences or []) if len(caption) > 1 else 0)}
    return {
        "caption": caption,
        "context": [["", text, ""] if ("context", i) in named else [text] for i, text in enumerate(context)],
        "unmarked": [f"{source} {number}" for source, number in dict.fromkeys(named) if (source, number) not in marked]
        or None,
        "context_of": context_of if context_of != example.get("figure_id") else None,
    }


def _marked(caption: str, sentences: list[str], named: Sequence[tuple]) -> list[str]:
    """The caption in pieces, every second one a sentence that is named; in one where the sentences are not its own."""
    flat, spans, position = " ".join(caption.split()), [], 0
    for number, sentence in enumerate(sentences):
        start = flat.find(sentence, position)
        if start < 0:
            return [flat]
        position = start + len(sentence)
        if ("caption", number) in named:
            spans.append([start, position])
    return cut(flat, spans)
