"""Where a sentence ends.

split_sentences("As in Fig. 2A. We then ...")    -> ["As in Fig. 2A.", "We then ..."]
"""

import re
from collections.abc import Iterator

from dataset_builder.text.clean import clean
from dataset_builder.text.vocabulary import any_of, every

MIXED_CASE = re.compile(
    r"(?:[a-z]{1,3}[A-Z\d]|[a-z]-[A-Za-z]|[a-h](?:[,)]|\s+(?=[A-Z(]))|[α-ωµμ])"
)  # "pH", "mRNA", "p53", "a Dose"


_NEVER_LAST = frozenset(every(lambda it: it.sentences.never_last))  # abbreviations that something always follows
_NUMBERED = frozenset(every(lambda it: it.sentences.before_number))  # abbreviations in front of a number
_AMBIGUOUS = frozenset(every(lambda it: it.sentences.sometimes_last))  # the next word decides
_STARTERS = frozenset(every(lambda it: it.sentences.starters))  # words that start a sentence and are no name
_STOP = re.compile(
    r"(?P<stop>[.!?…。！？｡][.!?…。！？｡]*+)(?:"  # searched twice as fast as [...]++
    r"(?<=[。！？｡])[」』”’）)\]】]*"
    # closing quotes and brackets, a citation ("mice.12", "mice. [3,4]"), then white space
    r"|(?<![。！？｡])(?P<after>[\"'”’»)\]]*(?:\d{1,3}(?:[,–-]\d{1,3})*|\s?\[\d+(?:[,–-]\s?\d+)*\])?(?=\s|$)))"
)
_BEHIND_WORD = re.compile(r"[\s,.;:]")
_WORD_BACKWARDS = re.compile(r"[^\W_\u3040-\u9fff]+(?:\.[^\W_\u3040-\u9fff]+)*")  # "g.e" of "… e.g"
_WORD_CHARS = 20  # the longest abbreviation
_AFTER_ORDINAL = re.compile(any_of(lambda it: it.sentences.after_ordinal))  # "3. Mai"
_BEFORE_ORDINAL = re.compile(  # "der 3. Patient"
    rf"(?<!\w)(?:{any_of(lambda it: it.sentences.before_ordinal)})\s$", re.IGNORECASE
)


def split_sentences(text: str) -> list[str]:
    """The sentences of a paragraph, white space normalised; a blank line ends a sentence too."""
    paragraphs = (clean(part) for part in re.split(r"\n\s*\n", text))
    return [part[start:end] for part in paragraphs for start, end in sentence_spans(part)]


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each sentence of `text`, whose white space is normalised already (`clean`)."""
    start = 0
    for stop in _STOP.finditer(text):
        if _ends_sentence(text, stop):
            end = stop.end()
            yield start, end
            start = end + (text[end : end + 1] == " ")
    if start < len(text):
        yield start, len(text)


def _ends_sentence(text: str, stop: re.Match) -> bool:
    """Whether the punctuation `stop` closes a sentence."""
    after = stop["after"]
    if after is None:  # Chinese and Japanese
        return True
    if after[:1].isdigit() and not _may_be_cited(text[stop.start() - 1]):
        return False
    following = text[stop.end() + 1 : stop.end() + 40]
    if not following:
        return True
    return _may_start(following) and not (stop["stop"] == "." and _is_abbreviation(text, stop.start(), following))


def _may_be_cited(last: str) -> bool:
    """Whether digits after the full stop behind this character may be a citation rather than decimals."""
    return last.isalpha() or last in ')]"”’'


def _may_start(following: str) -> bool:
    """Whether a sentence may start with this text: not with a small letter ("pH", "mRNA" excepted) or punctuation."""
    first = following.lstrip("\"“‘'«([¿¡—–- ")[:1]
    if not first:
        return False
    return first.isupper() or first.isdigit() or is_caseless(first) or bool(MIXED_CASE.match(following))


def _is_abbreviation(text: str, stop: int, following: str) -> bool:
    """Whether the full stop there belongs to an abbreviation, an initial or an ordinal rather than to the sentence."""
    found = _WORD_BACKWARDS.match(text[max(0, stop - _WORD_CHARS) : stop][::-1])
    if not found:
        return False
    word = found.group()[::-1]
    word_start = stop - len(word)
    folded = word.lower()
    if len(word) == 1 and word.isalpha():
        return _is_initial(text, word_start, word, following)
    if folded in _NEVER_LAST:
        return True
    if folded in _NUMBERED:
        return following[0].isdigit()
    if folded in _AMBIGUOUS or ("." in folded and folded.replace(".", "").isalpha() and len(folded) <= 6):
        return not _is_starter(following)
    if not (word.isdigit() and len(word) <= 2):
        return False
    before = text[max(0, word_start - 6) : word_start]
    return bool(_AFTER_ORDINAL.match(following) or _BEFORE_ORDINAL.search(before))


def _is_starter(following: str) -> bool:
    """Whether the text's first word is one that starts a sentence."""
    return _BEHIND_WORD.split(following, maxsplit=1)[0].lower() in _STARTERS


def _is_initial(text: str, start: int, word: str, following: str) -> bool:
    """ "J. Smith", "E. Coli", "z. B. 3", "p. 3" are no ends; "vitamin C. The", "panel b. We" are."""
    starts = _is_starter(following)
    if re.match(r"[^\W\d_]\.", following) or re.search(r"(?<!\w)[^\W\d_]\.\s$", text[max(0, start - 4) : start]):
        return not starts or following[1:2] == "."
    if following[0].isdigit():
        return word.islower() or word in "SCT"
    return not starts and (word.isupper() or word in "pscv")


def is_caseless(character: str) -> bool:
    return character.isalpha() and character.lower() == character.upper()
