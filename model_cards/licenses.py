"""What a row's licence permits, and how the Hub names it.

Rows keep their own licence (column `license`, an SPDX id, or a Creative Commons name without its version). Two kinds
of terms need a decision, and this is the project's:

- ShareAlike (`-SA`) rows may be published: the row stays under its own licence, which the card says.
- NoDerivatives (`-ND`) rows are not published by any policy but `all`: pictures are cut out of PDFs, captions are cut
  into panels and answers are written from the text, and adapted material is what ND forbids to share.

A figure with rights of its own (column `rights`: "Reprinted with permission of ...") is somebody else's, who was asked
for one article alone: it is published where its own licence is open, and by no policy where it has none.
"""

import re
from typing import Literal

Policy = Literal["commercial", "noncommercial", "all"]

_CC_BY = re.compile(r"CC-BY(?P<nc>-NC)?(?P<nd>-ND)?(-SA)?(-\d\.\d(-[A-Z]{2,3})?)?")
_PUBLIC_DOMAIN = {"CC0-1.0", "CC-PDDC", "CC-PDM-1.0", "PDDL-1.0"}
# The Creative Commons and public-domain ids that the Hub knows: https://huggingface.co/docs/hub/repositories-licenses
_HUB_IDS = {"PDDL-1.0": "pddl"} | {
    name: name.lower()
    for name in (
        *("CC0-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0"),
        *("CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0"),
        *("CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0"),
    )
}


def use_of(license: str | None) -> Literal["commercial", "noncommercial", "none"]:
    """What may be done with rows under `license` when they are published anew: `none` also for unknown ones."""
    if license in _PUBLIC_DOMAIN:
        return "commercial"
    match = _CC_BY.fullmatch(license or "")
    if match is None or match["nd"]:
        return "none"
    return "noncommercial" if match["nc"] else "commercial"


def permits(policy: Policy, license: str | None, rights: str | None = None) -> bool:
    """Whether a row under `license` (None: unknown) is published under `policy`; `rights` are those of its own."""
    if policy == "all":
        return rights is None or use_of(license) != "none"
    permitted = ("commercial", "noncommercial") if policy == "noncommercial" else ("commercial",)
    return use_of(license) in permitted


def refuse_unsaid(policy: Policy, private: bool, is_said: bool) -> None:
    """Raises ValueError where every row would become public, whatever its licence, and that was said only once."""
    if policy == "all" and not private and not is_said:
        raise ValueError(
            "--policy all --private false makes every row public, whatever its licence: "
            "where you may do that, add --i_may_publish_all true"
        )


def card_fields(licenses: set[str | None]) -> dict[str, str]:
    """The `license…` fields of a dataset card's YAML for rows under these licences."""
    if licenses <= {None}:
        return {"license": "unknown"}
    if len(licenses) == 1:
        (only,) = licenses
        if only in _HUB_IDS:
            return {"license": _HUB_IDS[only]}
    return {"license": "other", "license_name": "mixed-see-column-license"}
