"""`ldrt judge RUN --against OTHER`: which of two runs' answers is better, asked in both orders; RUN/pairwise.jsonl."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from evaluation import judge

LEDGER = "pairwise.jsonl"
_RUBRIC = "pairwise"
_VERDICT = re.compile(r"^\W*verdict\W*[:：=]\W*(1|2|tie)\W*$", re.I | re.M)


def run(options: judge.Options, manifest: dict) -> str:
    """Compare what is not compared yet; returns wins, ties and how far the order decides. Raises as `ldrt judge`."""
    from dataset_builder.files.jsonfiles import read_json

    if options.backend == "local":
        raise ValueError("--against needs a server: the backend local computes scores, not verdicts")
    other = read_json(Path(options.against) / "manifest.json", f"ldrt generate --output {options.against}")
    for key in ("dataset_revision", "split"):
        if manifest[key] != other[key]:
            raise ValueError(f"{options.run} and {options.against} differ in {key}: they answer other questions")
    requests = list(_requests(options))
    ledger = Path(options.run) / LEDGER
    warning = judge.family_warning(options.judge, manifest)
    if options.dry_run:
        return "\n".join([*warning, judge.cost(requests, options, ledger)])
    records = judge.ask(requests, options, ledger, "verdict")
    judge.check_any(records, options)
    return "\n".join([_text(tally(records), options), *warning, str(ledger)])


def tally(records: list[dict]) -> dict:
    """Counts of answers that have a verdict in both orders, and what the order does to them.

    `records` are of one judge and one pair of runs. Returns n; run, other: wins in both orders; tie: all else;
    consistent (share with the same verdict in both orders); first (share of the verdicts without a tie that go to the
    answer read first; 0.5 is fair); unscored (answers without both verdicts).
    """
    verdicts: dict[tuple[str, str], dict[str, str]] = {}
    for record in records:
        of_answer = verdicts.setdefault((record["image_condition"], record["example_id"]), {})
        if record["status"] == "ok":
            of_answer[record["order"]] = record["verdict"]
    both = [tuple(v[order] for order in ("first", "second")) for v in verdicts.values() if len(v) == 2]
    counts = Counter(first if first == second else "tie" for first, second in both)
    decided = [v for pair in both for v in zip(pair, ("run", "other"), strict=True) if v[0] != "tie"]
    return {
        "n": len(both),
        **{winner: counts[winner] for winner in ("run", "other", "tie")},
        "consistent": sum(first == second for first, second in both) / len(both) if both else None,
        "first": sum(winner == read_first for winner, read_first in decided) / len(decided) if decided else None,
        "unscored": len(verdicts) - len(both),
    }


def read_verdict(order: str, reply: str) -> str:
    """run, other or tie: the last line of the reply that is a verdict, or `verdict` of a reply that is a JSON object.

    `order` says whether RUN's answer stood first or second. Raises ValueError where there is no verdict.
    """
    try:
        value = json.loads(reply)
        found = [str(value["verdict"]).lower()] if isinstance(value, dict) and "verdict" in value else []
    except ValueError:
        found = _VERDICT.findall(reply.lower())
    if not found or found[-1] not in ("1", "2", "tie"):
        raise ValueError("the reply has no line `VERDICT: 1`, `VERDICT: 2` or `VERDICT: tie`")
    if found[-1] == "tie":
        return "tie"
    return "run" if (found[-1] == "1") == (order == "first") else "other"


def _requests(options: judge.Options) -> Iterator:
    from dataset_builder.files.jsonfiles import read_jsonl
    from dataset_builder.llm.client import Request
    from evaluation.judging.panel import answer_sha256
    from evaluation.score import EVIDENCE

    evidence = {row["figure_id"]: row for row in read_jsonl(Path(options.run) / EVIDENCE)}
    used = judge.load_rubric(_RUBRIC, options)
    for ours, theirs in _pairs(options):
        about = judge.describe(ours, options, used.sha256)
        about |= {"answer_sha256": answer_sha256(ours["prediction"])}
        about |= {"other_answer_sha256": answer_sha256(theirs["prediction"])}
        about |= {"other_model": theirs["model"], "other_revision": theirs["revision"]}
        for order, (first, second) in (("first", (ours, theirs)), ("second", (theirs, ours))):
            both = {"answer_1": first["prediction"], "answer_2": second["prediction"]}
            messages = used.messages(ours, evidence.get(ours["figure_id"]), **both)
            yield Request(messages, about | {"order": order}, partial(read_verdict, order))


def _pairs(options: judge.Options) -> list[tuple[dict, dict]]:
    """The two runs' answers to the same questions. Raises ValueError where there are none or the questions differ."""
    from dataset_builder.files.jsonfiles import read_jsonl
    from evaluation.score import PREDICTIONS, latest

    theirs = {
        (r["image_condition"], r["example_id"]): r for r in latest(read_jsonl(Path(options.against) / PREDICTIONS))
    }
    pairs = [
        (r, theirs.get((r["image_condition"], r["example_id"]))) for r in judge.answers(Path(options.run), options)
    ]
    pairs = [(ours, other) for ours, other in pairs if other and other["prediction"] is not None]
    if not pairs:
        raise ValueError(f"{options.run} and {options.against} have no answers to the same questions")
    for ours, other in pairs:
        if any(ours[key] != other[key] for key in ("question", "reference")):
            raise ValueError(f"question or reference of {ours['example_id']} differ between the two runs")
    return pairs


def _text(found: dict, options: judge.Options) -> str:
    share, first = ("-" if found[key] is None else f"{found[key]:.0%}" for key in ("consistent", "first"))
    return (
        f"{judge.name(options.judge)}: {options.run} better in {found['run']} of {found['n']} answers, "
        f"{options.against} in {found['other']}, neither in {found['tie']}; {found['unscored']} without both verdicts\n"
        f"the same verdict in both orders: {share}; for the answer read first: {first} of the verdicts"
    )
