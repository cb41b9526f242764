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
| Extended Data Fig. 4, Figure EV1 | ED4, EV1 |
| Box 1—figure 2 | BX1-2 |
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
from functools import lru_cache

MAX_RANGE = 60  # figures; the most that "Figs 1-60" may stand for, a longer "range" is a misreading

_DASH = r"[-\u2010-\u2015\u2212]"  # hyphens, en and em dash, minus
_FIGURE = (
    r"(?i:fig(?:ure|ura|uras|ures|s|g)?|abb(?:ildung(?:en)?)?|bild(?:er)?|рис(?:ун\w+)?|мал(?:юн\w+)?|фиг(?:ур\w+)?)"
    r"(?:(?!\w)\.?|(?=\d))"
)
_HAN = r"(?<![地试試企意])[图圖図]"  # not in "map", "try", "attempt", "intention"
OTHER_KINDS = {  # key prefix: words; every series counts for itself
    "SCHEME": r"schem(?:e|es|a|as|ata)|schémas?|esquemas?|схем[аыеиу]",
    "CHART": r"charts?|gr[áa]fic[oa]s?|grafici|graphiques?|diagramme?n?|діаграм\w+|диаграмм\w+|графі?и?к\w*",
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
_ALL_STEMS = _FIGURE_STEMS + _OTHER_STEMS
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
    rf"(?:(?P<supplement>(?<!\w)(?:{_SUPPLEMENT})|补充(?:材料)?|補[充足]?|附加?|付)"
    rf"|(?P<extended>(?<!\w)extended(?:[ -]data)?)|(?P<expanded>(?<!\w)expanded[ -]view)"
    rf"|(?<!\w)box\s(?P<box_no>\d)\s?{_DASH}"
    rf"|(?<!\w)(?P<appendix>{_APPENDIX})(?:\s*(?P<appendix_no>\d{{1,2}}|[A-H](?!\w)))?\s*{_DASH}?)\s*$",
    re.IGNORECASE,
)
_TO = r"to|through|thru|bis|à|al?|até|hasta|до|по"  # between the first and the last of a range
_PLURALS = ("s", "figg", "abb", "bildungen", "bilder", "и", "ах", "ов", "ками", "ків")
_PREFIX_CHARS = 40  # the longest prefix
_LIST_CHARS = 300  # the longest list of figures
_HEAD = re.compile(
    rf"(?:(?:(?P<electronic>(?<=\be)|(?<=\be-))|(?<![^\W\d_]))(?P<word>{_FIGURE})|{_HAN}"
    + "".join(rf"|(?P<{kind}>(?<!\w)(?:{words})(?!\w)\.?)" for kind, words in OTHER_KINDS.items())
    + rf")\s*(?:(?P<supplement>{_SUPPLEMENT})\s+)?(?:(?:no|nr|núm)\.\s*|n[º°o]\.?\s*|№\s*|#\s*|-(?=\d))?"
    + rf"(?:(?:from|von|de|da|с|з)\s+(?=\d+\s(?:{_TO})\s\d))?(?=[\dSEA-HIVX])",
    re.IGNORECASE,
)
_LABEL_ONLY = re.compile(
    r"\s*(?:" + "|".join(rf"(?P<{kind}>(?:{words})(?![^\W\d_]))" for kind, words in _LABEL_ONLY_KINDS.items()) + r")",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    rf"(?:(?P<again>{_FIGURE}|{_HAN})\s*)?"
    rf"(?:(?P<prefix>(?:(?:SI|SM|ED|EV)\s?|[Ss]|[A-He])[-.]?)?(?P<number>\d{{1,3}})(?![\d%])(?:\.(?P<sub>\d{{1,2}})(?![\d%]))?"
    rf"|(?P<roman>[IVX]{{1,5}})(?![\w]))"
)


def _any_of(words: str) -> str:
    """A pattern of words, given with spaces between them."""
    return "|".join(words.split())


_JOIN = _any_of(
    r"and AND or und u\. oder sowie et ou y e o ed? и или та і й або as\swell\sas"
)  # between a list's items
_PANEL = rf"(?!S\d|E[DV]\d)[A-Za-zА-Еа-е](?:{_DASH}?(?:iii|ii|i|iv|v|\d))?['′]*(?![^\W_])"
_PANELS = re.compile(  # "A", " a-c", "(b)", "A,B", "B-E,J-M", "C and D", ", A to C"
    rf"(?:\s(?!(?:[aeoyàийі]|u\.)\s+\S?\d)|,\s(?=[A-Z]))?\(?{_PANEL}\)?"
    rf"(?:(?:\s*(?:[,/&+]|{_DASH})\s*|\s+(?:{_JOIN}|to|through|bis|à|a)\s+)(?:and\s+)?\(?{_PANEL}\)?)*"
)
_ASIDE = re.compile(  # "(left)", ", upper panel"
    r"(?:\s?\([^()]{1,40}\)|,?\s(?:left|right|top|bottom|upper|lower|middle|inset)(?:\s(?:panel|row|column)s?)?)"
    r"(?=\s*(?:,|;|and|und|et|y|e|и|та)\s)"
)
_SUPPLEMENT_OF = re.compile(rf"\s*{_DASH}+\s*(?:figure|fig\.?)\s*supplements?\s*", re.IGNORECASE)
_COMPOUND = re.compile(rf"{_DASH}(?=\d)")  # "Figure 2-1" as a label
_IN_BOX = re.compile(rf"\s*box\s\d\s?{_DASH}\s?fig", re.IGNORECASE)  # "Box 1—figure 2"
_SEPARATOR = re.compile(
    rf"\s*(?:(?P<range>{_DASH}|[~～〜]|至|到|から)|[,;、，；・/&+]\s*(?:(?:{_JOIN}|&)\s+)?|(?:和|与|與|及|と|および|並びに))\s*"
    rf"|\s+(?:(?P<range_word>{_TO})|{_JOIN})\s+"
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
    weeks? months? years? patients? mice rats? cells? animals? subjects? cases? samples? genes? times fold
    Patient\w+ Monat\w* Wochen? Tagen? Jahren? Stunden? Minuten Mäusen? Ratten Tieren? Zellen Fällen? Proband\w+
    mois jours? semaines ans heures souris animaux cas cellules pacientes? mes\w* d[íi]as? semanas? a[ñn]os? horas?
    minutos ratones ratas ratos camundongos animales animais casos pazient[ei] mesi giorni settimane anni ore topi
    ratti casi больн\w+ пациент\w* месяц\w* дн\w+ недел\w+ лет год\w* час\w* мин мыш\w* крыс\w* Гр мг мл см мм ч
    хвор\w+ пацієнт\w* місяц\w* тижн\w* рок\w* хв миш\w* щур\w*"""
)
_COUNTERS = "例名位只隻匹个個组組次种種天周週月年日时時分秒岁歳倍点點人"  # Chinese and Japanese words behind counts
_QUANTITY = re.compile(rf"(?:[.,]\d|\s?(?:{_UNITS})(?!\w)|\s?[{_COUNTERS}])")
_OTHER_FILE = re.compile(
    r"\s(?:Tables?|Text|Files?|Appendix|Videos?|Movies?|Audio|Data(?:set)?s?|Protocol|Checklist)\b"
)
_LIST_GOES_ON = re.compile(
    rf"\s*(?:$|[^\w\s]|(?:{_VERBS}|{_JOIN}|bis|to|through|respectively)\b|[\u3040-\u9fff])|[A-Za-zА-Еа-е](?!\w)", re.I
)
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
_SUPPLEMENT_NUMBER = re.compile(r"S\d")
_BEHIND = re.compile(  # PLOS: "S1 Fig", "S1 and S2 Figs", "S1-S3 Figures"
    rf"(?<![\w-])(?P<items>S\d{{1,3}}(?:(?:\s*(?:,|{_DASH}|&)\s*|\s+(?:and|to|or)\s+|,\s+and\s+)S?\d{{1,3}}){{0,30}})"
    r"[A-Z]?\s+(?:Fig(?:ure)?s?\b|Abb\b)(?!\.?\s?\d)"
)
_ROMAN = {"I": 1, "V": 5, "X": 10}
_LABELS_KEPT = 4096  # "Figure 1" and its like come again and again


@lru_cache(_LABELS_KEPT)
def label_keys(label: str | None) -> tuple[str, ...]:
    """The keys of a label of several figures ("Figures 1–3" -> 1, 2, 3), else its one key, if it has one."""
    text = normalise(label or "")
    head = next(_heads(text), None)
    several = _several(text, head) if head else None
    if several:
        return tuple(_in_series(head.series, key) for key in several[0])
    key = label_key(label)
    return (key,) if key else ()


@lru_cache(_LABELS_KEPT)
def label_key(label: str | None) -> str | None:
    """The key of a label ("Figure 2" -> "2"; the table above has all forms); None for a label without a number.

    A label of several figures ("Figures 1–3") has the key of the first.
    """
    text = normalise(label or "")
    if not text:
        return None
    if (other := _LABEL_ONLY.match(text)) and not _IN_BOX.match(text):
        number = _NUMBER.match(text, _skip(text, other.end()))
        return f"{other.lastgroup}{_number_key(number)}" if number else None
    if behind := _BEHIND.match(text):
        return behind["items"].split()[0].upper()
    head = next(_heads(text), None)  # not always first: "Additional file 2: Figure S1"
    number = _NUMBER.match(text, head.end if head else 0)
    if not number:
        return None
    key = _in_series(head.series, _number_key(number)) if head else _number_key(number)
    if head and _several(text, head):
        return key
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
    for match in _BEHIND.finditer(text) if _SUPPLEMENT_NUMBER.search(text) else ():
        found.append((match.start(), _list(match["items"], 0, plural=True)[0]))
    return found


def context_for(sentences: Iterable[str], figures: list[set[str]]) -> list[list[str]]:
    """For each figure, given as its keys, the sentences that mention it, in the order given, without duplicates."""
    context: list[list[str]] = [[] for _ in figures]
    for sentence in dict.fromkeys(sentences):
        named = mentioned_keys(sentence)
        for keys, found in zip(figures, context, strict=True):
            if keys & named:
                found.append(sentence)
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
    prefix = (number["prefix"] or "").rstrip("-. ").upper()
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
    for anchor in _anchors(text, _ALL_STEMS if other_kinds else _FIGURE_STEMS):
        if head := _HEAD.match(text, anchor):
            start = head.start()
            if head["electronic"] is not None:  # the "e" of "eFigure", "e-Figure"
                start -= 1 + (text[start - 1] == "-")
            before = text[max(0, start - _PREFIX_CHARS) : start]
            bracket = before.rstrip()[-1:] in "([,;/"  # before most figure words stands one of these, or nothing
            if prefix := None if bracket else _PREFIX.search(before):
                start -= len(before) - prefix.start()
            word = (head["word"] or "").lower().rstrip(".")
            yield _Head(start, head.end(), word.endswith(_PLURALS), _series(head, prefix))


def _anchors(text: str, stems: tuple[str, ...]) -> list[int]:
    """Where one of the stems starts; `str.find` is ten times faster than a pattern of all of them."""
    folded = text.lower()
    if len(folded) != len(text):  # a few letters have a longer small form
        folded = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    found = []
    for stem in filter(str.isascii, stems) if text.isascii() else stems:
        at = folded.find(stem)
        while at >= 0:
            found.append(at)
            at = folded.find(stem, at + 1)
    return sorted(found)


def _series(head: re.Match, prefix: re.Match | None) -> str:
    kind = next((kind for kind in OTHER_KINDS if head[kind]), "")
    if head["supplement"] or (prefix and prefix["supplement"]):
        return f"{kind}S"
    if prefix and (prefix["extended"] or prefix["expanded"]):
        return kind + ("ED" if prefix["extended"] else "EV")
    if prefix and prefix["box_no"]:
        return f"BX{prefix['box_no']}-"
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
        tight = separator.group() == ","
        if not following or not _is_list_item(text, following, plural or is_range, tight):
            break
        position = separator.end()
    return keys, position


def _is_list_item(text: str, number: re.Match, plural: bool, tight: bool) -> bool:
    """Whether a number after a comma or "and" continues the list of figures rather than counting something.

    `tight`: no space stands around the comma, so that further commas ("Figs 1,2,3") are none of decimals.
    """
    if number["again"] or number["prefix"]:
        return number["again"] is not None or not _OTHER_FILE.match(text, number.end())
    if _QUANTITY.match(text, number.end()) and not (tight and text[number.end()] == ","):
        return False
    return plural or bool(_LIST_GOES_ON.match(text, number.end()))


def _several(text: str, head: _Head) -> tuple[list[str], int] | None:
    """The keys in a label of several figures ("Figures 1–3"), and where the list ends; None where it is of one."""
    keys, end = _list(text, head.end, head.plural) if head.plural else ([], 0)
    return (keys, end) if len(keys) > 1 else None


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

_MARKS = r"[.:|。．：︱丨◂◄◀△▲▼▽▶►▸]"  # after a label; the arrows point to the picture
_AFTER_LABEL = re.compile(
    rf"(?P<space>\s*)(?P<close>(?:{_MARKS}|{_DASH}(?=\s)|[–—](?!\d)|-(?=[^\W\d_]{{2}})|\s(?={_DASH}\s))+)?\s*"
)
_OWN_PANELS = re.compile(  # "Fig. 3A,B.", "Fig. 3a and b", "Рис. 2, а."
    rf"{_PANEL}(?:\s?(?:[,/&+]|{_DASH}|(?:{_JOIN})\s)\s?{_PANEL})*(?=\s|{_MARKS})|,\s?[a-hа-е](?=[.:])"
)
_RUNNING = re.compile(  # what follows a mention in running text, never a label in front of a caption
    rf"(?:{_VERBS}|"
    + _any_of("in on at as for from of by with while whereas but see panels? left right top bottom did does do had")
    + r")\b|[eyoaиіа]\s+(?i:fig|tab|quadro|cuadro|gr[áa]fic|рис|табл)"
    r"|显示|所示|表明|表示|可见|可以|可知|中[,的,]|给出|说明|展示|为|是|は|に|の|を|で|と|が(?!ん)|から|より|および|及|和|与"
)
_PARENTHESIS = re.compile(r"\((?P<inside>[^()]{1,40})\)\s*")
_ASIDE_OF_LABEL = re.compile(r"cont|fortsetzung|suite|continua|продолж|продовж|续|続|colou?r|online", re.IGNORECASE)
_CONTINUED = re.compile(r"(?i:cont(?:inued|inuação|inuación|[’']?d)?|fortsetzung|suite)\b[\s.:]*(?=$|[^\Wa-z])")
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
    panels = _OWN_PANELS.match(text, end)
    after = _AFTER_LABEL.match(text, panels.end() if panels else end)
    rest = text[after.end() :]
    if (panels and not rest and not after["close"]) or (
        rest and not _starts_caption(rest, bool(after["close"]), bool(after["space"]))
    ):
        return None
    return text[: panels.end() if panels else end], rest.lstrip(".:|。．：︱丨–— ")


def _label_end(text: str) -> int | None:
    """Where the label at the start of a text ends; None without one."""
    if behind := _BEHIND.match(text):
        return behind.end()
    head = next(_heads(text), None)
    number = _NUMBER.match(text, head.end) if head and head.start == 0 else None
    if not number:
        return None
    if several := _several(text, head):
        return several[1]
    tail = _SUPPLEMENT_OF.match(text, number.end()) or _COMPOUND.match(text, number.end())
    part = _NUMBER.match(text, tail.end()) if tail else None
    return (part or number).end()


def _starts_caption(rest: str, closed: bool, spaced: bool) -> bool:
    """Whether the text after a label is a caption; `closed`: punctuation stood between, `spaced`: white space did."""
    if _CONTINUED.match(rest):
        return True
    panels = _PANELS.match(rest)
    behind = rest[panels.end() :].lstrip() if panels else ""
    if _RUNNING.match(rest) or _RUNNING.match(behind):
        return False
    if spaced and behind and (behind[0].isupper() or re.match(_MARKS, behind)):  # "Fig. 2 a–d Dose"
        return True
    if parenthesis := _PARENTHESIS.match(rest):
        inside, after = parenthesis["inside"], rest[parenthesis.end() :]
        if closed or len(inside) <= 5 or _ASIDE_OF_LABEL.match(inside):
            close = re.match(rf"{_MARKS}+\s*", after)
            after = after[close.end() :] if close else after
            return not after or _starts_caption(after, closed or bool(close), True)
        return False
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
    ex p.ex p.ej núm sra sr dra dott aprox env ee cfr figg abbn ad.es т.е т.к т.н см напр им ср див прибл gen comb"""
)
_NUMBERED = _words(  # abbreviations in front of a number
    """no nos nr es pp vol vols art ch pt par bd ст стр гл ed num pág jan feb apr
    jun jul aug sep sept oct nov dec okt dez
    janv févr juil déc ene abr dic fev out"""
)
_AMBIGUOUS = _words(  # last word of a sentence or not: the next word decides
    "al inc ltd co corp jr sp spp med i.v i.p s.c i.m p.o a.m p.m u.s u.k e.u usw др гг ін dept univ"
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
_FIRST_WORD = re.compile(r"[^\s,.;:]*")
_WORD_BEFORE = re.compile(r"(?:[^\W_\u3040-\u9fff]+\.)*[^\W_\u3040-\u9fff]+$")
_GERMAN_ORDINAL = re.compile(
    _any_of(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember Jahrhundert Woche Tag Monat"
    )
)
_GERMAN_ARTICLE = re.compile(r"(?<!\w)(?:der|dem|den|des|am|vom|zum|im|beim)\s$", re.IGNORECASE)  # "der 3. Patient"


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
    if not after or (after.group()[:1].isdigit() and not _may_be_cited(text[stop.start() - 1])):
        return None
    following = text[after.end() + 1 : after.end() + 40]
    if following and not _may_start(following):
        return None
    if following and stop.group() == "." and _is_abbreviation(text, stop, following):
        return None
    return after.end()


def _may_be_cited(last: str) -> bool:
    """Whether digits after the full stop behind this character may be a citation rather than decimals."""
    return last.isalpha() or last in ')]"”’'


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
    starts = _FIRST_WORD.match(following)[0].lower() in _STARTERS
    if len(word) == 1 and word.isalpha():
        return _is_initial(text, found.start(), word, starts, following)
    if folded in _NEVER_LAST:
        return True
    if folded in _NUMBERED:
        return following[0].isdigit()
    if folded in _AMBIGUOUS or (folded.count(".") and folded.replace(".", "").isalpha() and len(folded) <= 6):
        return not starts
    if not (word.isdigit() and len(word) <= 2):
        return False
    before = text[max(0, found.start() - 6) : found.start()]
    return bool(_GERMAN_ORDINAL.match(following) or _GERMAN_ARTICLE.search(before))


def _is_initial(text: str, start: int, word: str, starts: bool, following: str) -> bool:
    """ "J. Smith", "E. Coli", "z. B. 3", "p. 3" are no ends; "vitamin C. The", "panel b. We" are."""
    if re.match(r"[^\W\d_]\.", following) or re.search(r"(?<!\w)[^\W\d_]\.\s$", text[max(0, start - 4) : start]):
        return not starts or following[1:2] == "."
    if following[0].isdigit():
        return word.islower() or word in "SCT"
    return not starts and (word.isupper() or word in "pscv")
