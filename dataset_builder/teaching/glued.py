"""Full stops that a caption lacks: between its title and what follows, and at its end.

unglued("Dose map of the knee The map shows a spot.", "en")  -> "Dose map of the knee. The map shows a spot."
closed("Dose map of the knee")                               -> "Dose map of the knee."
"""

import re
from collections.abc import Set
from functools import cache
from itertools import pairwise

from dataset_builder.teaching.alone import is_note
from dataset_builder.teaching.the_figure import DEFAULT_LANGUAGE
from dataset_builder.text.sentences import is_caseless
from dataset_builder.text.vocabulary import LANGUAGES, NO_MATCH

_FIRST_PANEL = re.compile(  # "by miRNA (A) Levels of X.", where no other panel follows in the sentence
    r"(?<=[^\W_]{2})\s(?=(?:\([Aa]\)\s|[Aa]\)\.\s)[A-Z][a-z]+\s(?!.*\([Bb]\)))"
    r"|(?<=[^\W\d_]{2})\s(?=A[:.]\s[A-Z][a-z]+\s[a-z])"  # "Mean potentials A: Maps of"
    r"|(?<=\))\s(?=[B-H]\s[A-Z][a-z]+\s[a-z])"  # "of one tree (n = 8) B Analysis of"
)
_GLUED_PANEL = re.compile(r"(?<=[\w)\]%]\.)(?=\(?[A-Za-z]\)\s[A-Z])")  # "p = 0.38.b) Dose"
_SMALL_PANEL = re.compile(
    r"(?<=[.;])\s(?=(?:\([a-z](?:\s?[,–-]\s?[a-z])*\)|[a-h]\s?[–-]\s?[a-h])\s[A-Z])"
)  # "... of cells. (b) Dose"
_SAMPLES = re.compile(
    r"(?<=[.;)])\s(?=[nN]\s?[=≥>]|[*∗†‡#]|[pP]\s?[<=])|(?<=\.)\s(?=[pP][\s-]values?\s)"
)  # "... replicates. n = 3."
_SIGN = r"[a-z]{1,4}(?:,|\s?[=:–])\s[a-z]"  # "ac, anterior"
_SIGNS_EXPLAINED = re.compile(
    rf"(?<=\.)\s(?={_SIGN}[^;.]{{2,60}};\s{_SIGN})"
)  # "... ear. ac, anterior crista; lc, lateral"
_CAPITAL = re.compile(r"(?<=\.)\s(?=[^\W\d_a-z])")
_CUT = "\n"
_INNER_CAPITAL = re.compile(  # behind a word that is no article: "knee Arrows mark"
    r"(?<![\w-])(?P<before>[^\W\d_A-ZА-ЯЁІЇЄҐÀ-Þ]{2,}|[A-Z\d]{2,})\s"
    r"(?P<word>[A-ZА-ЯЁІЇЄҐÀ-Þ][^\W\d_A-ZА-ЯЁІЇЄҐ]{4,})(?=\s[a-zа-яёіїєґà-ÿ])"
)
_PLATE = re.compile(  # "section: 7–8 surfaces", "view 12 detail"; not "2 mice and 3 rats", "of 4 cells"
    r"(?P<before>(?<![\w-])[a-z]{4,}:?)\s(?P<first>\d{1,2})(?:[–-](?P<last>\d{1,2}))?\s(?=[a-z]{4,})"
)
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
MAX_CAPITALS = 0.4  # of a sentence's longer words: more are those of a title, or names
_ENDS = re.compile(r"[.!?…。！？．｡][\"'”’»)\]」』）]*$")


def pieces(sentence: str, language: str | None) -> list[str]:
    """The sentences within one: where a capital "The", a first panel "(A)" or a number of samples starts another."""
    known = language if language in LANGUAGES else DEFAULT_LANGUAGE
    start = _start(known)
    cut = _FIRST_PANEL.sub(_CUT, start.sub(rf"\g<before>{_CUT}", sentence), count=1)
    for gap in (_GLUED_PANEL, _SMALL_PANEL, _SAMPLES, _SIGNS_EXPLAINED, _lost_start(known)):
        cut = gap.sub(_CUT, cut)
    cut = _CAPITAL.sub(lambda gap: _CUT if is_note(cut[gap.end() :]) else gap.group(), cut)
    return cut.split(_CUT)


def runs_on(sentence: str, ordinary: Set[str], language: str | None) -> bool:
    """Whether a word of its own capital starts another sentence inside this one: "map of the knee Arrows mark a spot".

    `ordinary` are words that the figure's texts have with a small letter. In a title whose words all have capitals,
    and in a language that writes its nouns so, a capital starts nothing.
    """
    known = language if language in LANGUAGES else DEFAULT_LANGUAGE
    if LANGUAGES[known].teaching.the_figure.noun[0][0].isupper():
        return False
    words = _LONG_WORD.findall(sentence)[1:]
    if sum(word[0].isupper() for word in words) > MAX_CAPITALS * len(words):
        return False
    small = {*LANGUAGES[known].lists.and_words, *LANGUAGES[known].lists.or_words, *LANGUAGES[known].teaching.incomplete}
    found = [match for match in _INNER_CAPITAL.finditer(sentence) if match["before"] not in small]
    plurals = (match for match in _plural_start(known).finditer(sentence) if match["before"] not in small)
    return any(match["word"].lower() in ordinary for match in found) or any(plurals)


def starts_again(sentence: str, language: str | None) -> bool:
    """Whether a word that starts sentences stands inside running text: "within Metazoa Several branches emerge"."""
    known = language if language in LANGUAGES else DEFAULT_LANGUAGE
    return bool(_inner_start(known).search(sentence))


def lists_plates(sentence: str) -> bool:
    """Whether numbers in it name pictures of a plate, with nothing between them: "11 head in front view 12 leg"."""
    found = list(_PLATE.finditer(sentence))
    return any(
        int(other["first"]) == int(one["last"] or one["first"]) + 1 and one["before"] != other["before"]
        for one, other in pairwise(found)
    )


def closed(sentence: str) -> str:
    """The sentence with its full stop."""
    if not sentence or _ENDS.search(sentence):
        return sentence
    sentence = sentence.rstrip(" ;,；，")  # a clause of a list that was cut: "(a) pristine ZnO;"
    return sentence + ("。" if is_caseless(sentence[-1]) or sentence[-1] in "）」』" else ".")


@cache
def _start(language: str) -> re.Pattern:
    """The gap between a small word and one that starts sentences, with a capital, before another small word."""
    own = LANGUAGES[language]
    starters = "|".join(starter.capitalize() for starter in own.sentences.starters if len(starter) > 1)
    nouns_are_capitals = own.teaching.the_figure.noun[0][0].isupper()
    word = r"[^\W\d_]{2,}" if nouns_are_capitals else r"[^\W\d_A-ZА-ЯЁÀ-Þ]{2,}"
    return re.compile(rf"(?P<before>(?<!\w){word})\s(?=(?:{starters or '(?!)'})\s{word})")


@cache
def _inner_start(language: str) -> re.Pattern:
    """A starter with its capital behind any word; none where nouns have capitals, or starters are not known."""
    own = LANGUAGES[language]
    starters = "|".join(starter.capitalize() for starter in own.sentences.starters if len(starter) > 1)
    if not starters or own.teaching.the_figure.noun[0][0].isupper():
        return re.compile(NO_MATCH)
    return re.compile(rf"(?<=[^\W_])\s(?:{starters})\s[^\W\d_A-ZА-ЯЁІЇЄҐÀ-Þ]")


@cache
def _plural_start(language: str) -> re.Pattern:
    """A plural with a capital, ahead of "of" or "are": "with N-domain ACE Residues of the domain are shown"."""
    own = LANGUAGES[language]
    endings = "|".join(own.figure.plural_endings)
    joining = {*own.lists.and_words, *own.lists.or_words}
    behind = "|".join(word for word in (*own.teaching.incomplete, *own.teaching.verbs_of_being) if word not in joining)
    if not endings or not behind:
        return re.compile(NO_MATCH)
    word = rf"[A-ZÀ-Þ][^\W\d_A-ZÀ-Þ]{{3,}}(?:{endings})"
    return re.compile(rf"(?<![\w-])(?P<before>[^\W\d_A-ZÀ-Þ]{{2,}}|[A-Z\d]{{2,}})\s{word}\s(?:{behind})(?!\w)")


@cache
def _lost_start(language: str) -> re.Pattern:
    """The gap before "is" behind a full stop: of "Ω is the rate" the sign was a picture, and is lost."""
    verbs = "|".join(LANGUAGES[language].teaching.verbs_of_being) or "(?!)"
    return re.compile(rf"(?<=[^\W\d_]\.)\s(?=(?:{verbs})\s)")
