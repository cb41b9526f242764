"""The grammar of figure labels, mentions and sentences, shared by the JATS and the PDF reader.

    label_key("Abb. 3")                              -> "3"
    split_label("FIGURE 1 | Dose response.")         -> ("FIGURE 1", "Dose response.")
    split_sentences("As in Fig. 2A. We then ...")    -> ["As in Fig. 2A.", "We then ..."]
    mentioned_keys("see Figs 2-4 and S1")            -> {"2", "3", "4", "S1"}

English, German, French, Spanish, Portuguese, Italian, Russian, Ukrainian, Chinese and Japanese.

A figure's key is its number without words, panel letters and leading zeros, so that a label and a mention meet:

| printed | key |
| --- | --- |
| Figure 2, Fig. 2A, Abb. 2, Рис. 2, 图2, Fig. II | 2 |
| Figure 3.1 | 3.1 |
| Figure S1, S1 Fig, Supplementary Fig. 1, Figura suplementaria 1, 补充图1 | S1 |
| Figure 2—figure supplement 1 | 2-S1 |
| Figure A1, Appendix Figure 1 | A1 |
| Appendix 1—figure 2 | A1-2 |
| Extended Data Fig. 4 | ED4 |
| Scheme 2, Chart 1, Gráfico 1, Plate 3 | SCHEME2, CHART1, CHART1, PLATE3 |
| Table 2, Box 1, Video 1 (labels only: such words are never mentions of a figure) | TABLE2, BOX1, VIDEO1 |

A figure of another paper is no mention: "Fig. 2 in [12]", "Figure 3 of Smith et al.", "their Fig. 1", "[12, Fig. 2]",
"(Smith et al., 2010, Fig. 2)", nor is "Figure 1 in S1 Text". "Fig. 2 (see [12])" and "(Smith 2010; Fig. 2)" are.
"Figure 2—source data 1" counts for figure 2.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_RANGE = 60  # figures; the most that "Figs 1-60" may stand for, a longer "range" is a misreading

_DASH = r"[-\u2010-\u2015\u2212]"  # hyphens, en and em dash, minus
_FIGURE = (
    r"(?i:fig(?:ure|ura|uras|ures|s|g)?|abb(?:ildung(?:en)?)?|bild(?:er)?|рис(?:ун\w+)?|мал(?:юн\w+)?|фиг(?:ур\w+)?)"
    r"(?:(?!\w)\.?|(?=\d))"
)
_HAN = r"(?<![地试試企意])[图圖図]"  # not in "map", "try", "attempt", "intention"
OTHER_KINDS = {  # key prefix: words; every series counts for itself
    "SCHEME": r"schem(?:e|es|a|as|ata)|schémas?|esquemas?|схем[аыеиу]",
    "CHART": r"charts?|gr[áa]ficos?|grafic[oi]|graphiques?|diagramme?n?|діаграм\w+|диаграмм\w+|графі?и?к\w*",
    "GRAPH": r"graphs?",
    "PLATE": r"plates?|tafeln?|planches?|l[áa]minas?|pranchas?|tavol[ae]",
    "MAP": r"maps?|karten?|cartes?|mapas?|mappa|карт[аеы]",
    "PHOTO": r"photos?|photographs?|fotos?|fotografi\w+|фото",
    "IMAGE": r"images?|im[áa]gen(?:es)?|imagens?|immagin[ei]",
}
_FIGURE_STEMS = ("fig", "abb", "bild", "рис", "мал", "фиг", "图", "圖", "図")  # what the words above start with
_OTHER_STEMS = (
    *(
        "schem",
        "schém",
        "esquem",
        "схем",
        "chart",
        "gráfic",
        "grafic",
        "graph",
        "diagram",
        "діаграм",
        "диаграм",
        "граф",
    ),
    *("plate", "tafel", "planche", "lámina", "lamina", "prancha", "tavol", "map", "kart", "carte", "карт"),
    *("photo", "foto", "фото", "imag", "imág", "immag"),
)
_LABEL_ONLY_KINDS = {
    "TABLE": r"tables?|tab|tabellen?|tabelle|tablas?|tableaux?|tabelas?|quadros?|cuadros?|табл\w*|表",
    "BOX": r"box(?:es)?|kasten|encadré|recuadro|caixa",
    "VIDEO": r"videos?|movies?|vídeos?|відео|видео|film",
}
_SUPPLEMENT = (
    r"suppl?(?:ement(?:ary|al|aire|ar|aria|are)?)?s?\.?|supporting(?: information)?|additional|online|web|suplement\w+"
    r"|complementar\w*|supplémentaires?|supplementar[ei]|ergänzende|zusatz|дополнительн\w+|додатков\w+"
)
_APPENDIX = r"appendix|app\.|anhang|annexe|apêndice|apéndice|anexo|appendice|приложени\w+|додат\w+"
_PREFIX = re.compile(  # what may stand before a figure word
    rf"(?:(?P<supplement>(?<!\w)(?:{_SUPPLEMENT})|补充|補足|附加|附)|(?P<extended>(?<!\w)extended[ -]data)"
    rf"|(?<!\w)(?P<appendix>{_APPENDIX})(?:\s*(?P<appendix_no>\d{{1,2}}|[A-H](?!\w)))?\s*{_DASH}?)\s*$",
    re.IGNORECASE,
)
_PLURALS = ("s", "figg", "abb", "bildungen", "bilder", "и", "ах", "ов", "ками", "ків")
_PREFIX_CHARS = 40  # the longest prefix
_LIST_CHARS = 300  # the longest list of figures
_HEAD = re.compile(
    rf"(?:(?:(?<![^\W\d_])|(?P<electronic>(?<=\be)))(?P<word>{_FIGURE})|{_HAN}"
    + "".join(rf"|(?P<{kind}>(?<!\w)(?:{words})(?!\w)\.?)" for kind, words in OTHER_KINDS.items())
    + rf")\s*(?:(?P<supplement>{_SUPPLEMENT})\s+)?(?:(?:no|nr|núm)\.\s*|n[º°o]\.?\s*|№\s*|#\s*)?(?=[\dSEA-HIVX])",
    re.IGNORECASE,
)
_LABEL_ONLY = re.compile(
    r"\s*(?:" + "|".join(rf"(?P<{kind}>(?:{words})(?![^\W\d_]))" for kind, words in _LABEL_ONLY_KINDS.items()) + r")",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    rf"(?:(?P<again>{_FIGURE}|{_HAN})\s*)?"
    rf"(?:(?P<prefix>(?:SI|SM|ED|[Ss]|[A-He])[-.]?)?(?P<number>\d{{1,3}})(?![\d%])(?:\.(?P<sub>\d{{1,2}})(?![\d%]))?"
    rf"|(?P<roman>[IVX]{{1,5}})(?![\w]))"
)


def _any_of(words: str) -> str:
    """A pattern of words, given with spaces between them."""
    return "|".join(words.split())


_JOIN = _any_of(r"and or und oder sowie et ou y e o ed? и или та і й або as\swell\sas")  # between a list's items
_PANEL = rf"[A-Za-zА-Га-г](?:{_DASH}?(?:iii|ii|i|iv|v|\d))?['′]*(?![^\W_])"
_PANELS = re.compile(  # "A", " a-c", "(b)", "A,B", "B-E,J-M", "C and D", ", A to C"
    rf"(?:\s(?![aeoyàийі]\s+\S?\d)|,\s(?=[A-Z]))?\(?{_PANEL}\)?"
    rf"(?:(?:\s*(?:[,/&+]|{_DASH})\s*|\s+(?:{_JOIN}|to|through|bis|à|a)\s+)(?:and\s+)?\(?{_PANEL}\)?)*"
)
_ASIDE = re.compile(r"\s?\([^()]{1,40}\)(?=\s*(?:,|;|and|und|et|y|e|и|та)\s)")
_SUPPLEMENT_OF = re.compile(rf"\s*{_DASH}+\s*(?:figure|fig\.?)\s*supplements?\s*", re.IGNORECASE)
_COMPOUND = re.compile(rf"{_DASH}(?=\d)")  # "Figure 2-1" as a label
_SEPARATOR = re.compile(
    rf"\s*(?:(?P<range>{_DASH}|[~～〜]|至|到|から)|[,;、，；/&+]\s*(?:(?:{_JOIN}|&)\s+)?|(?:和|与|與|及|と|および|並びに))\s*"
    rf"|\s+(?:(?P<range_word>to|through|thru|bis|à|al?|até|hasta|до|по)|{_JOIN})\s+"
)
_VERBS = _any_of(  # what follows a mention in running text
    r"""shows? showed shown showing illustrates? illustrated presents? presented depicts? depicted displays?
    demonstrates? summari[sz]es? indicates? gives? provides? reveals? reports? compares? describes? represents?
    plots? suggests? confirms? lists? is are was were has have can also and or to that which we respectively
    below above zeigt zeigen stellt veranschaulicht ist sind und sowie montre montrent illustre présente est
    sont et muestran? presentan? ilustran? es son mostram? apresentam? é são mostrano mostra illustra presenta
    sono показыва\w+ показан\w* показує представлен\w* изображ\w+ наведено і и та демонстр\w+"""
)
_UNITS = _any_of(
    r"""% ° ± × [munµμ]?[mglM] k[gm] [mc]?Gy cm m[lL] µ[lLm] h hrs? hours? min minutes? s sec seconds? d days?
    weeks? months? years? patients? mice rats? cells? animals? subjects? cases? samples? genes? times fold"""
)
_QUANTITY = re.compile(rf"(?:[.,]\d|\s?(?:{_UNITS})(?!\w))")
_LIST_GOES_ON = re.compile(rf"\s*(?:$|[^\w\s]|(?:{_VERBS}|{_JOIN}|bis|to|through|respectively)\b)|[A-Za-z](?!\w)", re.I)
_NAME = r"[A-ZА-ЯЁ][\w'’-]+"
_ELSEWHERE = re.compile(
    rf"\s*,?\s*(?:in|of|from|by|aus|von|de|dans|del?|do|di|из|з)\s+(?:the\s+)?(?:"
    rf"(?:(?i:ref(?:erence|s)?)\.?\s*)?(?:[\[(]?\d+[\])]|\[\d)|(?i:ref(?:erence|s)?)\.?\s*\d"
    rf"|{_NAME}\s+(?:et\s+al|(?:and|&|und|y|e|et|и)\s+{_NAME}|\(?\d{{4}}|\[\d)"
    rf"|(?i:supp|supporting|additional file|online|web)|S\d+\s+(?:Text|File|Appendix|Protocol))"
)
_AUTHORS = rf"{_NAME}\s+(?:et\s+al\.?|(?:and|&)\s+{_NAME})|[(;]\s*{_NAME}"
_THEIRS = re.compile(
    rf"(?:\btheir\s+|\[\d+(?:[,–-]\s?\d+)*\s*[,:]\s*(?:see\s+)?"
    rf"|(?:{_AUTHORS}),?\s+\d{{4}}[a-z]?\s*[,:]\s*(?:see\s+|their\s+)?)$"
)
_BEHIND = re.compile(  # PLOS: "S1 Fig", "S1 and S2 Figs", "S1-S3 Figures"
    rf"(?<![\w-])(?P<items>S\d{{1,3}}(?:(?:\s*(?:,|{_DASH}|&)\s*|\s+(?:and|to|or)\s+|,\s+and\s+)S?\d{{1,3}}){{0,30}})"
    r"[A-Z]?\s+(?:Fig(?:ure)?s?\b|Abb\b)(?!\.?\s?\d)"
)
_ROMAN = {"I": 1, "V": 5, "X": 10}


def label_key(label: str | None) -> str | None:
    """The key of a label ("Figure 2" -> "2"; the table above has all forms); None for a label without a number."""
    text = normalise(label or "")
    if not text:
        return None
    if other := _LABEL_ONLY.match(text):
        number = _NUMBER.match(text, _skip(text, other.end()))
        return f"{other.lastgroup}{_number_key(number)}" if number else None
    if behind := _BEHIND.match(text):
        return behind["items"].split()[0].upper()
    head = next(_heads(text), None)  # not always first: "Additional file 2: Figure S1"
    number = _NUMBER.match(text, head.end if head else 0)
    if not number:
        return None
    key = _in_series(head.series, _number_key(number)) if head else _number_key(number)
    tail = _SUPPLEMENT_OF.match(text, number.end()) or _COMPOUND.match(text, number.end())
    part = _NUMBER.match(text, tail.end()) if tail else None
    if not part:
        return key
    return f"{key}-S{_number_key(part)}" if "upp" in tail.group() else f"{key}-{_number_key(part)}"


def mentioned_keys(sentence: str) -> set[str]:
    """The keys of the article's own figures that the sentence mentions, ranges filled in."""
    return {key for _, keys in mentions(sentence) for key in keys}


def mentions(text: str, other_kinds: bool = True) -> list[tuple[int, list[str]]]:
    """(offset, keys) of each mention of the article's own figures in a text, whose ligatures are resolved.

    Without `other_kinds` only figures are looked for, no schemes, charts, plates and so on: four times as fast.
    """
    found = []
    position = 0
    for head in _heads(text, other_kinds):
        if head.start >= position:
            keys, position = _mention(text, head)
            if keys and not _is_elsewhere(text, head.start, position):
                found.append((head.start, keys))
    for match in _BEHIND.finditer(text) if "S" in text and "Fig" in text else ():
        found.append((match.start(), _list(match["items"], 0, plural=True)[0]))
    return found


def context_for(sentences: Iterable[str], keys: Iterable[str]) -> dict[str, list[str]]:
    """For each key the sentences that mention it, in the order given, without duplicates."""
    context: dict[str, list[str]] = {key: [] for key in keys}
    for sentence in sentences:
        for key in mentioned_keys(sentence):
            if key in context and sentence not in context[key]:
                context[key].append(sentence)
    return context


def normalise(text: str) -> str:
    """`clean`, and compatibility characters folded (full-width digits, ligatures)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return clean(text)


def clean(text: str) -> str:
    """White space to single spaces; control, surrogate and invisible formatting characters removed."""
    if text.isprintable():  # neither those nor any white space but plain spaces
        return " ".join(text.split()) if "  " in text or text[:1] == " " or text[-1:] == " " else text
    text = " ".join(text.split())
    return text if text.isprintable() else " ".join("".join(filter(str.isprintable, text)).split())


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in ". ":
        position += 1
    return position


def _number_key(number: re.Match) -> str:
    if number["roman"]:
        return str(_roman(number["roman"]))
    prefix = (number["prefix"] or "").rstrip("-.").upper()
    prefix = {"SI": "S", "SM": "S"}.get(prefix, prefix)
    sub = f".{int(number['sub'])}" if number["sub"] else ""
    return f"{prefix}{int(number['number'])}{sub}"


def _roman(text: str) -> int:
    values = [_ROMAN[c] for c in text]
    return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))


@dataclass(frozen=True)
class _Head:
    """A figure word in front of a number: where it starts (with its prefix), where the number starts, which series."""

    start: int
    end: int
    plural: bool
    series: str  # put before a key that starts with a digit: "", "S", "ED", "A", "A1-", "E", "SCHEME", ...


def _heads(text: str, other_kinds: bool = True) -> Iterator[_Head]:
    """The figure words in front of a number, from left to right."""
    for anchor in _anchors(text, _FIGURE_STEMS + _OTHER_STEMS if other_kinds else _FIGURE_STEMS):
        if head := _HEAD.match(text, anchor):
            start = head.start() - (head["electronic"] is not None)  # the "e" of "eFigure"
            before = text[max(0, start - _PREFIX_CHARS) : start]
            if prefix := _PREFIX.search(before):
                start -= len(before) - prefix.start()
            word = (head["word"] or "").lower().rstrip(".")
            yield _Head(start, head.end(), word.endswith(_PLURALS), _series(head, prefix))


def _anchors(text: str, stems: tuple[str, ...]) -> list[int]:
    """Where one of the stems starts; `str.find` is ten times faster than a pattern of all of them."""
    folded = text.lower()
    if len(folded) != len(text):  # a few letters have a longer small form
        folded = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    found = []
    for stem in stems:
        at = folded.find(stem)
        while at >= 0:
            found.append(at)
            at = folded.find(stem, at + 1)
    return sorted(found)


def _series(head: re.Match, prefix: re.Match | None) -> str:
    kind = next((kind for kind in OTHER_KINDS if head[kind]), "")
    if head["supplement"] or (prefix and prefix["supplement"]):
        return f"{kind}S"
    if prefix and prefix["extended"]:
        return f"{kind}ED"
    if prefix and prefix["appendix"]:
        number = (prefix["appendix_no"] or "").upper()
        return f"{kind}A{number}-" if number.isdigit() else kind + (number or "A")
    return kind + ("E" if head["electronic"] is not None else "")


def _in_series(series: str, key: str) -> str:
    """("S", "3") -> "S3"; a key that names its series already ("S3") stays."""
    return series + key if key[0].isdigit() else key


def _mention(text: str, head: _Head) -> tuple[list[str], int]:
    """The keys of the list of figures after a figure word, and where the list ends."""
    first = _NUMBER.match(text, head.end)
    if not first:
        return [], head.end
    if supplement := _SUPPLEMENT_OF.match(text, first.end()):
        parts, end = _list(_up_to_next_head(text, supplement.end()), supplement.end(), plural=True)
        return [f"{_in_series(head.series, _number_key(first))}-S{part.lstrip('S')}" for part in parts], end
    if head.series:  # "Supplementary Figure 1 and Figures 4B-E": the next word starts a list of its own
        text = _up_to_next_head(text, first.end())
    keys, end = _list(text, head.end, head.plural)
    return [_in_series(head.series, key) for key in keys], end


def _up_to_next_head(text: str, position: int) -> str:
    window = text[position : position + _LIST_CHARS]
    return text[: position + next((head.start for head in _heads(window)), _LIST_CHARS)]


def _list(text: str, position: int, plural: bool) -> tuple[list[str], int]:
    """The numbers of "2A-C, 3 and S1-S3" from `position` on, ranges filled in, and where they end."""
    keys: list[str] = []
    is_range = False
    while number := _NUMBER.match(text, position):
        if keys and not _is_list_item(text, number, plural or is_range):
            break
        key = _number_key(number)
        keys += _range(keys[-1], key) if is_range else [key]
        position = number.end()
        if panels := _PANELS.match(text, position):
            position = panels.end()
        if _SUPPLEMENT_OF.match(text, position):
            return keys[:-1], number.start()  # "Figure 2 and Figure 3-figure supplement 1": a figure of its own
        aside = _ASIDE.match(text, position)
        separator = _SEPARATOR.match(text, aside.end() if aside else position)
        if not separator:
            break
        is_range = bool(separator["range"] or separator["range_word"])
        following = _NUMBER.match(text, separator.end())
        if not following or not _is_list_item(text, following, plural or is_range):
            break
        position = separator.end()
    return keys, position


def _is_list_item(text: str, number: re.Match, plural: bool) -> bool:
    """Whether a number after a comma or "and" continues the list of figures rather than counting something."""
    if number["again"] or number["prefix"]:
        return True
    if _QUANTITY.match(text, number.end()):
        return False
    return plural or bool(_LIST_GOES_ON.match(text, number.end()))


def _range(first: str, last: str) -> list[str]:
    """("S2", "4") -> ["S3", "S4"]; just the last one when the two are no ascending whole numbers of one series."""
    prefix = first.rstrip("0123456789.")
    last = last if not last[0].isdigit() else prefix + last
    low, high = first[len(prefix) :], last[len(prefix) :]
    if not last.startswith(prefix) or not low.isdigit() or not high.isdigit():
        return [last]
    span = int(high) - int(low)
    return [f"{prefix}{i}" for i in range(int(low) + 1, int(high) + 1)] if 0 < span <= MAX_RANGE else [last]


def _is_elsewhere(text: str, start: int, end: int) -> bool:
    """Whether the mention between `start` and `end` is of a figure of another paper or of a supplementary file."""
    return bool(_ELSEWHERE.match(text, end) or _THEIRS.search(text, max(0, start - 80), start))


# ---- captions ----

_AFTER_LABEL = re.compile(
    rf"(?P<panel>{_PANEL}(?=\s?[.:|]))?(?P<space>\s*)(?P<close>(?:[.:|。．：︱丨]|{_DASH}(?=\s)|[–—](?!\d))+)?\s*"
)
_RUNNING = re.compile(  # what follows a mention in running text, never a label in front of a caption
    rf"(?:{_VERBS}|"
    + _any_of("in on at as for from of by with while whereas but see panels? left right top bottom did does do had")
    + r")\b|显示|所示|表明|表示|可见|可以|可知|中[,的,]|给出|说明|展示|は|に|の|を|で|と|が|から|より|および|及|和|与"
)
_PARENTHESIS = re.compile(r"\((?P<inside>[^()]{1,40})\)\s*")
_CONTINUED = re.compile(r"cont|fortsetzung|suite|continua|продолж|продовж|续|続", re.IGNORECASE)
_MIXED_CASE = re.compile(
    r"(?:[a-z]{1,3}[A-Z\d]|[a-z]-[A-Za-z]|[a-h](?:[,)]|\s+(?=[A-Z(]))|[α-ωµμ])"
)  # "pH", "mRNA", "p53", "a Dose"


def split_label(text: str) -> tuple[str, str] | None:
    """A caption's text -> (label as printed, the rest without leading punctuation); None when it is no figure caption.

    "Figure 1. Dose", "Fig 1 Dose", "FIGURE 1 | Dose", "Abb. 1: Dosis", "图1 剂量" and a label alone ("Figure 1", the
    caption being on the next line: the rest is "") start a caption; "Figure 1 shows", "Fig. 2A and B were",
    "Figure 1, the", "图1显示" are running text, "Table 1." is no figure. The end of a sentence at the start of a line
    ("... see / Figure 1. The dose") reads like a caption: only the page's layout can tell.
    """
    text = clean(text)
    end = _label_end(text)
    if end is None:
        return None
    after = _AFTER_LABEL.match(text, end)
    rest = text[after.end() :]
    if rest and not _starts_caption(rest, bool(after["close"]), bool(after["space"])):
        return None
    return text[:end] + (after["panel"] or ""), rest.lstrip(".:|。．：︱丨–— ")


def _label_end(text: str) -> int | None:
    """Where the label at the start of a text ends; None without one."""
    if behind := _BEHIND.match(text):
        return behind.end()
    head = next(_heads(text), None)
    number = _NUMBER.match(text, head.end) if head and head.start == 0 else None
    if not number:
        return None
    supplement = _SUPPLEMENT_OF.match(text, number.end())
    part = _NUMBER.match(text, supplement.end()) if supplement else None
    return (part or number).end()


def _starts_caption(rest: str, closed: bool, spaced: bool) -> bool:
    """Whether the text after a label is a caption; `closed`: punctuation stood between, `spaced`: white space did."""
    panels = _PANELS.match(rest)
    if _RUNNING.match(rest) or (panels and _RUNNING.match(rest[panels.end() :].lstrip())):
        return False
    if parenthesis := _PARENTHESIS.match(rest):
        inside, after = parenthesis["inside"], rest[parenthesis.end() :]
        if _CONTINUED.match(inside):
            return True
        return len(inside) <= 5 and (not after or _starts_caption(after, closed, True))
    if closed:
        return rest[0] not in ",;)]"
    first = rest[0]
    if not spaced:
        return "\u3040" <= first <= "\u9fff"  # Chinese and Japanese need no space
    return (
        first.isupper() or first.isdigit() or first in "\"“‘'«[" or _is_caseless(first) or bool(_MIXED_CASE.match(rest))
    )


def _is_caseless(character: str) -> bool:
    return character.isalpha() and character.lower() == character.upper()


# ---- sentences ----


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER_LAST = _words(  # abbreviations that something always follows
    """fig figs figg abb рис мал фиг tab tabl табл eq eqs eqn ref refs sec sect chap suppl supp dr prof mr mrs ms
    mme st vs e.g i.e eg ie cf approx ca resp viz incl var subsp ssp cv bzw z.b d.h u.a vgl sog evtl ggf inkl ej
    ex p.ex p.ej núm sra dra es ad.es т.е т.к т.н см напр им ср див gen comb"""
)
_NUMBERED = _words("no nos nr pp vol vols art ch pt par bd ст стр гл ed num pág")  # abbreviations in front of a number
_AMBIGUOUS = _words(  # last word of a sentence or not: the next word decides
    "al inc ltd co corp jr sr sp spp i.v i.p s.c i.m p.o a.m p.m u.s u.k e.u usw др гг ін dept univ"
)
_STARTERS = _words(  # words that start a sentence and are no name
    """the this these that those we our it its in on at to for from as by with when while where after before during
    because since if although though however moreover furthermore therefore thus hence then here there they
    their he she his her both each all some many most no not only an a one two three such another other
    additionally also finally first second third next data results patients subjects cells samples mice figure
    figures table tables fig consistent similarly interestingly importantly notably indeed instead overall using
    based given compared following briefly die der das wir ein eine diese dieser dieses im bei nach für und es
    sie mit von zur zum le la les nous un une ces cette dans pour il elle en el los las se este esta estos para
    por o os as um uma foi foram na nas nos ao lo gli nel nella nei per del i si в на мы это эти для при по с у
    из как так а но и он она они ми це ці та й"""
)
_STOP = re.compile(r"[.!?…。！？｡]+")
_AFTER_LATIN = re.compile(  # closing quotes and brackets, a citation ("mice.12", "mice. [3,4]"), then white space
    r"[\"'”’»)\]]*(?:\d{1,3}(?:[,–-]\d{1,3})*|\s?\[\d+(?:[,–-]\s?\d+)*\])?(?=\s|$)"
)
_AFTER_CJK = re.compile(r"[」』”’）)\]】]*")
_WORD_BEFORE = re.compile(r"(?:[^\W_]+\.)*[^\W_]+$")
_GERMAN_ORDINAL = re.compile(
    _any_of(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember Jahrhundert Woche Tag Monat"
    )
)


def split_sentences(text: str) -> list[str]:
    """The sentences of a paragraph, white space normalised; a blank line ends a sentence too."""
    paragraphs = (clean(part) for part in re.split(r"\n\s*\n", text))
    return [part[start:end] for part in paragraphs for start, end in sentence_spans(part)]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence of `text`, whose white space is normalised already (`clean`)."""
    spans, start = [], 0
    for stop in _STOP.finditer(text):
        end = _sentence_end(text, stop)
        if end is not None:
            spans.append((start, end))
            start = end + (text[end : end + 1] == " ")
    if start < len(text):
        spans.append((start, len(text)))
    return spans


def _sentence_end(text: str, stop: re.Match) -> int | None:
    """Where the sentence ends that the punctuation `stop` may close; None when it closes none."""
    if stop.group()[-1] in "。！？｡":
        return _AFTER_CJK.match(text, stop.end()).end()
    after = _AFTER_LATIN.match(text, stop.end())
    if not after or (text[stop.end()].isdigit() and not text[stop.start() - 1].isalpha() if after.group() else False):
        return None
    following = text[after.end() + 1 : after.end() + 40]
    if following and not _may_start(following):
        return None
    if following and stop.group() == "." and _is_abbreviation(text, stop, following):
        return None
    return after.end()


def _may_start(following: str) -> bool:
    """Whether a sentence may start with this text: not with a small letter ("pH", "mRNA" excepted) or punctuation."""
    first = following.lstrip("\"“‘'«([¿¡—–- ")[:1]
    if not first:
        return False
    return first.isupper() or first.isdigit() or _is_caseless(first) or bool(_MIXED_CASE.match(following))


def _is_abbreviation(text: str, match: re.Match, following: str) -> bool:
    """Whether the full stop belongs to an abbreviation, an initial or an ordinal rather than to the sentence."""
    found = _WORD_BEFORE.search(text, max(0, match.start() - 20), match.start())
    if not found:
        return False
    word = found.group()
    folded = word.lower()
    starts = re.split(r"[\s,.;:]", following, maxsplit=1)[0].lower() in _STARTERS
    if len(word) == 1 and word.isalpha():
        return _is_initial(text, found.start(), word, starts, following)
    if folded in _NEVER_LAST:
        return True
    if folded in _NUMBERED:
        return following[0].isdigit()
    if folded in _AMBIGUOUS or (folded.count(".") and folded.replace(".", "").isalpha() and len(folded) <= 6):
        return not starts
    return word.isdigit() and len(word) <= 2 and bool(_GERMAN_ORDINAL.match(following))


def _is_initial(text: str, start: int, word: str, starts: bool, following: str) -> bool:
    """ "J. Smith", "E. Coli", "z. B. 3", "p. 3" are no ends; "vitamin C. The", "panel b. We" are."""
    if re.match(r"[^\W\d_]\.", following) or re.search(r"(?<!\w)[^\W\d_]\.\s$", text[max(0, start - 4) : start]):
        return not starts or following[1:2] == "."
    if following[0].isdigit():
        return word.islower() or word in "SCT"
    return not starts and (word.isupper() or word in "pscv")
