"""Which panels a caption names, and what it says about each of them.

A caption names its panels in one of the styles of `_STYLES`; their letters make an unbroken run that begins with A (or
a, or the Cyrillic А, а). The style that names the most panels is the caption's; of equals the first in the list.
"""

import re

from dataset_builder.text.vocabulary import any_of, any_spaced, every

ALPHABETS = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "abcdefghijklmnopqrstuvwxyz",
    "АБВГДЕЖЗИКЛМНОПРСТУФ",
    "абвгдежзиклмнопрстуф",
)
_PLACE = rf"(?:{any_spaced(lambda it: it.lists.places)})"
_AND = rf"(?:{any_of(lambda it: it.lists.and_words)}|i|&)"  # i: Polish, Catalan
_SHORT_ANDS = {word for word in every(lambda it: it.lists.and_words) if len(word) == 1}
_TO = rf"(?:[-‐‑‒–—−~～]|{any_of(lambda it: it.lists.to_words)}|až)"  # až: Czech
_JOIN = rf"(?:\s*[,，、/+;]\s*(?:{_AND}\s+)?|\s*{_TO}\s*|\s+{_AND}\s+|\s*&\s*)"
_BEGIN = r"(?:^|(?<=[.;:。；：!?)\]]\s)|(?<=[.;。；：]))"  # of a caption, a sentence or a clause
_WITH_COMMA = rf"(?:{_BEGIN}|(?<=,\s)|(?<=\sand\s))"
# What stands around the letters {L}; the first group of each is the letters.
_STYLES = (
    r"[(（\[]\s*(?:panels?\s+)?({L})(?:,\s*" + _PLACE + r")?\s*[)）\]]",  # "(A)", "(A, B)", "[a–c]"
    r"(?<![\w(（\[/–-])({L})\s?[)）](?=[\s.:,]|[^\W\d_])",  # "A) "
    _BEGIN + r"({L})(?:[.．:：=]|\s?[:：=]|\s[–—-](?=\s))(?=\s|[^\W\d_])",  # "A. ", "A: "
    _WITH_COMMA + r"({L})[.．:：](?=\s)",
    r"(?<=\s)({L})[:：]\s",  # "... in three periods A: 12 weeks; B: 8 weeks"
    _WITH_COMMA + r"({L}),\s",  # "a, "
    r"(?i:\bpanels?)\s({L})\b[,:.]?",  # "Panel A"
    _WITH_COMMA + r"({L})[、\s](?=\S)",  # "a left eye, b right eye"
    r"[(（\[]\s*({L})(?:[,;:]\s?[^()（）]{1,60})?\s*[)）\]]",  # "(a, green)"
)
MAX_HOLE = 3  # letters
_PARENTHESES = (0, len(_STYLES) - 1)  # styles that may also stand after what they name: "a cell (A) and a nerve (B)"
_BARE = len(_STYLES) - 2
_SENTENCE_END = re.compile(r"[.!?。！？]\s+(?=[^\W\d_a-zа-я])|[。！？]")
_TRIM_LEFT = re.compile(rf"^(?:[\s.,;:，。；：、|)]|[–—-]\s|(?:{_AND})\s)+")
_TRIM_RIGHT = re.compile(rf"(?:[\s,;，；、|(]|\s{_AND})+$")


def caption_parts(caption: str | None) -> dict[str, str]:
    """What `caption` says about each panel, by the panel's letter as printed, in the order of the alphabet.

    Text ahead of the first letter belongs to no panel; text that names several panels ("(A–C) …") to each of them.
    Empty when the caption names fewer than two panels, or its letters are no unbroken run.
    """
    caption, best = caption or "", {}
    alphabets = [alphabet for alphabet in ALPHABETS if alphabet[0] in caption]
    for number, style in enumerate(_STYLES):
        for alphabet in alphabets:
            markers = _markers(caption, style, alphabet)
            named = _run(markers, alphabet)
            if len(named) < 2 or len(named) <= len(best) or (number == _BARE and not _plausible(markers, named)):
                continue
            best = _parts(caption, markers, named, number in _PARENTHESES)
    return best


def _markers(caption: str, style: str, alphabet: str) -> list[tuple[int, int, list[str]]]:
    """(start, end, letters) of every place where the style names panels with letters of the alphabet."""
    letter = rf"[{alphabet}](?![^\W_])['′]?"
    pattern = re.compile(style.replace("{L}", rf"{letter}(?:{_JOIN}{letter})*"))
    return [(*m.span(), letters) for m in pattern.finditer(caption) if (letters := _expand(m[1], alphabet))]


def _expand(group: str, alphabet: str) -> list[str]:
    """The letters of "A", "A, C", "A–C and E"; none when a range runs backwards."""
    letters: list[str] = []
    end = 0
    for match in re.finditer(rf"(?<![^\W_])[{alphabet}](?![^\W_])", group):
        if letters and re.fullmatch(rf"['′]?\s*{_TO}\s*", group[end : match.start()]):
            first, last = alphabet.index(letters[-1]), alphabet.index(match[0])
            if last <= first:
                return []
            letters += alphabet[first + 1 : last + 1]
        elif match[0] not in letters and not (match[0] in _SHORT_ANDS and _is_and(group, match)):
            letters.append(match[0])
        end = match.end()
    return letters


def _is_and(group: str, match: re.Match) -> bool:
    """Whether the letter is a word for "and" between two letters: "a y b"."""
    return bool(re.search(r"\w\s$", group[: match.start()]) and re.match(r"\s\w", group[match.end() :]))


def _run(markers: list[tuple[int, int, list[str]]], alphabet: str) -> list[str]:
    """The letters that the markers name, if they are an unbroken run from the alphabet's start, else nothing.

    Letters far beyond the run are something else ("skin (S) and thymus (T)"); a letter shortly beyond it tells that the
    run has a hole.
    """
    named = {letter for _, _, letters in markers for letter in letters}
    length = next((i for i, letter in enumerate(alphabet) if letter not in named), len(alphabet))
    firsts = []
    seen: set[str] = set()
    for _, _, letters in markers:
        if new := [letter for letter in letters if letter not in seen and letter in alphabet[:length]]:
            firsts.append(new[0])
            seen.update(letters)
    hole = named.intersection(alphabet[length : length + MAX_HOLE + 1])
    return [] if hole or firsts != sorted(firsts, key=alphabet.index) else list(alphabet[:length])


def _plausible(markers: list[tuple[int, int, list[str]]], named: list[str]) -> bool:
    """Bare letters are words too ("A patient … B cells"): three are asked for, or a group ("A–D Mutants …")."""
    return len(named) > 2 or any(len(letters) > 1 for _, _, letters in markers)


def _parts(caption: str, markers: list, named: list[str], may_follow: bool) -> dict[str, str]:
    """The text of each letter; `markers` that repeat letters inside a sentence are mere references to a panel."""
    seen: set[str] = set()
    heads = []
    for start, end, letters in markers:
        if not set(named).issuperset(letters):
            continue
        boundary = _at_boundary(caption, start)
        if not seen.issuperset(letters) or (boundary and not _ends_clause(caption, end)):
            heads.append((start, end, letters))
            seen.update(letters)
    follows = may_follow and not _at_boundary(caption, heads[0][0]) and _ends_clause(caption, heads[0][1])
    found: dict[str, list[str]] = {letter: [] for letter in named}
    for (_, _, letters), text in zip(heads, _texts(caption, heads, follows), strict=True):
        for letter in letters:
            if text:
                found[letter].append(text)
    return {letter: " ".join(texts) for letter, texts in found.items()}


def _texts(caption: str, heads: list, follows: bool) -> list[str]:
    """For each marker the text up to the next one or, where markers follow what they name, since the last one."""
    if follows:
        ends = [match.end() for match in _SENTENCE_END.finditer(caption, 0, heads[0][0])]
        begins = [ends[-1] if ends else 0] + [end for _, end, _ in heads[:-1]]
        spans = [(begin, start) for begin, (start, _, _) in zip(begins, heads, strict=True)]
    else:
        stops = [start for start, _, _ in heads[1:]] + [len(caption)]
        spans = [(end, stop) for (_, end, _), stop in zip(heads, stops, strict=True)]
    return [_TRIM_RIGHT.sub("", _TRIM_LEFT.sub("", caption[begin:end])) for begin, end in spans]


def _at_boundary(caption: str, position: int) -> bool:
    before = caption[:position].rstrip()
    return not before or before[-1] in ".;:。；：!?|"


def _ends_clause(caption: str, position: int) -> bool:
    after = caption[position:].lstrip()
    return not after or after[0] in ".,;:，。；：)" or bool(re.match(rf"{_AND}\s", after))
