"""Does the tiny model see? What answers say of the sample corpus' pictures, right or wrong, in a run folder.

    python recipes/tiny-llava/picture_facts.py demo/runs/tuned

Every caption of the sample corpus says what its picture shows (a colour, a side, a number, a trend), drawn at
random: no question and no other sentence that the model is given tells it. `RUN/picture_facts.json` gets the share of
these facts that the answers to `detail` questions state rightly, with the true picture and, where the run has them,
with another article's: the difference is what the model has seen.
"""

import argparse
import functools
import re
import sys
from pathlib import Path

import numpy as np

from dataset_builder.files.jsonfiles import write_json
from dataset_builder.sample.text import STATEMENTS
from evaluation.metrics.metric import SHARE, Bounds
from evaluation.run_folder import Prediction, read_predictions
from evaluation.scoring import statistics
from evaluation.scoring.tables import interval_text, number_text

PLACEHOLDER = re.compile(r"\\\{(\w+)\\\}")  # of a statement, as re.escape leaves it


def main(run: Path) -> None:
    """Print the shares and write them to RUN/picture_facts.json."""
    details = [record for record in read_predictions(run) if record["task"] == "detail"]
    counted = list(filter(None, map(counts, details)))
    if not counted:
        sys.exit(f"{run}: no answered `detail` question whose reference describes a picture of the sample corpus")
    found = shares(counted)
    write_json(run / "picture_facts.json", found)
    for name, row in found.items():
        interval = row["no_interval"] or interval_text(row["ci_low"], row["ci_high"], name == "gap")
        print(f"picture facts right, {name}: {number_text(row['value'], name == 'gap')} ({interval}, n {row['n']})")


def facts(text: str) -> dict[tuple[int, str, str], str]:
    """(panel, kind of picture, attribute) -> value, as the text states them; (0, "line plot", "trend") -> "rise"."""
    statements = []  # (where it begins, kind of picture, match)
    for kind, pattern in patterns():
        statements += [(match.start(), kind, match) for match in pattern.finditer(text)]
    statements.sort(key=lambda statement: statement[0])
    found = {}
    for panel, (_, kind, match) in enumerate(statements):
        for attribute, value in match.groupdict().items():
            found[panel, kind, attribute] = value
    return found


@functools.cache
def patterns() -> list[tuple[str, re.Pattern[str]]]:
    """(kind of picture, pattern) of every statement that the sample corpus makes of its pictures."""
    found = []
    for statements in STATEMENTS.values():
        for kind, statement in statements.items():
            # "The plot shows {number_of_curves} curves …" -> "The plot shows (?P<number_of_curves>\\w+?) curves …"
            found.append((kind, re.compile(PLACEHOLDER.sub(r"(?P<\1>\\w+?)", re.escape(statement)))))
    return found


def counts(record: Prediction) -> dict | None:
    """(article_id, example_id, condition, right, n) of a record of predictions.jsonl; None without facts."""
    true = facts(record["reference"])
    if not true or record["prediction"] is None:
        return None
    said = facts(record["prediction"])
    right = sum(said.get(fact) == value for fact, value in true.items())
    return {
        "article_id": record["article_id"],
        "example_id": record["example_id"],
        "image_condition": record["image_condition"],
        "right": right,
        "n": len(true),
    }


def shares(rows: list[dict]) -> dict[str, dict]:
    """`true`, `shuffled` and `gap` (true − shuffled) of what there is: value, 95 % interval over articles, n facts."""
    true = {row["example_id"]: row for row in rows if row["image_condition"] == "true"}
    shuffled = {row["example_id"]: row for row in rows if row["image_condition"] == "shuffled"}
    found = {}
    if true:
        found["true"] = _share(list(true.values()), SHARE)
    if shuffled:
        found["shuffled"] = _share(list(shuffled.values()), SHARE)
    both = sorted(true.keys() & shuffled.keys())
    if both:
        differences = [true[e] | {"right": true[e]["right"] - shuffled[e]["right"]} for e in both]
        found["gap"] = _share(differences, statistics.UNBOUNDED)
    return found


def _share(rows: list[dict], bounds: Bounds) -> dict:
    values = np.array([[row["right"], row["n"]] for row in rows], dtype=float)  # (questions, 2)
    sums = statistics.cluster_sums(values, [row["article_id"] for row in rows])
    found = statistics.estimate_ratio(sums, bounds)
    interval = {"ci_low": found.low, "ci_high": found.high, "no_interval": found.no_interval}
    return {"value": found.value, **interval, "n": int(sums[:, 1].sum())}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="run folder made by `ldrt generate` on the sample corpus")
    main(parser.parse_args().run)
