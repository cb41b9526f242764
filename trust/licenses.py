"""Licences by their ids: which there are, what they permit, and what holds for something made from several.

Rows carry licences as SPDX ids, or as Creative Commons names without a version ("CC-BY-NC", where an article states
none); None: not stated. What such rows may be used for needs decisions, and these are the project's:

- What is made from several works is under all their licences: `combined` is the one whose terms cover all of them.
- ShareAlike (`-SA`) rows may be published under their own licence. Two ShareAlike licences that each ask for
  themselves, or one beside terms that it does not have, leave no licence for what is made from both.
- NoDerivatives (`-ND`) rows are published by no policy but `all`: pictures are cut out of PDFs, captions into panels
  and answers are written from the text, and adapted material is what ND forbids to share.
- A figure with rights of its own ("Reprinted with permission of ...") is somebody else's, who was asked for one article
  alone: it is published where its licence is open, and by no policy where it has none.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from trust.errors import UsageError

Policy = Literal["commercial", "noncommercial", "all"]
Use = Literal["commercial", "noncommercial", "none"]

NOT_STATED = "not stated"  # how files and cards name the licence None
PUBLIC_DOMAIN = {"CC0-1.0": "zero/1.0", "CC-PDM-1.0": "mark/1.0", "CC-PDDC": None, "PDDL-1.0": None}  # id -> address
_VERSIONS = ("1.0", "2.0", "2.5", "3.0", "4.0")  # of the Creative Commons licences that SPDX knows without a port
_PORTS = {  # https://spdx.org/licenses/ (3.27): the ported Creative Commons licences that have an id of their own
    "CC-BY-2.5-AU", "CC-BY-3.0-AT", "CC-BY-3.0-AU", "CC-BY-3.0-DE", "CC-BY-3.0-IGO", "CC-BY-3.0-NL", "CC-BY-3.0-US",
    "CC-BY-NC-3.0-DE", "CC-BY-NC-ND-3.0-DE", "CC-BY-NC-ND-3.0-IGO", "CC-BY-NC-SA-2.0-DE", "CC-BY-NC-SA-2.0-FR",
    "CC-BY-NC-SA-2.0-UK", "CC-BY-NC-SA-3.0-DE", "CC-BY-NC-SA-3.0-IGO", "CC-BY-ND-3.0-DE", "CC-BY-SA-2.0-UK",
    "CC-BY-SA-2.1-JP", "CC-BY-SA-3.0-AT", "CC-BY-SA-3.0-DE", "CC-BY-SA-3.0-IGO",
}  # fmt: skip
# What the Hub knows by an id, https://huggingface.co/docs/hub/repositories-licenses; `other` has a name and an address
HubLicense = Literal[
    "apache-2.0", "mit", "openrail", "bigscience-openrail-m", "creativeml-openrail-m", "bigscience-bloom-rail-1.0",
    "bigcode-openrail-m", "afl-3.0", "artistic-2.0", "bsl-1.0", "bsd", "bsd-2-clause", "bsd-3-clause",
    "bsd-3-clause-clear", "c-uda", "cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
    "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0",
    "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cdla-sharing-1.0",
    "cdla-permissive-1.0", "cdla-permissive-2.0", "wtfpl", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1",
    "eupl-1.2", "agpl-3.0", "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "isc", "h-research",
    "intel-research", "lppl-1.3c", "ms-pl", "apple-ascl", "apple-amlr", "mpl-2.0", "odc-by", "odbl", "openmdw-1.0",
    "openmdw-1.1", "openrail++", "osl-3.0", "postgresql", "ofl-1.1", "ncsa", "unlicense", "zlib", "pddl", "lgpl-lr",
    "deepfloyd-if-license", "fair-noncommercial-research-license", "llama2", "llama3", "llama3.1", "llama3.2",
    "llama3.3", "llama4", "grok2-community", "gemma", "unknown", "other",
]  # fmt: skip
# Of those the Creative Commons and public-domain ones, by their SPDX ids
_HUB_IDS = {"PDDL-1.0": "pddl"} | {
    name: name.lower()
    for name in (
        *("CC0-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0"),
        *("CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0"),
        *("CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0"),
    )
}
_COMMONS = re.compile(
    r"CC-BY(?P<nc>-NC)?(?:(?P<nd>-ND)|(?P<sa>-SA))?(?:-(?P<version>[0-9]\.[0-9])(?:-(?P<port>[A-Z]{2,3}))?)?"
)


class Terms(NamedTuple):
    """What a Creative Commons licence asks for beside credit."""

    is_noncommercial: bool
    no_derivatives: bool
    share_alike: bool


# ---- ids


def spdx_id(name: str, version: str | None, port: str | None) -> str:
    """The id of a Creative Commons licence: with its version and port as far as SPDX has them.

    spdx_id("CC-BY-NC", "2.0", "UK") -> "CC-BY-NC-2.0"; spdx_id("CC-BY", "9.9", None) -> "CC-BY"
    """
    ported = f"{name}-{version}-{port}"
    if ported in _PORTS:
        return ported
    return f"{name}-{version}" if version in _VERSIONS else name


def is_known(license: str | None) -> bool:
    """Whether an id is one that the project reads: of SPDX, or a Creative Commons name without its version."""
    return license in PUBLIC_DOMAIN or terms_of(license) is not None


def terms_of(license: str | None) -> Terms | None:
    """The terms of a Creative Commons licence; None for the public domain, and for what is no such id."""
    match = _COMMONS.fullmatch(license or "")
    if match is None or match["version"] not in (None, *_VERSIONS) and license not in _PORTS:
        return None
    if match["port"] and license not in _PORTS:
        return None
    return Terms(bool(match["nc"]), bool(match["nd"]), bool(match["sa"]))


def license_url(license: str | None) -> str | None:
    """Where the text of a licence stands; None for one without a version, or no Creative Commons licence.

    license_url("CC-BY-3.0-IGO") -> "https://creativecommons.org/licenses/by/3.0/igo/"
    """
    domain = PUBLIC_DOMAIN.get(license or "")
    if domain:
        return f"https://creativecommons.org/publicdomain/{domain}/"
    match = re.fullmatch(r"CC-(BY(?:-NC|-ND|-SA)*)-([0-9]\.[0-9])(?:-([A-Z]+))?", license or "")
    path = "/".join(part.lower() for part in match.groups() if part) if match else None
    return f"https://creativecommons.org/licenses/{path}/" if path else None


# ---- several at once


def of_row(row: Mapping[str, Any]) -> tuple[str | None, ...]:
    """All licences of a row, sorted, None last: its columns `license` and, where it has them, `licenses`."""
    return in_order({row.get("license"), *(row.get("licenses") or ())})


def counts(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Licence -> number of rows that are made from something under it; None counts as `NOT_STATED`."""
    found = Counter(license or NOT_STATED for row in rows for license in of_row(row))
    return dict(sorted(found.items()))


def in_order(licenses: Iterable[str | None]) -> tuple[str | None, ...]:
    """Each licence once, sorted, None last."""
    return tuple(sorted(set(licenses), key=lambda name: (name is None, name or "")))


def combined(licenses: Iterable[str | None]) -> str | None:
    """The licence whose terms cover all of these, for what is made from works under each of them; None: there is none.

    combined(["CC-BY-4.0", "CC0-1.0", "CC-BY-NC-3.0"]) -> "CC-BY-NC-3.0"
    combined(["CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"]) -> None, as each asks for itself
    """
    distinct = set(licenses)
    restricted = distinct.difference(PUBLIC_DOMAIN) or set(sorted(distinct, key=str)[:1])
    if len(restricted) < 2:
        return next(iter(restricted), None)
    terms = {name: found for name in restricted if name is not None and (found := terms_of(name))}
    if len(terms) < len(restricted):
        return None  # one of them is not stated, or unknown
    whole = _union(terms.values())
    return _newest([name for name, of_it in terms.items() if of_it == whole]) if whole else None


def _union(terms: Iterable[Terms]) -> Terms | None:
    """The terms that cover all of these; None where some forbid that they are joined."""
    distinct = set(terms)
    is_noncommercial = any(one.is_noncommercial for one in distinct)
    share_alike = [one for one in distinct if one.share_alike]
    if any(one.no_derivatives for one in distinct):
        return None
    if any(one.is_noncommercial != is_noncommercial for one in share_alike):
        return None  # ShareAlike asks for its own terms, no more and no fewer
    return Terms(is_noncommercial, False, bool(share_alike))


def _newest(alike: list[str]) -> str | None:
    """Of licences with the same terms the one for what is made from all: a later version may follow on an earlier one.

    Not on version 1.0 of a ShareAlike licence, which knows no later ones. Without a version where one has none.
    """
    versions = {name: match["version"] for name in alike if (match := _COMMONS.fullmatch(name))}
    if len(alike) > 1 and "-SA" in alike[0] and "1.0" in versions.values():
        return None
    return max(alike, key=lambda name: (versions[name] is None, versions[name] or "", -len(name), name))


# ---- what may be done


def use_of(license: str | None) -> Use:
    """What may be done with rows under `license` when they are published anew: `none` also for unknown ones."""
    if license in PUBLIC_DOMAIN:
        return "commercial"
    terms = terms_of(license)
    if terms is None or terms.no_derivatives:
        return "none"
    return "noncommercial" if terms.is_noncommercial else "commercial"


def permits(policy: Policy, licenses: Iterable[str | None], rights: str | None = None) -> bool:
    """Whether a row made from works under `licenses` is published under `policy`; `rights` are those of its figure."""
    use = use_of(combined(licenses))
    if policy == "all":
        return rights is None or use != "none"
    return use in (("commercial", "noncommercial") if policy == "noncommercial" else ("commercial",))


def refuse_unsaid(policy: Policy, private: bool, is_said: bool) -> None:
    """Raises UsageError where every row would become public, whatever its licence, and that was said only once."""
    if policy == "all" and not private and not is_said:
        raise UsageError(
            "--policy all --private false makes every row public, whatever its licence: "
            "where you may do that, add --i_may_publish_all"
        )


def card_fields(licenses: Iterable[str | None]) -> dict[str, str]:
    """The `license…` fields of a dataset card's YAML for rows under these licences."""
    distinct = set(licenses)
    if distinct <= {None}:
        return {"license": "unknown"}
    if len(distinct) == 1:
        only = str(*distinct)
        return {"license": _HUB_IDS[only]} if only in _HUB_IDS else {"license": "other", "license_name": only.lower()}
    return {"license": "other", "license_name": "mixed-see-column-license"}
