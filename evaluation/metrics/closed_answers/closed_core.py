"""Which of a closed question's options a reply names: one of them, or none that could be told. Nothing is guessed.

    chosen("(B) left lung", ["right lung", "left lung"]) -> 1
    chosen("Yes, on the left.", ["yes", "no"]) -> 0
    chosen("A or B", ["right lung", "left lung"]) -> None

An option is named by its letter or its text, alone or behind words such as "The answer is". English only.
"""

import re
import unicodedata
from collections.abc import Sequence

YES_NO = ("yes", "no")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_END_OF_THOUGHT, _THOUGHT = "</think>", "<think>"
_DECORATION = re.compile(
    r"[*`\"“”]|\\boxed|\\text|[{}$]|(?<!\w)[_'‘’]+|[_'‘’]+(?!\w)|</?answer>", re.I
)  # Markdown, LaTeX, quotes
_RIGHT = r"is\s+(?:the\s+)?(?:correct|right|best|true)\b"
_LEAD_IN = re.compile(
    r"(?:i(?:\s+would|['’]d)?\s+(?:think|believe|choose|pick|select|say|go\s+with)\s+(?:that\s+)?)?"
    r"(?:it(?:\s+is|['’]s)\s+|(?:so|thus|therefore|hence)?,?\s*(?:(?:the|my)\s+)?(?:(?:final|correct|best|right)\s+)*"
    r"(?:answer|option|choice|response)(?:\s+(?:option|choice))?(?:\s+(?:is|would be|should be))?(?:\s*[:=]\s*|\s+))?",
    re.IGNORECASE,
)
_LETTER_FIRST = re.compile(
    r"(?:[(\[]\s*([A-Za-z])\s*[)\]]|"
    rf"([A-Za-z])(?=\s*[.):,;!\n]|\s+[-–—]|\s+(?:{_RIGHT}|because\b)|\s*$))[\s.):,;!–—-]*"
)
_LETTER_NAMED = (  # a letter that stands for an option, not in a word or for "a" and "vitamin C"
    r"[(\[]\s*{0}\s*[)\]]|\b(?:option|choice|answer|answer is)\s*:?\s*{0}\b"
    rf"|(?<![\w-]){{0}}(?=\s*(?:[.,;:)/&]|$|\b(?:and|or|{_RIGHT})\b))"
)
_CLAUSE_END = re.compile(r"[.,;:!?\n()/]|\s[-–—]\s|\b(?:and|or|but)\b")
_YES_NO_FIRST = re.compile(r"(yes|no)\s+(?:there|it|this|that|these|those|they|we|i)\b")
_BOTH = re.compile(r"yes\b.*\bno|no\b.*\byes")
_YES_NO_LAST = re.compile(r"(?:^|\s)(yes|no)$")
_NEGATION = re.compile(r"\b(?:not|never|neither|nor|cannot)\b|n['’]t\b")
_EDGES = " \t\n.,;:!?'"
_ARTICLES = re.compile(r"^(?:a|an|the)\s+")


def normalised(text: str) -> str:
    """A text as it is compared: NFKC, lower case, single spaces, without an article in front and signs at its ends."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return _ARTICLES.sub("", " ".join(text.split()).strip(_EDGES))


def is_yes_no(answer: str) -> bool:
    """Whether a reference is "yes" or "no", in any case."""
    return normalised(answer) in YES_NO


def chosen(reply: str, options: Sequence[str]) -> int | None:
    """The index of the option that a reply names; None where it names none, several, or cannot be read.

    Options have the letters A, B, … in their order.
    """
    text = _answer_part(reply)
    texts = [normalised(option) for option in options]
    if _LETTER_FIRST.match(text) and normalised(text) not in texts:
        return _by_letter(text, texts)
    if sorted(texts) == sorted(YES_NO):
        said = _yes_or_no(text)
        return texts.index(said) if said else None
    by_text = _by_text(text, texts)
    return _by_letter(text, texts) if by_text is None else by_text


def is_right(reply: str, reference: str, options: Sequence[str] | None) -> bool | None:
    """Whether a reply to a closed question is right; None where it cannot be read.

    Without options the reply must be the reference, as `normalised` has both.
    """
    if options is None:
        return normalised(_answer_part(reply)) == normalised(reference)
    index = chosen(reply, options)
    return None if index is None else normalised(options[index]) == normalised(reference)


def _answer_part(reply: str) -> str:
    """The reply without thoughts, decoration and lead-ins; nothing of one whose thoughts never end."""
    if _END_OF_THOUGHT in reply:
        reply = reply.rpartition(_END_OF_THOUGHT)[2]
    elif reply.lstrip().startswith(_THOUGHT):
        return ""
    text = _DECORATION.sub(" ", unicodedata.normalize("NFKC", reply)).strip()
    text = "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())
    match = _LEAD_IN.match(text)
    return text[match.end() :] if match else text


def _by_text(text: str, texts: list[str]) -> int | None:
    """The one option whose text the whole reply is."""
    said = normalised(text)
    found = [i for i, option in enumerate(texts) if said == option]
    return found[0] if len(found) == 1 else None


def _by_letter(text: str, texts: list[str]) -> int | None:
    """The option whose letter the reply begins with, where it names no other one."""
    letters = _LETTERS[: len(texts)]
    match = _LETTER_FIRST.match(text)
    if match:
        letter, rest = (match[1] or match[2]).upper(), text[match.end() :]
    else:
        letter, rest = text[:1].upper(), text[1:]
        if not rest.startswith(" ") or letter not in letters or normalised(rest) != texts[letters.index(letter)]:
            return None  # "B left lung" names B, "A fracture is seen" names none
    if letter not in letters:
        return None
    index = letters.index(letter)
    return index if _names_no_other(rest, index, texts) else None


def _names_no_other(rest: str, index: int, texts: list[str]) -> bool:
    """Whether what follows an option's letter speaks of no other option."""
    said = normalised(rest)
    if said == texts[index]:
        return True
    for other, option in enumerate(texts):
        if other == index:
            continue
        if re.search(_LETTER_NAMED.format(_LETTERS[other]), rest):
            return False
        if said == option or (_has(said, option) and not _has(texts[index], option)):
            return False
    return True


def _has(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def _yes_or_no(text: str) -> str | None:
    """What a reply to a question for yes or no says: a clause that is the word, begins or ends with it.

    "No fracture is seen" is none: whether it means no depends on the question.
    """
    said = set()
    for clause in (clause for line in text.splitlines() for clause in _CLAUSE_END.split(normalised(line))):
        clause = clause.strip(_EDGES)
        match = _YES_NO_FIRST.match(clause) or _YES_NO_LAST.search(clause)
        if _BOTH.fullmatch(clause):
            return None
        if match and not clause.startswith(match[1]) and _NEGATION.search(clause):
            return None  # "it is not yes"
        if match:
            said.add(match[1])
    return said.pop() if len(said) == 1 else None
