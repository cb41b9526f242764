"""`answers.html` of a run folder: every answer beside its question, picture and reference, and what was made of it.

    write_answers(Path("runs/tuned"))

Of a run that was compared with a base run both answers stand side by side, with what each judge said and each metric
measured; of any other run its own. Written from the run's files only: the pictures are those of thumbnails.jsonl.
"""

import base64
import binascii
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from model_cards.cards.evaluated_run import EvaluatedRun
from model_cards.dataset_folder import row_terms
from model_cards.files import write_text
from model_cards.preview.parts import Pictures, fair_shares, rendered
from model_cards.quotable import permitted_predictions
from model_cards.result_files import EVIDENCE, ITEMS, PAIRED, THUMBNAILS, Item, Paired, Prediction, Said
from trust.licenses import NOT_STATED, Policy, in_order, of_row, permits
from trust.markup import visible
from trust.pictures.encoding import THUMBNAIL_PX, encode, thumbnail
from trust.pictures.opener import UnreadablePicture, open_picture

PAGE = "answers.html"
MAX_ROWS = 2_000  # questions on a page; the paper's evaluation has 1,574
MAX_PICTURE_BYTES = 40_000_000  # of a page's pictures, as JPEG: a browser still opens it at once
MAX_REPLY_CHARS = 4_000  # shown of what a judge or a model said
FAILED, EMPTY, CUT, COMPLETE = "failed", "empty", "cut at the token limit", "complete"  # the worst first
STATES = (FAILED, EMPTY, CUT, COMPLETE)
ONE_ALONE = "tuned alone"  # the base run was not asked this under this image condition
_JUDGE, _MEAN = "judge:", "judge:mean"  # columns of per_item_scores.jsonl
_HIDDEN = ("claims", "reference_words", "reference_hedges", "truncated", "empty", "hedged", "grounded")
GROUNDED = "grounding"  # share of an answer's numbers and terms

Place = tuple[str, str]  # (image condition, example_id)


class Thumbnails(NamedTuple):
    """The pictures of a run: example_id -> JPEG, and example_id -> why there is none."""

    jpegs: dict[str, bytes]
    problems: dict[str, str]


def write_answers(run: EvaluatedRun, policy: Policy) -> Path:
    """Write RUN/answers.html and return its path; the same files give the same page.

    Of more than `MAX_ROWS` answers a sample is shown, with the largest differences. `policy` decides by a row's
    licences whether its picture is shown. Raises ValueError for files that are not those of a run.
    """
    path = run.folder / PAGE
    write_text(path, render_answers(run, policy))
    return path


def render_answers(
    run: EvaluatedRun, policy: Policy, *, is_published: bool = False, dataset: Path | None = None
) -> str:
    """The page's text; see `write_answers`. `dataset`: the run's, where it is known.

    Of a page that `is_published` rows without a permitting licence have no text of the article either: question,
    reference, caption, and judges' replies, which may quote them.
    """
    measured = _measured(run)
    figures = {row["figure_id"]: row for row in EVIDENCE.rows(run.folder / "evidence.jsonl")}
    newest = {_place(row): (row, is_open) for row, is_open in permitted_predictions(run.folder, policy, dataset)}
    thumbnails, rows = read_thumbnails(run.folder), []
    for place, (prediction, is_open) in sorted(newest.items()):
        whose = "answer" if run.comparison is None else "tuned"
        figure: Mapping = figures.get(prediction["figure_id"], {})
        row = _row(prediction, whose, measured.get(place), figure.get("caption"))
        rows.append(row | _licensed(prediction, figure, is_open))
        if is_published and not is_open:
            _take_quotes_out(rows[-1])
    measures = _measures(rows)
    totals, rows = _sample([row | {"verdict": _verdict(row, measures)} for row in rows], measures)
    if not rows:
        raise FileNotFoundError(f"{run.folder} has no answers to show: run `ldrt generate --output {run.folder}` first")
    pictures = Pictures()
    _add_pictures(rows, thumbnails, pictures)
    data = {"rows": rows, "totals": totals, "measures": measures, "policy": policy, "published": is_published}
    return "".join(rendered("answers", data, pictures, about=_about(run, rows)))


def _about(run: EvaluatedRun, rows: list[dict]) -> dict:
    """What stands at the top: models, dataset, and whether anybody judged."""
    compared = run.comparison
    models = {"model": run.manifest["model"]}
    if compared:
        models = {who: compared[who]["model"] for who in ("base", "tuned")}
    judges = {said["judge"] for row in rows for answer in row["answers"] for said in answer["said"]}
    return {"models": models, "dataset": run.manifest["dataset"], "judges": sorted(judges)}


# ---- one question


def _measured(run: EvaluatedRun) -> dict[Place, Item | Paired]:
    """What is known of the answers to each question: of both runs where both were asked, else of this one."""
    found: dict[Place, Item | Paired] = {_place(row): row for row in ITEMS.rows(run.folder / "per_item_scores.jsonl")}
    if run.comparison is not None:
        found |= {_place(row): row for row in PAIRED.rows(run.folder / "paired_items.jsonl")}
    return found


def _place(row: Mapping) -> Place:
    return row["image_condition"], row.get("example_id", "")


def _row(prediction: Prediction, whose: str, measured: Item | Paired | None, caption: str | None) -> dict:
    """A question as the page's script takes it, without its picture."""
    names = ("example_id", "figure_id", "article_id", "task", "question", "reference")
    answers = _answers(prediction, whose, measured or {})
    return {
        **{name: prediction.get(name) for name in names},
        "condition": prediction["image_condition"],
        "shown_figure": prediction.get("image_figure_id"),
        "caption": caption,
        "answers": answers,
        "state": _state_of_all(answers),
    }


def _answers(prediction: Prediction, whose: str, measured: Mapping) -> list[dict]:
    """The run's own answer; before it the base run's where that was asked the same."""
    end = prediction.get("finish_reason", "stop")
    own = (prediction["prediction"], end, prediction.get("error"))
    if "base_answer" not in measured:
        return [_answer(whose, own, measured.get("scores", {}), measured.get("said", ()))]
    base = (measured["base_answer"], measured.get("base_finish_reason", "stop"), measured.get("base_error"))
    return [
        _answer("base", base, measured["base"], measured.get("base_said", ())),
        _answer("tuned", own, measured["tuned"], measured.get("tuned_said", ())),
    ]


def _answer(who: str, said: tuple[str | None, str, str | None], scores: Mapping, judged: Iterable[Said]) -> dict:
    """`said`: the answer's text, how it ended, and why there is none; `scores`: columns of per_item_scores.jsonl."""
    text, end, error = said
    metrics = {name: value for name, value in scores.items() if value is not None and not name.startswith(_JUDGE)}
    return {
        "who": who,
        "text": _short(text),
        "state": _state(text, end),
        "error": _short(error),
        "quality": _quality(scores),
        "metrics": {name: value for name, value in metrics.items() if name not in _HIDDEN},
        "facts": [metrics["grounded"], metrics["claims"]] if metrics.get("claims") else None,
        "said": [{**judge, "reply": _short(judge["reply"])} for judge in judged],
    }


def _state(text: str | None, finish_reason: str) -> str:
    if text is None:
        return FAILED
    if not text.strip():
        return EMPTY
    return CUT if finish_reason == "length" else COMPLETE


def _state_of_all(answers: list[dict]) -> str:
    """The worst state and whose it is: "failed: base"; of answers that are all alike the state alone."""
    worst = min((answer["state"] for answer in answers), key=STATES.index)
    whose = [answer["who"] for answer in answers if answer["state"] == worst]
    return worst if len(whose) == len(answers) else f"{worst}: {whose[0]}"


def _short(text: str | None) -> str | None:
    if text is None or len(text) <= MAX_REPLY_CHARS:
        return text
    return f"{text[:MAX_REPLY_CHARS]} … ({len(text) - MAX_REPLY_CHARS:,} more characters)"


# ---- gains and losses


def _quality(scores: Mapping) -> dict[str, float]:
    """Measures of which more is better: judges' points (of several also their mean), ROUGE-L, grounded share."""
    found = {name: value for name, value in scores.items() if name.startswith(_JUDGE) or name == "rougeL"}
    if scores.get("claims"):
        found[GROUNDED] = scores["grounded"] / scores["claims"]
    return {name: value for name, value in found.items() if value is not None}


def _measures(rows: list[dict]) -> list[str]:
    """The measures that rows can be sorted by: the judges' mean or only judge first."""
    there = {name for row in rows for answer in row["answers"] for name in answer["quality"]}
    return sorted(there, key=lambda name: (not name.startswith(_JUDGE), name != _MEAN, name == GROUNDED, name))


def _change(row: Mapping, measures: list[str]) -> float | None:
    """Tuned − base, of a run alone its value, by the first of the measures; None where an answer has none."""
    values = [answer["quality"].get(measures[0]) if measures else None for answer in row["answers"]]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    return known[1] - known[0] if len(known) == 2 else known[0]


def _verdict(row: Mapping, measures: list[str]) -> str:
    if any(answer["state"] == FAILED for answer in row["answers"]):
        return FAILED
    if [answer["who"] for answer in row["answers"]] == ["tuned"]:
        return ONE_ALONE
    change = _change(row, measures)
    if change is None:
        return "not scored"
    if len(row["answers"]) == 1:
        return "scored"
    return "same" if change == 0 else "gain" if change > 0 else "loss"


def _sample(rows: list[dict], measures: list[str]) -> tuple[Counter[str], list[dict]]:
    """How many questions got each verdict; and at most `MAX_ROWS` of them, the largest differences first.

    True pictures come before replaced ones. As many of each verdict as there are, up to an equal share.
    """
    of_verdict: dict[str, list[dict]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["condition"] != "true", _order(row, measures))):
        of_verdict[row["verdict"]].append(row)
    totals = Counter({name: len(found) for name, found in sorted(of_verdict.items())})
    shares = fair_shares(totals, MAX_ROWS)
    kept = [row for name, found in of_verdict.items() for row in found[: shares[name]]]
    return totals, sorted(kept, key=lambda row: _order(row, measures))


def _order(row: Mapping, measures: list[str]) -> float:
    """The largest differences come first, what cannot be told apart last."""
    change = None if row["verdict"] == ONE_ALONE else _change(row, measures)
    return 1.0 if change is None else -abs(change)


# ---- pictures, as far as licences let them be shown


def _licensed(prediction: Prediction, figure: Mapping, is_open: bool) -> dict:
    """The licences of question and figure in words, and whether its picture may be shown, here or to its owner."""
    of_figure, rights = row_terms(figure)
    licenses = in_order((*of_figure, *of_row(prediction)))
    stated = ", ".join(name or NOT_STATED for name in licenses)
    if rights is not None:  # what they say is the article's text
        stated += ", with rights of others"
    return {"license": stated, "is_open": is_open, "is_own": permits("all", licenses, rights)}


def _take_quotes_out(row: dict) -> None:
    row |= {"question": None, "reference": None, "caption": None}
    for answer in row["answers"]:
        answer["said"] = [{**said, "reply": None} for said in answer["said"]]


def read_thumbnails(folder: Path) -> Thumbnails:
    """The pictures of RUN/thumbnails.jsonl; none for a run of before."""
    found = Thumbnails({}, {})
    for row in THUMBNAILS.rows(folder / "thumbnails.jsonl"):
        try:
            jpeg, problem = _decoded(row["jpeg"]), row["problem"]
        except (binascii.Error, ValueError):
            jpeg, problem = None, "thumbnails.jsonl is damaged there"
        for example_id in row["example_ids"]:
            if jpeg is None:
                found.problems[example_id] = problem or "unreadable"
            else:
                found.jpegs[example_id] = jpeg
    return found


def _decoded(jpeg: str | None) -> bytes | None:
    return None if jpeg is None else base64.b64decode(jpeg, validate=True)


def checked(jpeg: bytes) -> bytes:
    """A thumbnail as it is shown: opened as any stranger's picture, small, without metadata.

    Raises `UnreadablePicture`.
    """
    image = open_picture(jpeg)
    return encode(image) if max(image.size) <= THUMBNAIL_PX else thumbnail(image)


def _add_pictures(rows: list[dict], thumbnails: Thumbnails, pictures: Pictures) -> None:
    """Give the rows the numbers of their pictures, or say why they have none."""
    numbers: dict[bytes, int | None] = {}  # several questions are about one picture
    for row in rows:
        jpeg = thumbnails.jpegs.get(row["example_id"])
        row |= {"picture": None, "picture_problem": _why_no_picture(row, thumbnails)}
        if jpeg is None or row["picture_problem"]:
            continue
        try:
            if jpeg not in numbers and pictures.n_bytes + len(jpeg) <= MAX_PICTURE_BYTES:
                numbers[jpeg] = pictures.add(checked(jpeg))
        except UnreadablePicture as error:
            row["picture_problem"] = visible(str(error))
            continue
        row["picture"] = numbers.get(jpeg)
        if row["picture"] is None:
            row["picture_problem"] = "the page holds no more pictures"


def _why_no_picture(row: Mapping, thumbnails: Thumbnails) -> str | None:
    """None where there is one, and it may be shown."""
    if not row["is_open"]:
        return "licence"
    if row["example_id"] in thumbnails.jpegs:
        return None
    return thumbnails.problems.get(row["example_id"], "the run keeps none; `ldrt generate`, run again, adds them")
