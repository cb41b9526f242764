"""Words whose letters are set apart, "A B S T R A C T": read as words, by the gaps between their glyphs."""

import re

import numpy as np

MIN_LETTERS = 5  # of a run that may be letter-spaced words, "F I G . 1" with its digits; fewer are labels of panels
WORD_GAP = 1.5  # times the usual gap between letter-spaced letters: there a word ends
MAX_WORD_CHARS = 25  # where no gap tells words apart, more letters are no word
_RUN = re.compile(r"(?<!\S)[^\W\d_](?: [^\W\d_]){2,}(?: [^\W\d_]| [.:\d])*(?!\S)")


def is_letter_spaced(text: str) -> bool:
    """Whether a line may start with, or hold, letter-spaced words: quickly, for nearly no line does."""
    return " " in text[1:2] and len(text) >= 2 * MIN_LETTERS - 1 and _RUN.search(text) is not None


def without_letter_spacing(text: str, flat: np.ndarray) -> str:
    """A line's text with the words of its letter-spaced runs joined.

    `flat` are the boxes (glyphs, 4) of what it prints, running left to right, blanks left out; where a glyph stands for
    several letters the text stays as it is.
    """
    if len(text) - text.count(" ") != len(flat):
        return text
    gaps = flat[1:, 0] - flat[:-1, 2]  # (glyphs - 1,)
    return _RUN.sub(lambda run: _joined(run, gaps), text)


def _joined(run: re.Match[str], gaps: np.ndarray) -> str:
    letters = run[0].split()
    if len(letters) < MIN_LETTERS or _is_alphabet(letters):
        return run[0]
    first = run.start() - run.string.count(" ", 0, run.start())  # glyphs before it
    own = gaps[first : first + len(letters) - 1]
    ends = own > WORD_GAP * np.median(own)
    text = letters[0]
    for letter, before, is_end in zip(letters[1:], letters, ends.tolist(), strict=False):
        text += (" " if is_end or (letter.isdigit() and not before.isdigit()) else "") + letter
    return text if max(map(len, text.split())) <= MAX_WORD_CHARS else run[0]


def _is_alphabet(letters: list[str]) -> bool:
    """Whether letters are those of panels or axes in their order: A B C D, or one of them again and again."""
    codes = [ord(letter) for letter in letters if letter.isalpha()]
    return len({after - code for code, after in zip(codes, codes[1:], strict=False)}) == 1
