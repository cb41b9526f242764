"""`ldrt sweep FILE.yaml`: one recipe trained several times with changes; every run answers the same held-out questions.

    ldrt sweep recipes/sweeps/lora-rank.yaml

Writes OUTPUT/sweep.json (for each run its changes, training time and scores) and OUTPUT/plots/sweep.png, quality
against training time. Run it again after any interruption: each command is run again and looks itself whether it is
done, by the content of what it starts from; a started one goes on. A run that fails is recorded and the others go on.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from dataset_builder.files.jsonfiles import write_json
from recipes.sweeping.commands import draw, train_and_score
from recipes.sweeping.results import read_results, table
from recipes.sweeping.sweep_file import asked_of, check_dataset, read_sweep
from trust.handovers import stamped

FILE = "sweep.json"


@dataclass
class Options:
    """Options of `ldrt sweep`."""

    sweep: str = field(
        metadata={"help": "YAML file that names the runs (recipes/sweeps/)", "positional": True, "path": "file"}
    )


def run(options: Options) -> str:
    """Train, ask and score what is not done yet; returns the table. A run whose folder holds another one (a phase 1
    trained anew, other rows) fails and says so.

    Raises FileNotFoundError or ValueError for a file that is no sweep, RuntimeError when no run finished.
    """
    sweep = read_sweep(Path(options.sweep))
    check_dataset(Path(options.sweep), sweep)
    output = Path(sweep["output"])
    output.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, (name, changes) in enumerate(sweep["runs"].items(), 1):
        print(f"\n[{number}/{len(sweep['runs'])}] {name}: {json.dumps(changes or {})}", file=sys.stderr, flush=True)
        asked = asked_of(sweep, name)
        error = train_and_score(output / name, asked)
        entry = {"name": name, **asked, "error": error}
        if error is None:
            entry |= read_results(output / name)
        entries.append(entry)
        write_json(output / FILE, stamped({"dataset": sweep["dataset"], "runs": entries}))
    if all(entry["error"] for entry in entries):
        raise RuntimeError(f"no run of {options.sweep} finished; the first: {entries[0]['error']}")
    draw(output)
    return table(entries) + f"\n\nin {output}: {FILE}, plots/sweep.png"
