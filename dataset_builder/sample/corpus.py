"""The built-in sample corpus: small synthetic LDRT articles as JATS packages and PDFs, with the truth beside them.

`write_corpus(folder)` is what `ldrt demo`, the tiny recipes and the tests start from. The articles are invented, say
so in every file, and prove the chain, not medicine. Pictures come from `figures`, sentences from
`text`, PDF pages from `pdf`. The same seed gives the same bytes.
"""

import gzip
import io
import itertools
import json
import random
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image

from dataset_builder.sample import text
from dataset_builder.sample.figures import KINDS, blurred, draw, draw_panels, to_image
from dataset_builder.sample.jats import write_jats
from dataset_builder.sample.pdf import write_pdf

MIN_PHASH_DISTANCE = 12  # of 64 bits; near-duplicates are looked for below 10
PASSWORD = "synthetic"  # user password of the encrypted PDF
FIGURE_KINDS = ("dose map",) * 3 + ("line plot", "bar chart", "micrograph") * 2 + ("compound",)
# What the first articles are, so that a corpus of ten has one of everything; later ones follow `_role`.
FIRST_ROLES = ("jats", "pdf", "jats.tar.gz", "jats", "pdf", "jats+pdf", "jats", "pdf", "jats", "pdf")
GERMAN = (6, 7, 18, 30, 43, 54)
BLURRED, DUPLICATE, MISSING = 0, 3, 8  # articles with an extra figure: out of focus, copied from article 0, absent
SHARED_FIGURE = 1  # position in article 0 of the figure that article `DUPLICATE` shows again


@dataclass
class SampleFigure:
    """One figure: `drawing` is its display list, `panels` are (letter, box in pixels, caption, kind, attributes)."""

    number: int
    kind: str
    attributes: dict[str, str]
    panels: list[dict]
    caption: str
    label: str
    drawing: list[tuple]
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


def write_corpus(folder: Path, articles: int = 72, seed: int = 0) -> None:
    """Write `articles` synthetic articles, one broken and one encrypted PDF and `truth.jsonl` into `folder`.

    `truth.jsonl` has one line a figure: article (main file), source (jats | pdf | jats+pdf), label, caption, context
    (sentences), attributes, caption_only (names of attributes that the body never states), panels (label, bbox in
    pixels of width × height, caption), page and bbox (of what is visible, PDF points, origin top left), and
    expectation: kept, rejected:<filter> or failed. Raises ValueError for fewer than 10 articles, which would lack the
    special cases.
    """
    write_articles(folder, make_articles(articles, seed))


def write_articles(folder: Path, made: list[SampleArticle]) -> None:
    """Write the files and the truth of the articles that `make_articles` made; see `write_corpus`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for article in made:
        main_file = folder / article.main_file
        main_file.parent.mkdir(parents=True, exist_ok=True)
        if article.role == "pdf":
            main_file.write_bytes(write_pdf(article))
        elif article.role == "jats.tar.gz":
            main_file.write_bytes(_tar_gz(article.main_file.removesuffix(".tar.gz"), _package(article)))
        else:
            for name, content in _package(article).items():
                (main_file.parent / name).write_bytes(content)
        if article.role == "jats+pdf":
            main_file.with_suffix(".pdf").write_bytes(write_pdf(article))
        lines += [_truth(article, figure) for figure in article.figures]
    lines += _write_unreadable(folder, made)
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / "truth.jsonl").write_text(content, encoding="utf-8")


def _write_unreadable(folder: Path, made: list[SampleArticle]) -> list[dict]:
    """One truncated and one encrypted PDF, made from the first two PDF articles; returns their truth lines."""
    pdfs = [article for article in made if article.role == "pdf"]
    whole = write_pdf(pdfs[0])
    (folder / "pdf-broken.pdf").write_bytes(whole[: len(whole) // 10])
    (folder / "pdf-encrypted.pdf").write_bytes(write_pdf(pdfs[1], password=PASSWORD))
    lines = []
    for article, name in zip(pdfs, ("pdf-broken.pdf", "pdf-encrypted.pdf"), strict=False):
        for figure in article.figures:
            lines.append(_truth(article, figure) | {"article": name, "expectation": "failed"})
    return lines


def _truth(article: SampleArticle, figure: SampleFigure) -> dict:
    sentences = [s for _, paragraphs in article.sections for paragraph in paragraphs for s in paragraph]
    panels = [{"label": p["label"], "bbox": p["bbox"], "caption": p["caption"]} for p in figure.panels]
    return {
        "article": article.main_file,
        "source": {"jats.tar.gz": "jats"}.get(article.role, article.role),
        "note": text.NOTE["en"],
        "title": article.title,
        "doi": article.doi,
        "pmcid": article.pmcid,
        "language": article.language,
        "license": article.license,
        "label": figure.label,
        "caption": figure.caption,
        "context": [text.plain(sentence) for sentence in sentences if figure.number in text.targets(sentence)],
        "image_file": figure.file,
        "width": figure.width,
        "height": figure.height,
        "page": figure.page,
        "bbox": figure.bbox,
        "panels": panels,
        "attributes": {"chart type": figure.kind} | figure.attributes,
        "caption_only": figure.caption_only,
        "duplicate_of": figure.duplicate_of,
        "expectation": figure.expectation,
    }


# --- what an article says ---------------------------------------------------------------------------------------


class _Deck:
    """Values in shuffled order, each equally often: balanced, and independent of everything else."""

    def __init__(self, values, rng: random.Random):
        self.values, self.rng, self.left = list(values), rng, []

    def draw(self):
        if not self.left:
            self.left = self.rng.sample(self.values, len(self.values))
        return self.left.pop()


class _Artist:
    """Draws kinds and attributes from balanced decks, and pictures until one is unlike all earlier ones."""

    def __init__(self, seed: int):
        rng = random.Random(f"{seed}/attributes")
        self.seed, self.made, self.hashes = seed, 0, []
        self.kinds = _Deck(FIGURE_KINDS, rng)
        self.attributes = {kind: _Deck(_combinations(kind), rng) for kind in KINDS}
        # Panels have decks of their own, so that whole figures stay balanced.
        self.panel_attributes = {kind: _Deck(_combinations(kind), rng) for kind in KINDS}
        self.orders = _Deck(itertools.permutations(KINDS), rng)

    def choose(self, kind: str | None = None) -> tuple[str, list[tuple[str, dict]]]:
        """A kind and its pictures [(kind, attributes)]: one, or four for a compound figure."""
        kind = kind or self.kinds.draw()
        if kind == "compound":
            return kind, [(panel, self.panel_attributes[panel].draw()) for panel in self.orders.draw()]
        return kind, [(kind, self.attributes[kind].draw())]

    def draw(self, kind: str, pictures: list[tuple[str, dict]]):
        """(display list, panel boxes, width, height, image) with a new picture."""
        self.made += 1
        for attempt in range(100):
            rng = np.random.default_rng([self.seed, self.made, attempt])
            # width / height; dose maps are rarely narrow, so that left and right stay apart when padded to a square
            ratio = 2 ** rng.uniform(-0.4 if kind == "dose map" else -0.8, 0.9)
            area = rng.integers(270, 350) ** 2
            width, height = int((area * ratio) ** 0.5), int((area / ratio) ** 0.5)
            boxes = []
            if kind == "compound":
                size = (int(rng.integers(210, 250)), int(rng.integers(180, 230)))
                drawing, boxes, (width, height) = draw_panels(pictures, 2, size, rng)
            else:
                drawing = draw(kind, pictures[0][1], width, height, rng)
            image = to_image(drawing, width, height)
            bits = imagehash.phash(image).hash.ravel()
            if all(np.count_nonzero(bits != other) >= MIN_PHASH_DISTANCE for other in self.hashes):
                self.hashes.append(bits)
                return drawing, boxes, width, height, image
        raise RuntimeError(f"sample corpus: no new picture of a {kind} after 100 attempts; draw fewer articles")


def _combinations(kind: str) -> list[dict[str, str]]:
    return [dict(zip(KINDS[kind], values, strict=True)) for values in itertools.product(*KINDS[kind].values())]


def make_articles(count: int, seed: int) -> list[SampleArticle]:
    """The articles of a corpus, with their pictures, before anything is written; ValueError for fewer than 10."""
    if count < len(FIRST_ROLES):
        raise ValueError(f"sample corpus: {count} articles asked for, at least {len(FIRST_ROLES)} needed")
    artist = _Artist(seed)
    topics = _Deck(text.TOPICS, random.Random(f"{seed}/topics"))
    made = []
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


def _make_figure(article: SampleArticle, number: int, day: int, artist: _Artist, kind=None) -> SampleFigure:
    kind, pictures = artist.choose(kind)
    drawing, boxes, width, height, image = artist.draw(kind, pictures)
    facts = article.facts | {"day": str(day)}
    statements = [_statement(article.language, *picture) for picture in pictures]
    panels = []
    for i, box in enumerate(boxes):
        panel_kind, attributes = pictures[i]
        caption = {"label": "ABCD"[i], "bbox": box, "caption": statements[i]}
        panels.append(caption | {"kind": panel_kind, "attributes": attributes})
    lettered = [f"({panel['label']}) {panel['caption']}" for panel in panels]
    caption = " ".join([text.LEADS[article.language][kind].format(**facts), *(lettered or statements)])
    if panels:
        attributes = {f"{p['label']} {name}": value for p in panels for name, value in p["attributes"].items()}
    else:
        attributes = pictures[0][1]
    word = ("Figure", "Fig.") if article.language == "en" else ("Abbildung", "Abb.")
    extension = ("png", "jpg", "png", "tif")[(article.index + number) % 4]
    return SampleFigure(
        number=number,
        kind=kind,
        attributes=attributes,
        panels=panels,
        caption=caption,
        label=f"{word[article.index % 2]} {number}",
        drawing=drawing,
        width=width,
        height=height,
        picture=image,
        file=f"fig{number}.{extension}" if article.role in ("jats", "jats.tar.gz") else None,
        vector=(article.index + number) % 2 == 0,
    )


def _statement(language: str, kind: str, attributes: dict[str, str]) -> str:
    words = text.WORDS[language]
    values = {name.replace(" ", "_"): words.get(value, value) for name, value in attributes.items()}
    return text.STATEMENTS[language][kind].format(**values)


def _add_special(article: SampleArticle, made: list[SampleArticle], day: int, artist: _Artist) -> None:
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
    lead = text.LEADS["en"][original.kind].format(**article.facts, day=day)
    caption = " ".join([lead, original.caption.split(". ", 1)[1]])
    return SampleFigure(
        **{
            **vars(original),
            "number": number,
            "caption": caption,
            "label": f"{article.figures[0].label.split()[0]} {number}",
            "file": f"fig{number}.{original.file.rpartition('.')[2]}",
            "duplicate_of": f"{first.main_file}#{original.label}",
        }
    )


def _write_sections(article: SampleArticle, prefix: str, days: list[int], rng: random.Random) -> list:
    language, facts = article.language, article.facts | {"day": str(max(days))}

    def pick(bank: dict, count: int) -> list[str]:
        kept = sorted(rng.sample(range(len(bank[language])), min(count, len(bank[language]))))
        return [bank[language][i].format(**facts) for i in kept]

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
        kind, attributes, letter = panel["kind"], panel["attributes"], panel["label"]
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


# --- JATS ---------------------------------------------------------------------------------------------------------


def _package(article: SampleArticle) -> dict[str, bytes]:
    """File name → content of a JATS package: the XML and the picture files."""
    name = Path(article.main_file).name if "/" in article.main_file else "article.nxml"
    files = {name: write_jats(article).encode()}
    for figure in article.figures:
        if figure.file and figure.expectation != "rejected:image_missing":
            files[figure.file] = _encode(figure.picture, figure.file.rpartition(".")[2])
    return files


def _encode(image: Image.Image, extension: str) -> bytes:
    buffer = io.BytesIO()
    options = {"png": {"compress_level": 6}, "jpg": {"quality": 92}, "tif": {"compression": "tiff_lzw"}}[extension]
    image.save(buffer, {"png": "PNG", "jpg": "JPEG", "tif": "TIFF"}[extension], **options)
    return buffer.getvalue()


def _tar_gz(folder: str, files: dict[str, bytes]) -> bytes:
    """A .tar.gz with the files under `folder`, without time stamps or owners."""
    buffer = io.BytesIO()
    zipped = gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0)
    with zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
