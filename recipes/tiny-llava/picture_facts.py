"""Does the tiny model see? What answers say of the sample corpus' pictures, right or wrong, in a run folder.

    python recipes/tiny-llava/picture_facts.py demo/runs/tuned

Every caption of the sample corpus says what its picture shows (a colour, a side, a number, a trend), drawn at
random: no question and no other sentence that the model is given tells it. `RUN/picture_facts.json` gets the share of
these facts that the answers to `detail` questions state rightly, with the true picture and, where the run has them,
with another article's: the difference is what the model has seen.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np

from dataset_builder.files.jsonfiles import write_json
from dataset_builder.sample.text import STATEMENTS
from evaluation.run_folder import Prediction, read_predictions
from evaluation.scoring import statistics
from evaluation.scoring.tables import interval_text, number_text

# "The plot shows {number_of_curves} curves …" -> "The plot shows (?P<number_of_curves>\\w+?) curves …"
PATTERNS = [
    (kind, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>\\w+?)", re.escape(statement))))
    for of_kind in STATEMENTS.values()
    for kind, statement in of_kind.items()
]


def main(run: Path) -> None:
    """Print the shares and write them to RUN/picture_facts.json."""
    records = read_predictions(run)
    counted = [row for record in records if record["task"] == "detail" for row in counts(record)]
    if not counted:
        sys.exit(f"{run}: no answered `detail` question whose reference describes a picture of the sample corpus")
    found = shares(counted)
    write_json(run / "picture_facts.json", found)
    for name, row in found.items():
        interval = interval_text(row["ci_low"], row["ci_high"], name == "gap")
        print(f"picture facts right, {name}: {number_text(row['value'], name == 'gap')} ({interval}, n {row['n']})")


def facts(text: str) -> dict[tuple[int, str, str], str]:
    """(panel, kind of picture, attribute) -> value, as the text states them; (0, "line plot", "trend") -> "rise"."""
    found = [(match.start(), kind, match) for kind, pattern in PATTERNS for match in pattern.finditer(text)]
    return {
        (panel, kind, attribute): value
        for panel, (_, kind, match) in enumerate(sorted(found, key=lambda place: place[0]))
        for attribute, value in match.groupdict().items()
    }


def counts(record: Prediction) -> list[dict]:
    """One row (article_id, example_id, condition, right, n) of a record of predictions.jsonl; none without facts."""
    true = facts(record["reference"])
    if not true or record["prediction"] is None:
        return []
    said = facts(record["prediction"])
    right = sum(said.get(fact) == value for fact, value in true.items())
    return [
        {
            "article_id": record["article_id"],
            "example_id": record["example_id"],
            "image_condition": record["image_condition"],
            "right": right,
            "n": len(true),
        }
    ]


def shares(rows: list[dict]) -> dict[str, dict]:
    """`true`, `shuffled` and `gap` (true − shuffled) of what there is: value, 95 % interval over articles, n facts."""
    of = {row["image_condition"]: {} for row in rows}
    for row in rows:
        of[row["image_condition"]][row["example_id"]] = row
    found = {name: _share(list(of[name].values())) for name in ("true", "shuffled") if name in of}
    both = sorted(of.get("true", {}).keys() & of.get("shuffled", {}).keys())
    if both:
        differences = [of["true"][e] | {"right": of["true"][e]["right"] - of["shuffled"][e]["right"]} for e in both]
        found["gap"] = _share(differences)
    return found


def _share(rows: list[dict]) -> dict:
    values = np.array([[row["right"], row["n"]] for row in rows], dtype=float)  # (questions, 2)
    sums = statistics.cluster_sums(values, [row["article_id"] for row in rows])
    samples = statistics.bootstrap(sums)
    low, high = statistics.interval(samples[:, 0] / samples[:, 1])
    right, total = sums.sum(0)
    return {"value": right / total, "ci_low": low, "ci_high": high, "n": int(total)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="run folder made by `ldrt generate` on the sample corpus")
    main(parser.parse_args().run)
