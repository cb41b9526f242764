"""What `ldrt verify` says: each thing that was looked at, and whether it holds."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from trust.markup import visible

Verdict = Literal["holds", "does not hold", "not checked"]
SHOWN = 20  # of the things found wrong in one check; the rest is counted


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `found`: what does not hold, one line each, or why it was not checked."""

    what: str
    verdict: Verdict
    found: tuple[str, ...] = ()


def judged(what: str, wrong: Iterable[str]) -> Check:
    """It holds where nothing was found wrong."""
    found = tuple(wrong)
    return Check(what, "does not hold" if found else "holds", found)


def not_checked(what: str, why: str) -> Check:
    """It is not known whether it holds; never counted as if it did."""
    return Check(what, "not checked", (why,))


def failures(checks: Iterable[Check]) -> list[Check]:
    return [check for check in checks if check.verdict == "does not hold"]


def as_text(name: str, checks: list[Check]) -> str:
    """The report to read: a line a check, and beneath it what was found."""
    lines = [name]
    for check in checks:
        lines.append(f"  {check.verdict.upper() if failures([check]) else check.verdict:<14} {check.what}")
        lines += [f"                   {visible(line)}" for line in check.found[:SHOWN]]  # strangers' ids are in it
        if len(check.found) > SHOWN:
            lines.append(f"                   and {len(check.found) - SHOWN} more")
    return "\n".join([*lines, summary(checks)])


def summary(checks: list[Check]) -> str:
    """ "hold: 12, do not hold: 1, not checked: 2"."""
    counts = Counter(check.verdict for check in checks)
    return f"hold: {counts['holds']}, do not hold: {counts['does not hold']}, not checked: {counts['not checked']}"


def as_json(name: str, commit: str | None, checks: list[Check]) -> dict:
    """The same for programs."""
    rows = [{**asdict(check), "found": list(check.found)} for check in checks]
    return {"repository": name, "commit": commit, "holds": not failures(checks), "checks": rows}
