"""Other works that a sentence cites: found, and taken out where they stand in brackets.

without_citations("It rose [3,4] (Smith et al., 2010).")  -> "It rose."
without_citations("[18]F-FDG, t[1] and 10[5] stay.")      -> the same text
cites("as Smith et al. (2010) report")                    -> True
"""

import re

from dataset_builder.text.sentences import is_caseless
from dataset_builder.text.vocabulary import any_of, any_spaced, any_unspaced

_NUMBERS = r"\d{1,3}(?:\s?[–,;，、-]\s?\d{1,3})*"
_NUMBERED = re.compile(rf"(?P<gap>\s*)[\[［〔]\s?{_NUMBERS}\s?[\]］〕]")
_OF_A_NUCLIDE = re.compile(  # "[18]F-FDG", "[131] I": a mass number and its element
    r"\s?(?:F|C|N|O|P|S|H|I|Ga|Cu|Zr|Tc|In|Lu|Ra|Ac|Rb|Sr|Sm|Re|Ir|Tl|Y|At|Bi|Pb|Cr|Fe|Co|Xe|Kr)(?![^\W\d_])"
)
_ROUND_NUMBERS = re.compile(  # "was seen (12) in", "was seen (3)."; not "groups (1) fed and (2) not fed"
    rf"(?<=[^\W\d_]{{2}})\s\((?:{_NUMBERS}\)(?=[.,;]|$)|(?!\d\)){_NUMBERS}\)(?=\s[a-z]))"
)
_RAISED_NUMBERS = re.compile(  # "studies12,13", "in the clinic.2", as PDFs and plain texts give them
    r"[^\W\d_A-Z]{4}\d{1,3}[,–]\d{1,3}(?![\w.])|[^\W\d_A-Z]{3}:\d{1,3}\s(?=[A-Z])|[^\W\d_A-Z]{3}[.,]\d{1,3}(?:[,–-]\d{1,3})*\.?(?=\s|$)"
    r"|(?:\s(?:1[5-9]|20)\d\d|\d%|\))\.\d{1,3}(?:[,–-]\d{1,3})*\s(?=[A-Z])"  # "since 1850.5 The"
)
_RAISED_BEHIND_CAPITALS = re.compile(r"(?<![\w-])[A-Z]{2,}\d{1,2}[,–]\d{1,2}(?=[\s.,;])")  # "in the BLA1,2"
_RAISED_NUMBER = re.compile(  # "authors33", but also "caspase3"; "(of the atlas)12", not "Ca(OH)2"
    r"(?<![\w-])[^\W\d_A-Z\u3040-\u9fff]{6,}\d{1,2}(?![\w-])|\([^()]*\s[^()]*\)\d{1,3}(?=[\s.,;])"
)
_NUMBERS_BEHIND = re.compile(  # "an effect 2, 3.", "of the rats (53)", "(3,10 [in part],13)": no part of a picture
    r"(?<=[^\W\d_A-Z]{3})\s\d{1,3}(?:,\s?\d{1,3})+\.?$"
    r"|(?<=[^\W\d_]{2})\s\([1-9]\d{1,2}(?:[,–-]\s?\d{1,3})*\)(?=[.,;)]|\s[a-z]|$)"
    r"|\(\d{1,3},\d{1,3}\s?\["
)
_YEAR = r"(?:18|19|20)\d\d(?:[a-z](?:,\s?[a-z](?!\w))*)?"
_CAPITAL = r"[A-ZÀ-ÞŁŚŠŽČĐА-ЯЁЄІЇҐ\u3040-\u9fff]"
_PARTICLE = r"(?:(?:de|del|della|di|da|van|von|der|den|le|la|el|al|ter|ten|dos)[\s-]|[dOL]['’])*"
_MONTH = rf"(?i:(?:{any_of(lambda it: it.imprint.months)})\w*\.?\s)"
_SEE = rf"(?i:(?:{any_of(lambda it: it.teaching.see)})[\s,:]*)*"
_COLLEAGUES = (
    rf"(?<!\w)(?i:{any_spaced(lambda it: it.teaching.colleagues)})(?!\w)"
    rf"|{_CAPITAL}(?:{any_unspaced(lambda it: it.teaching.colleagues)})"
)
_AUTHORS_AND_YEAR = re.compile(  # what stands between brackets: "Smith et al., 2010, p. 3", "see Smith 2010, Lee 2011"
    rf"\s*{_SEE}(?!{_MONTH})(?:{_PARTICLE}{_CAPITAL}[^\d;()]{{1,90}}?[,，.\s]?\s?)?{_YEAR}"
    rf"(?:\s?[,，&]\s?(?:{_PARTICLE}{_CAPITAL}[^\d;()]{{1,90}}?[,，\s]\s?)?{_YEAR})*"
    r"(?:\s?[,:，：]\s?(?:pp?\.\s?)?\d+(?:[–-]\d+)?)?\s*"
)
_ROUND = re.compile(r"\s*(?P<open>[(\[（])(?P<inside>[^()\[\]（）]*)(?P<close>[)\]）])")
_IN_THE_TEXT = re.compile(rf"{_COLLEAGUES}|{_CAPITAL}[\w'’-]+\s\(\s?{_YEAR}(?:\s?[),;:])")
_AUTHOR = rf"{_CAPITAL}[\w'’-]+\s[A-Z]{{1,3}}"
_NAMED = re.compile(  # "Smith J, Lee KM, ", "by Smith and Lee (12)", "Smith [12]"
    rf"(?<!\w)(?P<first>{_CAPITAL}[\w'’-]+)\s[A-Z]{{1,3}},\s(?!(?P=first)){_AUTHOR}[,:.]"
    rf"|(?<![\w(]){_CAPITAL}[\w'’-]+\s(?i:{any_spaced(lambda it: it.lists.and_words)}|&)\s"
    rf"{_CAPITAL}[\w'’-]+\s\({_NUMBERS}\)"
)


def cites(sentence: str) -> bool:
    """Whether the sentence leans on another work: a number in brackets, authors with a year, "et al."."""
    in_the_text = any(kind.search(sentence) for kind in (_RAISED_NUMBERS, _IN_THE_TEXT, _NAMED))
    return bool(in_the_text) or without_citations(sentence) != sentence


def may_cite(sentence: str) -> bool:
    """Whether a number may be a citation: that of "authors33" and "of the rats (53)" is, that of "caspase3" is none."""
    return bool(_RAISED_NUMBER.search(sentence) or _NUMBERS_BEHIND.search(sentence))


def may_cite_in_running_text(sentence: str) -> bool:
    """Whether a number may be a citation in running text: "was seen (12)", "BLA1,2"; captions name parts so."""
    return bool(_ROUND_NUMBERS.search(sentence) or _RAISED_BEHIND_CAPITALS.search(sentence))


def without_citations(text: str) -> str:
    """The text without citations in brackets; those that are part of a sentence stay (`cites` finds them)."""
    return _NUMBERED.sub(_without_numbers, _ROUND.sub(_without_authors, text))


def _without_numbers(found: re.Match) -> str:
    """Nothing for "mice [3]" and "mice[3]"; the brackets stay in "[18]F", "t[1]", "10[5]" and "calix[4]arene"."""
    text, start, end = found.string, found.start(), found.end()
    attached = not found["gap"] and start > 0 and text[start - 1].isalnum()
    before = text[max(0, start - 2) : start]
    on_a_symbol = attached and not is_caseless(before[-1]) and not (len(before) == 2 and before.isalpha())
    in_a_word = text[end : end + 1].isalpha() and not is_caseless(text[end]) or text[end : end + 1] == "-"
    return found.group() if on_a_symbol or in_a_word or _OF_A_NUCLIDE.match(text, end) else ""


def _without_authors(brackets: re.Match) -> str:
    """What is left of brackets: "(Smith 2010)" -> "", "(p = 0.1; Smith 2010)" -> "(p = 0.1)"."""
    clauses = re.split(r"[;；]", brackets["inside"])
    kept = [clause for clause in clauses if not _AUTHORS_AND_YEAR.fullmatch(clause) or clause.strip().isdigit()]
    if len(kept) == len(clauses):
        return brackets.group()
    if not kept:
        return ""
    return brackets.group().replace(brackets["inside"], ";".join(kept).strip())
