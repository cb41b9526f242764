"""Whether a sentence of the article says something of the figure when it stands alone.

leans_on_another("However, it rose.", "en")                    -> True
without_addition("Moreover, the dose rose.", "en")             -> "The dose rose."
without_scale_bars("Cells (bar, 2 µm); scale bar: 20 µm.") -> "Cells."
only_points("The results are shown in the figure.", "en")      -> True
is_note("Scale bar: 20 µm.")                                   -> True
"""

import re
from functools import cache

from dataset_builder.teaching.the_figure import DEFAULT_LANGUAGE
from dataset_builder.text.language_files import Language, Words
from dataset_builder.text.sentences import MIXED_CASE, is_caseless
from dataset_builder.text.vocabulary import LANGUAGES, NO_MATCH, any_spaced, any_unspaced

MIN_WORDS = 4  # of a sentence of the running text: fewer are what is left of one
MAX_REPEATED = 0.6  # share of a sentence's groups of four letters that may stand in an earlier one
MAX_REPEATED_IN_CAPTION = 0.95  # of a caption, whose panels are often described in nearly the same words
MIN_CHARS_UNSPACED = 6  # the same where no spaces stand between words

_ENDS = re.compile(r"[.!…。！．｡][\"'”’»)\]」』）]*$")
_OPENERS = " \"'“„«‘‹([（「『—–-¿¡"
_NOTE = re.compile(
    r"\W*(?:[A-Za-z](?:\s?[,/]\s?[A-Za-z])+\s|[a-z]\s)?(?:"  # "a,b Different letters ..."
    rf"(?:{any_spaced(lambda it: it.teaching.notes)})(?!\w)|{any_unspaced(lambda it: it.teaching.notes)}"
    r"|[*∗⁎†‡§#¶]+"
    r"|[pPnNＰ]\s?[-=<>≤≥＜＞＝]|n\.?\s?s\.?\s?[,:;=]|[pP][\s‐–-]values?)",
    re.IGNORECASE,
)
_ABBREVIATION = r"[^\W\d_]*[A-ZА-ЯЁІЇЄҐΑ-Ω][\w/+-]*[A-ZА-ЯЁІЇЄҐ\d][\w/+-]*"  # "CTX", "mTOR", "Oprm1"
_EXPLAINED = rf"{_ABBREVIATION}(?:\s?[=:：＝]\s?|,\s|，|\s?[–—]\s)[^;；,，.]{{2,80}}"
_ABBREVIATIONS = re.compile(
    r"(?=.*(?<!\w)[A-Z]{2})\W*[A-Z]{1,5}\s?[-–—]\s?[^\W\d_][^,;-]{2,40}(?:[,;]\s?(?:and\s)?[A-Z][A-Za-z]{0,4}\s?[-–—]\s?[^,;]{3,40}){2}"
    rf"|\W*{_EXPLAINED}(?:[;；,，.]\s?{_EXPLAINED})+[.;。]?\s*$|\W*{_EXPLAINED}[;；]|\W*[A-Z]{{2,6}}\s?=[^=]*$"
)
_ONE_EXPLAINED = re.compile(
    r"\W*(?P<short>[A-Z]{2,8})s?\s?(?:[=:,]|\s)\s?(?P<long>[^.;,=:]{4,80}?)\s*(?:\([^()]*\))?\.?"
)
_SIGNS_EXPLAINED = re.compile(  # "R, row of earth; S, sun", "ac: anterior cristae; lc: lateral cristae"
    r"(?:^|;\s?)(?P<sign>[A-Z][a-z]{0,2}|[a-z]{1,4}(?=[,:][^;]*;))[,:]\s(?=[^;]{3,80}(?:;|\.?$))"
)
_IN_BRACKETS = re.compile(r"[(\[（【][^()\[\]（）【】]*[)\]）】]")
_KEY = re.compile(r"[=＝→]|(?<=[^\W_]):\s(?=[^\W\d_])|[：]|\s[—–]\s")  # "Black = males", "Lane 1: DNA"
_KEY_IN_BRACKETS = re.compile(
    r"\((?!or\s)[a-zа-яёіїєґà-ÿ]{2,}(?:[\s-][a-zа-яёіїєґà-ÿ]{2,}){0,3}\)"
)  # "(left)", "(solid line)"
MIN_KEYS = 2  # brackets that name colours, lines or places, which a sentence that explains the picture has
_LENGTH = r"(?:\d[\d.,]*\s?(?:[nµμu]?m|cm|mm|km|Å|[x×])(?!\w)|[x×]\s?\d+)"
_BAR = (
    rf"(?:(?:{any_spaced(lambda it: it.teaching.scale_bars)})(?!\w)|{any_unspaced(lambda it: it.teaching.scale_bars)})"
)
_BARS_WITHIN = re.compile(  # "; scale bars, 100 μm", ", C: index bar = 2 mm; in d, 1 mm", "(bar, 20 μm)"
    rf"\s*[;,，；]\s?(?:[A-Za-z](?:\s?[,–-]\s?[A-Za-z])*\s?:\s?)?{_BAR}[^;()（）]{{0,40}}?{_LENGTH}"
    rf"(?:\s?[;,，；]?\s[^;()（）]{{0,20}}{_LENGTH})*[^;,.()（）]{{0,40}}(?=[;,，；.。]|$)"
    rf"|\s*[(（]{_BAR}[^()（）]*{_LENGTH}[^()（）]*[)）]",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_WORD = re.compile(r"[^\W\d_][^\W\d_A-ZА-ЯЁІЇЄҐÀ-Þ]{3,}\.?")  # "Histology.", not "ILM."
MIN_PROSE_WORDS = 2  # words of two letters or more, which "rs = 0.72, P < 0.05." lacks


def without_addition(sentence: str, language: str | None) -> str:
    """The sentence without a "Moreover," that only adds it to the one before."""
    own = _own(language)
    found = _start(own.teaching.additions, own.spaces, comma=True).match(sentence)
    return capitalised(sentence[found.end() :]) if found else sentence


def without_scale_bars(sentence: str) -> str:
    """The sentence without the lengths of bars, and magnifications, that stand in it as a clause or in brackets."""
    return _BARS_WITHIN.sub("", sentence)


def leans_on_another(sentence: str, language: str | None) -> bool:
    """Whether it starts with a connective or a pronoun whose other half stands in the sentence before."""
    own = _own(language)
    return bool(_start((*own.teaching.connectives, *own.teaching.pronouns), own.spaces).match(sentence))


def points_back(sentence: str, language: str | None) -> bool:
    """Whether it speaks of "these mice": which ones, a sentence of the running text mostly says before."""
    return bool(_demonstratives(_code(language)).search(sentence))


def only_points(sentence: str, language: str | None) -> bool:
    """Whether it says no more than that something is shown; `sentence` without the figure's number."""
    return bool(_pointing(_code(language)).search(sentence))


def states_a_purpose(sentence: str, language: str | None) -> bool:
    """Whether it starts with what was meant to be found out: "To confirm this, we ..."."""
    own = _own(language)
    return bool(_start(own.teaching.purposes, own.spaces).match(sentence))


def has_verb(sentence: str, language: str | None) -> bool:
    """Whether a verb stands in it outside of brackets; true in a language whose verbs are not listed."""
    verbs = _verbs(_spoken(sentence, _code(language)))
    return verbs is None or bool(verbs.search(_IN_BRACKETS.sub(" ", sentence)))


def has_main_verb(sentence: str, language: str | None) -> bool:
    """Whether a verb stands ahead of the first "that": not in "the farms where samples were taken"."""
    return has_verb(_main_clause(_spoken(sentence, _code(language))).split(sentence, maxsplit=1)[0], language)


def may_be_whole(sentence: str, language: str | None) -> bool:
    """Whether a sentence of the running text has a verb of its own: one ahead of the first "that", or more than these.

    True in a language whose past tenses are not listed.
    """
    code = _spoken(sentence, _code(language))
    verbs, past = _verbs(code), _past(code)
    if verbs is None or past is None:
        return True
    said = _IN_BRACKETS.sub(" ", sentence)
    main, *others = _main_clause(code).split(said)
    found = {match.start() for pattern in (verbs, past) for match in pattern.finditer(said)}
    return any(place < len(main) for place in found) or len(found) > len(others)


def is_key(sentence: str) -> bool:
    """Whether it says what signs stand for: "Black = males", "Lane 1: DNA", "Mean (line) and limits (dots)"."""
    in_brackets = len(_KEY_IN_BRACKETS.findall(sentence)) >= MIN_KEYS
    return in_brackets or bool(_KEY.search(_IN_BRACKETS.sub(" ", sentence)))


def speaks_of_several(sentence: str, language: str | None) -> bool:
    """Whether it says "the figures", of which who looks at one sees no more than that."""
    return bool(_several(_code(language)).search(sentence))


def is_note(sentence: str) -> bool:
    """Whether it is a scale bar, statistics, or a list of abbreviations rather than a description."""
    is_word = bool(_WORD.fullmatch(sentence))
    too_little = (
        len(_LETTERS.findall(sentence)) < MIN_PROSE_WORDS and not is_word and not any(map(is_caseless, sentence))
    )
    explains = _ABBREVIATIONS.match(sentence) or _explains_one(sentence) or _explains_letters(sentence)
    return bool(too_little or explains or _NOTE.match(sentence))


def is_whole(sentence: str, language: str | None) -> bool:
    """Whether it is a sentence of the running text from its start to its full stop, no question."""
    own = _own(language)
    long_enough = len(sentence.split()) >= MIN_WORDS if own.spaces else len(sentence) >= MIN_CHARS_UNSPACED
    return long_enough and bool(_ENDS.search(sentence)) and is_opened(sentence)


def is_opened(sentence: str) -> bool:
    """Whether it starts as sentences do: with a capital, a number, a sign or a word like "pH"."""
    first = sentence.lstrip(_OPENERS)
    return bool(first) and (not first[0].islower() or bool(MIXED_CASE.match(first)))


def starts_with_a_noun(sentence: str, language: str | None) -> bool:
    """Whether a sentence with a small first letter is whole: not "and the dose", "is the dose"."""
    own = _own(language)
    first_word = re.split(r"[\s,;:.]", sentence, maxsplit=1)[0]
    unfit = (*own.lists.and_words, *own.lists.or_words, *own.teaching.incomplete, *own.teaching.verbs_of_being)
    return first_word.isalpha() and first_word not in unfit


def repeats(sentence: str, other: str, share: float = MAX_REPEATED) -> bool:
    """Whether at least this share of the sentence, 0-1, stands in the other one."""
    own, known = _shingles(sentence), _shingles(other)
    return len(own & known) >= share * max(1, len(own))


def _shingles(text: str) -> set[str]:
    folded = "".join(filter(str.isalnum, text.lower()))
    return {folded[i : i + 4] for i in range(len(folded) - 3)}


def _explains_one(sentence: str) -> bool:
    """Whether the sentence is an abbreviation and its words: "MB moderator band."."""
    found = _ONE_EXPLAINED.fullmatch(sentence)
    if not found:
        return False
    initials = "".join(word[0] for word in re.split(r"[\s-]+", found["long"])).upper()
    return initials == found["short"]


def _explains_letters(sentence: str) -> bool:
    """Whether it says what signs in the picture stand for: "R, root; S, stem"; not "A, before; B, after", panels."""
    signs = [found["sign"] for found in _SIGNS_EXPLAINED.finditer(sentence)]
    in_order = [sign.upper() for sign in signs] == [chr(ord("A") + place) for place in range(len(signs))]
    are_signs = any(len(sign) == 1 or sign.islower() for sign in signs)  # "Con: control; A: acute", not "Top: knee"
    starts = are_signs and sentence.startswith((f"{signs[0]}, ", f"{signs[0]}: "))
    return starts and not (in_order and len(signs) > 1)


def capitalised(sentence: str) -> str:
    """The sentence with a capital first letter, unless its first word has its own capitals."""
    first_word = sentence.split(" ", 1)[0]
    return sentence[:1].upper() + sentence[1:] if first_word[1:].islower() or len(first_word) == 1 else sentence


def _code(language: str | None) -> str:
    return language if language in LANGUAGES else DEFAULT_LANGUAGE


def _own(language: str | None) -> Language:
    return LANGUAGES[_code(language)]


@cache
def _start(words: Words, spaces: bool, comma: bool = False) -> re.Pattern:
    """One of the words at the start of a sentence, with the comma behind it where that is asked for."""
    if not words:
        return re.compile(r"(?!)")
    end = (r"\s?[,，、]\s?" if comma else "") if not spaces else (r",\s" if comma else r"(?![\w-])")
    return re.compile(rf"[\"'“„«‘(（「—–-]*(?:{'|'.join(words)}){end}", re.IGNORECASE)


@cache
def _pointing(code: str) -> re.Pattern:
    return re.compile(rf"(?:{'|'.join(LANGUAGES[code].teaching.pointing) or '(?!)'})[\s.。:：]*$", re.IGNORECASE)


@cache
def _verbs(code: str) -> re.Pattern | None:
    own = LANGUAGES[code]
    words = "|".join(own.teaching.verbs) if own.spaces else any_unspaced(lambda it: it.teaching.verbs)
    if not own.teaching.verbs:
        return None
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])" if own.spaces else words)


def _spoken(sentence: str, code: str) -> str:
    """The language of a sentence in an article in the language `code`: that, or English, as many captions are."""
    small = frozenset(LANGUAGES[DEFAULT_LANGUAGE].teaching.incomplete) - frozenset(LANGUAGES[code].teaching.incomplete)
    is_english = len(small & set(sentence.split())) > 1 or (not LANGUAGES[code].spaces and sentence.isascii())
    return DEFAULT_LANGUAGE if is_english else code


@cache
def _past(code: str) -> re.Pattern | None:
    words = "|".join(LANGUAGES[code].teaching.past)
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])") if words else None


@cache
def _main_clause(code: str) -> re.Pattern:
    own = LANGUAGES[code]
    words = "|".join(own.teaching.relatives)
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)" if words else r",\s" if own.spaces else NO_MATCH)


@cache
def _several(code: str) -> re.Pattern:
    """The plural forms of "the figure" that are no singular ones."""
    own = LANGUAGES[code]
    forms = [own.teaching.the_figure.noun, *own.teaching.the_figure.forms.values()]
    plurals = {plural for singular, plural in forms} - {singular for singular, plural in forms}
    words = "|".join(sorted(plurals, key=len, reverse=True)) or "(?!)"
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


@cache
def _demonstratives(code: str) -> re.Pattern:
    own = LANGUAGES[code]
    words = "|".join(own.teaching.demonstratives) or "(?!)"
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)" if own.spaces else words, re.IGNORECASE)
