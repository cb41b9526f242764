"""What the sample articles say and show: figures with attributes, captions, and sentences that mention them."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from PIL import Image

from dataset_builder.sample import text
from dataset_builder.sample.artist import Artist, Attributes, Deck
from dataset_builder.sample.figures import Operation, blurred

# What the first articles are, so that a corpus of ten has one of everything; later ones follow `_role`.
FIRST_ROLES = ("jats", "pdf", "jats.tar.gz", "jats", "pdf", "jats+pdf", "jats", "pdf", "jats", "pdf")
GERMAN = (6, 7, 18, 30, 43, 54)
BLURRED, DUPLICATE, MISSING = 0, 3, 8  # articles with an extra figure: out of focus, copied from article 0, absent
SHARED_FIGURE = 1  # position in article 0 of the figure that article `DUPLICATE` shows again
_LETTERS = "ABCD"  # of the panels


@dataclass
class SamplePanel:
    """A panel of a compound figure."""

    label: str
    bbox: list[int]  # pixels x0, y0, x1, y1
    caption: str
    kind: str
    attributes: Attributes


@dataclass
class SampleFigure:
    """One figure: `drawing` is its display list, `width` and `height` are pixels, `bbox` PDF points."""

    number: int
    kind: str
    attributes: Attributes
    panels: list[SamplePanel]
    caption: str
    label: str
    drawing: list[Operation]
    width: int
    height: int
    picture: Image.Image
    file: str | None = None
    caption_only: list[str] = field(default_factory=list)
    expectation: str = "kept"
    duplicate_of: str | None = None
    vector: bool = False
    page: int | None = None
    bbox: list[float] | None = None


@dataclass
class SampleArticle:
    """One article: `sections` are (heading, paragraphs), a paragraph being a list of sentences with mentions."""

    index: int
    role: str
    language: str
    main_file: str
    title: str
    journal: str
    year: int
    license: str
    doi: str
    pmcid: str | None
    facts: dict[str, str]
    columns: int = 1
    caption_above: bool = False
    figures: list[SampleFigure] = field(default_factory=list)
    sections: list[tuple[str, list[list[str]]]] = field(default_factory=list)


def make_articles(count: int, seed: int) -> list[SampleArticle]:
    """The articles of a corpus, with their pictures, before anything is written; ValueError for fewer than 10."""
    if count < len(FIRST_ROLES):
        raise ValueError(f"sample corpus: {count} articles asked for, at least {len(FIRST_ROLES)} needed")
    artist = Artist(seed)
    topics = Deck(text.TOPICS, random.Random(f"{seed}/topics"))
    made: list[SampleArticle] = []
    for index in range(count):
        rng = random.Random(f"{seed}/article/{index}")
        article = _front_matter(index, topics.draw(), rng)
        days = rng.sample(text.DAYS, 5)
        for number in range(1, 4 + index % 2):
            article.figures.append(_make_figure(article, number, days[number - 1], artist))
        _add_special(article, made, days[4], artist)
        prefix = {"en": ("Figure", "Fig."), "de": ("Abbildung", "Abb.")}[article.language][index % 3 != 0]
        article.sections = _write_sections(article, prefix, days, rng)
        made.append(article)
    return made


def _role(index: int) -> str:
    if index < len(FIRST_ROLES):
        return FIRST_ROLES[index]
    if index in (23, 41):
        return "jats+pdf"
    return "pdf" if index % 3 == 1 else "jats"


def _front_matter(index: int, topic: dict, rng: random.Random) -> SampleArticle:
    role = _role(index)
    language = "de" if index in GERMAN else "en"
    stem = f"{role.split('.')[0].replace('+', '-')}-{index:03d}"
    main_file = {
        "jats": f"{stem}/article.{'nxml' if index % 2 else 'xml'}",
        "jats.tar.gz": f"{stem}.tar.gz",
        "jats+pdf": f"{stem}/article.xml",
        "pdf": f"{stem}.pdf",
    }[role]
    subject, site = topic[language]
    facts = {
        "subject": subject,
        "site": site,
        "cohort": f"{'ABCDEFGHKLMN'[index % 12]}{1 + index // 12}",
        "dose": rng.choice(text.DOSES_GY),
        "size": str(rng.randrange(12, 60, 4)),
        "fractions": str(rng.choice((3, 6))),
    }
    return SampleArticle(
        index=index,
        role=role,
        language=language,
        main_file=main_file,
        title=rng.choice(text.TITLES[language]).format(**facts),
        journal="Synthetic Journal of Low-Dose Radiation",
        year=rng.randrange(2012, 2026),
        license="CC0-1.0" if index % 12 == 3 else "CC-BY-NC-4.0" if index % 12 == 10 else "CC-BY-4.0",
        doi=f"10.5555/ldrt.synthetic.{index:04d}",
        pmcid=None if role == "pdf" else f"PMC{99_000_000 + index}",
        facts=facts,
        columns=1 + (index // 3) % 2,
        caption_above=index % 9 == 4,
    )


def _make_figure(
    article: SampleArticle, number: int, day: int, artist: Artist, kind: str | None = None
) -> SampleFigure:
    kind, pictures = artist.choose(kind)
    drawing = artist.draw(kind, pictures)
    statements = [_statement(article.language, *picture) for picture in pictures]
    panels = _panels(drawing.boxes, pictures, statements)
    lettered = [f"({panel.label}) {panel.caption}" for panel in panels]
    lead = text.LEADS[article.language][kind].format(**article.facts, day=day)
    attributes = pictures[0][1]
    if panels:
        attributes = {f"{p.label} {name}": value for p in panels for name, value in p.attributes.items()}
    word = ("Figure", "Fig.") if article.language == "en" else ("Abbildung", "Abb.")
    extension = ("png", "jpg", "png", "tif")[(article.index + number) % 4]
    return SampleFigure(
        number=number,
        kind=kind,
        attributes=attributes,
        panels=panels,
        caption=" ".join([lead, *(lettered or statements)]),
        label=f"{word[article.index % 2]} {number}",
        drawing=drawing.operations,
        width=drawing.width,
        height=drawing.height,
        picture=drawing.image,
        file=f"fig{number}.{extension}" if article.role in ("jats", "jats.tar.gz") else None,
        vector=(article.index + number) % 2 == 0,
    )


def _panels(boxes: list[list[int]], pictures: list[tuple[str, Attributes]], statements: list[str]) -> list[SamplePanel]:
    """The panels of a compound figure, lettered in their order; none for any other, which has no boxes."""
    panels = []
    for letter, box, (kind, attributes), statement in zip(_LETTERS, boxes, pictures, statements, strict=False):
        panels.append(SamplePanel(letter, box, statement, kind, attributes))
    return panels


def _statement(language: str, kind: str, attributes: dict[str, str]) -> str:
    words = text.WORDS[language]
    values = {name.replace(" ", "_"): words.get(value, value) for name, value in attributes.items()}
    return text.STATEMENTS[language][kind].format(**values)


def _add_special(article: SampleArticle, made: list[SampleArticle], day: int, artist: Artist) -> None:
    """The figures that a build must reject or recognise."""
    if article.index not in (BLURRED, DUPLICATE, MISSING):
        return
    number = len(article.figures) + 1
    figure = _make_figure(article, number, day, artist, kind="dose map")
    figure.file = f"fig{number}.png"
    if article.index == BLURRED:
        figure.picture = blurred(figure.picture)
        figure.expectation = "rejected:min_sharpness"
    elif article.index == MISSING:
        figure.expectation = "rejected:image_missing"
    else:
        figure = _make_copy(article, made[0], number, day)
    article.figures.append(figure)


def _make_copy(article: SampleArticle, first: SampleArticle, number: int, day: int) -> SampleFigure:
    """A figure of the first article once more, as figure `number` of another one: same bytes, another caption."""
    original = first.figures[SHARED_FIGURE]
    assert original.file is not None  # the first article is a JATS package
    lead = text.LEADS["en"][original.kind].format(**article.facts, day=day)
    return replace(
        original,
        number=number,
        caption=" ".join([lead, original.caption.split(". ", 1)[1]]),
        label=f"{article.figures[0].label.split()[0]} {number}",
        file=f"fig{number}.{original.file.rpartition('.')[2]}",
        duplicate_of=f"{first.main_file}#{original.label}",
    )


def _write_sections(
    article: SampleArticle, prefix: str, days: list[int], rng: random.Random
) -> list[tuple[str, list[list[str]]]]:
    """The sections; `prefix` is the word before a figure's number, `days` are those of the figures, and one more."""
    language, facts = article.language, article.facts | {"day": str(max(days))}

    def pick(bank: Mapping[str, tuple[str, ...]], count: int) -> list[str]:
        sentences = bank[language]
        kept = sorted(rng.sample(range(len(sentences)), min(count, len(sentences))))
        return [sentences[i].format(**facts) for i in kept]

    results = [_mentions(article, figure, prefix, str(days[figure.number - 1]), rng) for figure in article.figures]
    for paragraph, sentence in zip(rng.sample(results, 2), pick(text.RESULTS, 2), strict=True):
        paragraph.insert(0, sentence)
    discussion = [_together(article, prefix, rng), *pick(text.DISCUSSION, 4)]
    bodies = [[pick(text.INTRODUCTION, 6)], [pick(text.METHODS, 5)], results, [discussion]]
    return list(zip(text.HEADINGS[language], bodies, strict=True))


def _mentions(article: SampleArticle, figure: SampleFigure, prefix: str, day: str, rng: random.Random) -> list[str]:
    """Two sentences that mention the figure: what is seen, and what it suggests and why."""
    kind, attributes, letter = figure.kind, figure.attributes, ""
    if figure.panels:
        panel = rng.choice(figure.panels)
        kind, attributes, letter = panel.kind, panel.attributes, panel.label
    stated = text.IN_CONTEXT[kind]
    figure.caption_only = [name for name in figure.attributes if name != f"{letter} {stated}".strip()]
    value = attributes[stated]
    reason = f"tallest {value}" if kind == "bar chart" else value
    language = article.language
    facts = article.facts | {"day": day, "value": text.WORDS[language].get(value, value)}
    sentences = []
    for bank in (text.SEEN[language][kind], text.WHY[language][reason]):
        wrap = rng.choice("xxxbip")
        mention = f"[[{wrap}:{figure.number}|{prefix} {figure.number}{letter}]]"
        sentences.append(rng.choice(bank).format(**facts, mention=mention))
    return sentences


def _together(article: SampleArticle, prefix: str, rng: random.Random) -> str:
    """A sentence that mentions two figures in one cross reference, or a range of three."""
    plural = {"Fig.": "Figs.", "Figure": "Figures", "Abb.": "Abb.", "Abbildung": "Abbildungen"}[prefix]
    joint = {"en": "and", "de": "und"}[article.language]
    first = rng.randrange(1, len(article.figures))
    mention = f"[[x:{first},{first + 1}|{plural} {first} {joint} {first + 1}]]"
    if rng.random() < 0.5:
        mention = f"[[r:1,2,3|{plural} 1–3]]"
    return rng.choice(text.TOGETHER[article.language]).format(**article.facts, mention=mention)
