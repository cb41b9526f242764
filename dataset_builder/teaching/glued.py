"""Full stops that a caption lacks: between its title and what follows, and at its end.

unglued("Dose map of the knee The map shows a spot.", "en")  -> "Dose map of the knee. The map shows a spot."
closed("Dose map of the knee")                               -> "Dose map of the knee."
"""

import re
from functools import cache

from dataset_builder.teaching.the_figure import DEFAULT_LANGUAGE
from dataset_builder.text.sentences import is_caseless
from dataset_builder.text.vocabulary import LANGUAGES

_FIRST_PANEL = re.compile(  # "by miRNA (A) Levels of X.", where no other panel follows in the sentence
    r"(?<=[^\W\d_][^\W\d_A-Z])\s(?=\([Aa]\)\s[A-Z][a-z]+\s[^()]*\.$)"
)
_SAMPLES = re.compile(r"(?<=[.;])\s(?=[nN]\s?[=≥>]|\*+\s?,?\s?[pP]\s?[<=])")  # "... replicates. n = 3."
_CUT = "\n"
_ENDS = re.compile(r"[.!?…。！？．｡][\"'”’»)\]」』）]*$")


def pieces(sentence: str, language: str | None) -> list[str]:
    """The sentences within one: where a capital "The", a first panel "(A)" or a number of samples starts another."""
    start = _start(language) if language in LANGUAGES else _start(DEFAULT_LANGUAGE)
    return _SAMPLES.sub(_CUT, _FIRST_PANEL.sub(_CUT, start.sub(_CUT, sentence), count=1)).split(_CUT)


def closed(sentence: str) -> str:
    """The sentence with its full stop."""
    if not sentence or _ENDS.search(sentence):
        return sentence
    return sentence + ("。" if is_caseless(sentence[-1]) or sentence[-1] in "）」』" else ".")


@cache
def _start(language: str) -> re.Pattern:
    """The gap between a small letter and a word that starts sentences, with a capital, before a small letter."""
    starters = "|".join(word.capitalize() for word in LANGUAGES[language].sentences.starters if len(word) > 1)
    return re.compile(rf"(?<=[^\W\d_A-Z]{{2}})\s(?=(?:{starters or '(?!)'})\s[^\W\d_A-Z]{{2}})")
