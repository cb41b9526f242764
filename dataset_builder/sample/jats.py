"""A sample article as JATS XML (NISO Z39.96), with the ways of citing and placing figures that PMC articles use."""

import re
from xml.sax.saxutils import escape, quoteattr

from dataset_builder.sample.articles import SampleArticle, SampleFigure
from dataset_builder.sample.text import MENTION, NOTE

LICENSE_URLS = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-NC-4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}
DOCTYPE = (
    '<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Archiving and Interchange DTD v1.2 20190208//EN" '
    '"JATS-archivearticle1.dtd">\n'
)

RESULTS = 2  # number of the section whose paragraphs cite the figures, one each


def write_jats(article: SampleArticle) -> str:
    """The XML of a `SampleArticle`.

    Figures stand behind the paragraph that cites them, in every fourth article in `<floats-group>`. Every second
    article has a document type, every third gives its captions a `<title>`, every fifth leaves the extension off the
    file names, as PMC packages do.
    """
    at_end = article.index % 4 == 3
    sections = [_section(article, i, with_figures=i == RESULTS and not at_end) for i in range(len(article.sections))]
    floats = "\n".join(_figure(article, figure) for figure in article.figures) if at_end else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        + (DOCTYPE if article.index % 2 else "")
        + f"<!-- {NOTE['en']} -->\n"
        + '<article xmlns:xlink="http://www.w3.org/1999/xlink" article-type="research-article" dtd-version="1.2" '
        + f'xml:lang="{article.language}">\n'
        + _front(article)
        + "<body>\n"
        + "\n".join(sections)
        + "\n</body>\n"
        + (f"<floats-group>\n{floats}\n</floats-group>\n" if at_end else "")
        + "</article>\n"
    )


def _section(article: SampleArticle, i: int, with_figures: bool) -> str:
    """Section `i`; behind each paragraph, where they are asked for, the figure of the same number."""
    heading, paragraphs = article.sections[i]
    parts = []
    for j, paragraph in enumerate(paragraphs):
        parts.append(f"<p>{' '.join(_sentence(sentence) for sentence in paragraph)}</p>")
        if with_figures:
            parts.append(_figure(article, article.figures[j]))
    return f'<sec id="S{i + 1}"><title>{heading}</title>\n' + "\n".join(parts) + "\n</sec>"


def _front(article: SampleArticle) -> str:
    pmcid = article.pmcid or ""  # every article with XML has one
    return f"""<front>
<journal-meta>
<journal-id journal-id-type="nlm-ta">Synth J Low Dose Radiat</journal-id>
<journal-title-group><journal-title>{escape(article.journal)}</journal-title></journal-title-group>
<publisher><publisher-name>Synthetic</publisher-name></publisher>
</journal-meta>
<article-meta>
<article-id pub-id-type="pmc">{pmcid if article.index % 2 else pmcid.removeprefix("PMC")}</article-id>
<article-id pub-id-type="doi">{article.doi}</article-id>
<title-group><article-title>{escape(article.title)}</article-title></title-group>
<contrib-group><contrib contrib-type="author"><name><surname>Sample</surname><given-names>Sam</given-names></name>\
</contrib></contrib-group>
<pub-date pub-type="epub"><day>1</day><month>6</month><year>{article.year}</year></pub-date>
<permissions>
<license license-type="open-access" xlink:href={quoteattr(LICENSE_URLS[article.license])}>
<license-p>{NOTE["en"]} Distributed under {article.license}.</license-p>
</license>
</permissions>
<abstract><p>{NOTE[article.language]}</p></abstract>
</article-meta>
</front>
"""


def _figure(article: SampleArticle, figure: SampleFigure) -> str:
    file = figure.file or f"fig{figure.number}.tif"  # articles that come as XML and PDF have no picture files
    href = file.rpartition(".")[0] if article.index % 5 == 2 else file
    lead, rest = figure.caption.split(". ", 1)
    if article.index % 3 == 0:
        caption = f"<title>{escape(lead)}.</title><p>{escape(rest)}</p>"
    else:
        caption = f"<p>{escape(figure.caption)}</p>"
    return (
        f'<fig id="F{figure.number}" position="float"><label>{figure.label}</label>\n<caption>{caption}</caption>\n'
        f"<graphic xlink:href={quoteattr(href)}/></fig>"
    )


def _sentence(sentence: str) -> str:
    return MENTION.sub(_mention, escape(sentence).replace("et al.", "<italic>et al.</italic>"))


def _mention(match: re.Match) -> str:
    numbers = match["targets"].split(",")
    if match["wrap"] == "p":
        return match["text"]
    if match["wrap"] == "r":  # "Figs. 1–3": the first and the last are linked, those between are meant
        word, _, _ = match["text"].rpartition(" ")
        return f"{word} {_xref([numbers[0]], numbers[0])}–{_xref([numbers[-1]], numbers[-1])}"
    link = _xref(numbers, match["text"])
    return {"x": link, "b": f"<bold>{link}</bold>", "i": f"<italic>{link}</italic>"}[match["wrap"]]


def _xref(numbers: list[str], printed: str) -> str:
    return f'<xref ref-type="fig" rid="{" ".join("F" + number for number in numbers)}">{printed}</xref>'
