"""Figure words and the lists of numbers behind them: what labels and mentions have in common.

"see Figs 2A-C, 3 and S1-S3"   a head ("Figs "), then the numbers 2, 3, S1, S2, S3
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_RANGE = 60  # figures; the most that "Figs 1-60" may stand for, a longer "range" is a misreading

DASH = r"[-\u2010-\u2015\u2212]"  # hyphens, en and em dash, minus
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
_SUPPLEMENT = (
    r"suppl?(?:ement(?:ary|al|aire|ar|aria|are)?)?s?\.?|supporting(?: information)?|additional|online|web|suplement\w+"
    r"|complementar\w*|supplémentaires?|supplementar[ei]|ergänzende|zusatz|дополнительн\w+|додатков\w+"
)
_APPENDIX = r"appendix|app\.|anhang|annexe|apêndice|apéndice|anexo|appendice|приложени\w+|додат\w+"
_PREFIX = re.compile(  # what may stand before a figure word
    rf"(?:(?P<supplement>(?<!\w)(?:{_SUPPLEMENT})|补充(?:材料)?|補[充足]?|附加?|付)"
    rf"|(?P<extended>(?<!\w)extended(?:[ -]data)?)|(?P<expanded>(?<!\w)expanded[ -]view)"
    rf"|(?<!\w)box\s(?P<box_no>\d)\s?{DASH}"
    rf"|(?<!\w)(?P<appendix>{_APPENDIX})(?:\s*(?P<appendix_no>\d{{1,2}}|[A-H](?!\w)))?\s*{DASH}?)\s*$",
    re.IGNORECASE,
)
_TO = r"to|through|thru|bis|à|al?|até|hasta|до|по"  # between the first and the last of a range
_PLURALS = ("s", "figg", "abb", "bildungen", "bilder", "и", "ах", "ов", "ками", "ків")
_PREFIX_CHARS = 40  # the longest prefix
_HEAD = re.compile(
    rf"(?:(?:(?P<electronic>(?<=\be)|(?<=\be-))|(?<![^\W\d_]))(?P<word>{_FIGURE})|{_HAN}"
    + "".join(rf"|(?P<{kind}>(?<!\w)(?:{words})(?!\w)\.?)" for kind, words in OTHER_KINDS.items())
    + rf")\s*(?:(?P<supplement>{_SUPPLEMENT})\s+)?(?:(?:no|nr|núm)\.\s*|n[º°o]\.?\s*|№\s*|#\s*|-(?=\d))?"
    + rf"(?:(?:from|von|de|da|с|з)\s+(?=\d+\s(?:{_TO})\s\d))?(?=[\dSEA-HIVX])",
    re.IGNORECASE,
)
NUMBER = re.compile(
    rf"(?:(?P<again>{_FIGURE}|{_HAN})\s*)?"
    rf"(?:(?P<prefix>(?:(?:SI|SM|ED|EV)\s?|[Ss]|[A-He])[-.]?)?(?P<number>\d{{1,3}})(?![\d%])(?:\.(?P<sub>\d{{1,2}})(?![\d%]))?"
    rf"|(?P<roman>[IVX]{{1,5}})(?![\w]))"
)


def any_of(words: str) -> str:
    """A pattern of words, given with spaces between them."""
    return "|".join(words.split())


JOIN = any_of(r"and AND or und u\. oder sowie et ou y e o ed? и или та і й або as\swell\sas")  # between a list's items
PANEL = rf"(?!S\d|E[DV]\d)[A-Za-zА-Еа-е](?:{DASH}?(?:iii|ii|i|iv|v|\d))?['′]*(?![^\W_])"
PANELS = re.compile(  # "A", " a-c", "(b)", "A,B", "B-E,J-M", "C and D", ", A to C"
    rf"(?:\s(?!(?:[aeoyàийі]|u\.)\s+\S?\d)|,\s(?=[A-Z]))?\(?{PANEL}\)?"
    rf"(?:(?:\s*(?:[,/&+]|{DASH})\s*|\s+(?:{JOIN}|to|through|bis|à|a)\s+)(?:and\s+)?\(?{PANEL}\)?)*"
)
_ASIDE = re.compile(  # "(left)", ", upper panel"
    r"(?:\s?\([^()]{1,40}\)|,?\s(?:left|right|top|bottom|upper|lower|middle|inset)(?:\s(?:panel|row|column)s?)?)"
    r"(?=\s*(?:,|;|and|und|et|y|e|и|та)\s)"
)
SUPPLEMENT_OF = re.compile(rf"\s*{DASH}+\s*(?:figure|fig\.?)\s*supplements?\s*", re.IGNORECASE)
_SEPARATOR = re.compile(
    rf"\s*(?:(?P<range>{DASH}|[~～〜]|至|到|から)|[,;、，；・/&+]\s*(?:(?:{JOIN}|&)\s+)?|(?:和|与|與|及|と|および|並びに))\s*"
    rf"|\s+(?:(?P<range_word>{_TO})|{JOIN})\s+"
)
VERBS = any_of(  # what follows a mention in running text
    r"""shows? showed shown showing illustrates? illustrated presents? presented depicts? depicted displays?
    demonstrates? summari[sz]es? indicates? gives? provides? reveals? reports? compares? describes? represents?
    plots? suggests? confirms? lists? is are was were has have can also and or to that which we respectively
    below above zeigt zeigen stellt veranschaulicht ist sind und sowie montre montrent illustre présente est
    sont et muestran? presentan? ilustran? es son mostram? apresentam? é são mostrano mostra illustra presenta
    sono показыва\w+ показан\w* показує представлен\w* изображ\w+ наведено і и та демонстр\w+"""
)
_UNITS = any_of(
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
    rf"\s*(?:$|[^\w\s]|(?:{VERBS}|{JOIN}|bis|to|through|respectively)\b|[\u3040-\u9fff])|[A-Za-zА-Еа-е](?!\w)", re.I
)
NUMBER_FIRST = re.compile(  # PLOS: "S1 Fig", "S1 and S2 Figs", "S1-S3 Figures"
    rf"(?<![\w-])(?P<items>S\d{{1,3}}(?:(?:\s*(?:,|{DASH}|&)\s*|\s+(?:and|to|or)\s+|,\s+and\s+)S?\d{{1,3}}){{0,30}})"
    r"[A-Z]?\s+(?:Fig(?:ure)?s?\b|Abb\b)(?!\.?\s?\d)"
)
_ROMAN = {"I": 1, "V": 5, "X": 10}


def number_key(number: re.Match) -> str:
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
class Head:
    """A figure word in front of a number: where it starts (with its prefix), where the number starts, which series."""

    start: int
    end: int
    plural: bool
    series: str  # put before a key that starts with a digit: "", "S", "ED", "A", "A1-", "E", "SCHEME", ...


def heads(text: str, other_kinds: bool = True) -> Iterator[Head]:
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
            yield Head(start, head.end(), word.endswith(_PLURALS), _series(head, prefix))


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


def in_series(series: str, key: str) -> str:
    """("S", "3") -> "S3"; a key that names its series already ("S3") stays."""
    return series + key if key[0].isdigit() else key


def number_list(text: str, position: int, plural: bool) -> tuple[list[str], int]:
    """The numbers of "2A-C, 3 and S1-S3" from `position` on, ranges filled in, and where they end."""
    keys: list[str] = []
    is_range = False
    while number := NUMBER.match(text, position):
        key = number_key(number)
        keys += _range(keys[-1], key) if is_range else [key]
        position = number.end()
        if panels := PANELS.match(text, position):
            position = panels.end()
        if SUPPLEMENT_OF.match(text, position):
            return keys[:-1], number.start()  # "Figure 2 and Figure 3-figure supplement 1": a figure of its own
        aside = _ASIDE.match(text, position)
        separator = _SEPARATOR.match(text, aside.end() if aside else position)
        if not separator:
            break
        is_range = bool(separator["range"] or separator["range_word"])
        following = NUMBER.match(text, separator.end())
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


def several_numbers(text: str, head: Head) -> tuple[list[str], int] | None:
    """The keys in a label of several figures ("Figures 1–3"), and where the list ends; None where it is of one."""
    keys, end = number_list(text, head.end, head.plural) if head.plural else ([], 0)
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
