"""What this machine has for `ldrt`, what is missing, and the command that gets it.

    ldrt doctor
    ldrt doctor --json

Looked at are Python, the packages and their versions, GPU, driver and CUDA, memory, disk, the Hub's token (which is
never printed) and what only some commands need. Exit status: 0, or 1 where something is missing that every run needs.
"""

import json
from dataclasses import asdict, dataclass, field

from ldrt.machine import MISSING, NEEDED, Finding, findings

_SIGNS = {NEEDED: "✗", MISSING: "–"}


@dataclass
class Options:
    """Options of `ldrt doctor`."""

    json: bool = field(default=False, metadata={"help": "for programs: a list of findings"})
    offline: bool = field(default=False, metadata={"help": "do not ask the Hub whether the token is valid"})


def run(options: Options) -> str:
    """Look; returns what was found. Raises RuntimeError, after printing it, where something that every run needs is
    missing."""
    found = findings(options.offline)
    report = json.dumps([asdict(finding) for finding in found], indent=1) if options.json else _as_text(found)
    if needed := [finding.what for finding in found if finding.state == NEEDED]:
        print(report)
        raise RuntimeError(f"not ready: {', '.join(needed)}")
    return report


def _as_text(found: list[Finding]) -> str:
    width = max(len(finding.what) for finding in found)
    lines = []
    for finding in found:
        lines.append(f"{_SIGNS.get(finding.state, '✓')} {finding.what.ljust(width)}  {finding.said}")
        if finding.command:
            lines.append(f"  {' ' * width}  get it: {finding.command}")
    return "\n".join(lines)
