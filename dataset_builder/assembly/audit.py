"""How well the PDF reader agrees with the XML, over all articles that have both: `ldrt build --audit true`.

The XML is the truth here: its figures, captions, and the sentences that its cross references mark. The result goes to
`provenance/audit.json`, and the dataset card prints it: what to expect of the figures that come from PDFs alone.
"""

import re
from collections import Counter

from rapidfuzz import fuzz

from dataset_builder.assembly.assemble import Head
from dataset_builder.extraction.records import read_record
from dataset_builder.text.labels import label_key

ALIKE = 90.0  # of 100 (rapidfuzz's ratio): hyphenation, ligatures and symbols that fonts lose differ by less
_COUNTS = ("figures_xml", "figures_pdf", "figures_both", "captions_xml", "captions_right", "sentences_xml")
_COUNTS += ("sentences_found", "sentences_pdf", "sentences_right")


def audit(articles: list[list[Head]]) -> dict:
    """The agreement: counts, the shares made of them (None for 0 of 0), and each article that does not fully agree.

    Figures match by label. A caption is right, and a sentence found, when it is `ALIKE`, white space, punctuation and
    case aside. Not counted are figures without a label, and articles whose XML has no figure: it may be the head alone.
    """
    total, disagreeing, n = Counter(), [], 0
    for heads in articles:
        pair = _xml_and_pdf(heads)
        if pair is None:
            continue
        counts, differences = _compare(*pair)
        total.update(counts)
        n += 1
        if differences:
            files = [record["source_file"] for record in pair]
            disagreeing.append({"files": files, **differences})
    return {"articles": n, "counts": {name: total[name] for name in _COUNTS}, **_shares(total), "differ": disagreeing}


def _xml_and_pdf(heads: list[Head]) -> tuple[dict, dict] | None:
    """The first record of an XML with figures and of a PDF; None unless the article has both."""
    first = {}
    for head in heads:
        if not head.error:
            first.setdefault(head.source, head)
    if len(first) < 2:
        return None
    xml, pdf = (read_record(first[source].record) for source in ("jats", "pdf"))
    return (xml, pdf) if xml["figures"] else None


def _compare(xml: dict, pdf: dict) -> tuple[Counter, dict[str, list[str]]]:
    """The counts of one article, and the labels of figures that differ, by what is different."""
    truth, found = _by_key(xml["figures"]), _by_key(pdf["figures"])
    both = [key for key in truth if key in found]
    counts = Counter(figures_xml=len(truth), figures_pdf=len(found), figures_both=len(both))
    differences = {
        "missed": [truth[key]["label"] for key in truth if key not in found],
        "not_in_xml": [found[key]["label"] for key in found if key not in truth],
        "caption": [],
    }
    for key in both:
        a, b = truth[key], found[key]
        if a["caption"]:
            right = fuzz.ratio(_plain(a["caption"]), _plain(b["caption"] or "")) >= ALIKE
            counts.update(captions_xml=1, captions_right=right)
            differences["caption"] += [] if right else [a["label"]]
        counts.update(sentences_xml=len(a["context"]), sentences_found=_number_in(a["context"], b["context"]))
        counts.update(sentences_pdf=len(b["context"]), sentences_right=_number_in(b["context"], a["context"]))
    return counts, {name: labels for name, labels in differences.items() if labels}


def _by_key(figures: list[dict]) -> dict[str, dict]:
    keys = ((label_key(figure["label"]), figure) for figure in figures)
    return {key: figure for key, figure in keys if key}


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _number_in(sentences: list[str], others: list[str]) -> int:
    """How many of the sentences stand among the others, whole or as a part of one."""
    text = _plain("".join(others))
    return sum(fuzz.partial_ratio(plain, text) >= ALIKE for s in sentences if (plain := _plain(s)) and text)


def _shares(n: Counter) -> dict[str, float | None]:
    shares = {
        "figure_recall": ("figures_both", "figures_xml"),
        "figure_precision": ("figures_both", "figures_pdf"),
        "caption_right": ("captions_right", "captions_xml"),
        "context_recall": ("sentences_found", "sentences_xml"),
        "context_precision": ("sentences_right", "sentences_pdf"),
    }
    return {name: round(n[a] / n[b], 4) if n[b] else None for name, (a, b) in shares.items()}
