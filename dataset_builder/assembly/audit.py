"""How well the PDF reader agrees with the XML, over all articles that have both: `ldrt build --audit`.

The XML is the truth here: its figures, captions, and the sentences that its cross references mark. The result goes to
`provenance/audit.json`, and the dataset card prints it: what to expect of the figures that come from PDFs alone.
"""

import re
from collections import Counter

from rapidfuzz import fuzz

from dataset_builder.assembly.articles import Head
from dataset_builder.extraction.records import FigureRecord, Record, read_record
from dataset_builder.text.labels import label_key

ALIKE = 90.0  # of 100 (rapidfuzz's ratio): hyphenation, ligatures and symbols that fonts lose differ by less
_COUNTS = (
    *("figures_xml", "figures_pdf", "figures_both"),
    *("captions_xml", "captions_right"),
    *("sentences_xml", "sentences_found", "sentences_pdf", "sentences_right"),
)
_SHARES = {  # share -> the counts that it is made of: these among those
    "figure_recall": ("figures_both", "figures_xml"),
    "figure_precision": ("figures_both", "figures_pdf"),
    "caption_right": ("captions_right", "captions_xml"),
    "context_recall": ("sentences_found", "sentences_xml"),
    "context_precision": ("sentences_right", "sentences_pdf"),
}


def audit(articles: list[list[Head]]) -> dict:
    """The agreement: counts, the shares made of them (None for 0 of 0), and each article that does not fully agree.

    Figures match by label. A caption is right, and a sentence found, when it is `ALIKE`, white space, punctuation and
    case aside. Not counted are figures without a label, and articles whose XML has no figure: it may be the head alone.
    `text_damage` names every PDF with damaged text, also of articles without XML: its pages and their worst share.
    """
    total: Counter[str] = Counter()
    compared, disagreeing = 0, []
    for heads in articles:
        pair = _xml_and_pdf(heads)
        if pair is None:
            continue
        xml, pdf = pair
        counts, differences = _compare(xml, pdf)
        total.update(counts)
        compared += 1
        if differences:
            disagreeing.append({"files": [xml["source_file"], pdf["source_file"]], **differences})
    counted = {name: total[name] for name in _COUNTS}
    damaged = [
        {"file": head.source_file, **head.text_damage} for heads in articles for head in heads if head.text_damage
    ]
    return {
        "articles": compared,
        "counts": counted,
        **_shares(total),
        "differ": disagreeing,
        "text_damage": sorted(damaged, key=lambda entry: entry["file"]),
    }


def _xml_and_pdf(heads: list[Head]) -> tuple[Record, Record] | None:
    """The first record of an XML with figures and of a PDF; None unless the article has both."""
    first: dict[str, Head] = {}
    for head in heads:
        if not head.error:
            first.setdefault(head.source, head)
    if "jats" not in first or "pdf" not in first:
        return None
    xml = read_record(first["jats"].record)
    return (xml, read_record(first["pdf"].record)) if xml["figures"] else None


def _compare(xml: Record, pdf: Record) -> tuple[Counter[str], dict[str, list[str | None]]]:
    """The counts of one article, and the labels of figures that differ, by what is different."""
    truth, found = _by_key(xml["figures"]), _by_key(pdf["figures"])
    both = [key for key in truth if key in found]
    counts = Counter(figures_xml=len(truth), figures_pdf=len(found), figures_both=len(both))
    wrong_captions = []
    for key in both:
        of_figure = _compare_figures(truth[key], found[key])
        counts.update(of_figure)
        if of_figure["captions_right"] < of_figure["captions_xml"]:
            wrong_captions.append(truth[key]["label"])
    differences = {
        "missed": [truth[key]["label"] for key in truth if key not in found],
        "not_in_xml": [found[key]["label"] for key in found if key not in truth],
        "caption": wrong_captions,
    }
    return counts, {name: labels for name, labels in differences.items() if labels}


def _compare_figures(truth: FigureRecord, found: FigureRecord) -> Counter[str]:
    """The counts of one figure that both files have."""
    counts = Counter(
        sentences_xml=len(truth["context"]),
        sentences_found=_number_in(truth["context"], found["context"]),
        sentences_pdf=len(found["context"]),
        sentences_right=_number_in(found["context"], truth["context"]),
    )
    if truth["caption"]:
        likeness = fuzz.ratio(_plain(truth["caption"]), _plain(found["caption"] or ""))
        counts.update(captions_xml=1, captions_right=int(likeness >= ALIKE))
    return counts


def _by_key(figures: list[FigureRecord]) -> dict[str, FigureRecord]:
    """label key -> figure; of figures with one label the last."""
    keys = ((label_key(figure["label"]), figure) for figure in figures)
    return {key: figure for key, figure in keys if key}


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _number_in(sentences: list[str], others: list[str]) -> int:
    """How many of the sentences stand among the others, whole or as a part of one."""
    text = _plain("".join(others))
    plain = [_plain(sentence) for sentence in sentences] if text else []
    return sum(fuzz.partial_ratio(sentence, text) >= ALIKE for sentence in plain if sentence)


def _shares(counts: Counter[str]) -> dict[str, float | None]:
    """The shares by their names; None for 0 of 0."""
    shares: dict[str, float | None] = {}
    for name, (part, whole) in _SHARES.items():
        shares[name] = round(counts[part] / counts[whole], 4) if counts[whole] else None
    return shares
