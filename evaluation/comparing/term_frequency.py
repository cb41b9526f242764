"""Does quality depend on how often a question's terms were seen in training?

The terms of a question's reference are counted in the training split's answers, and the questions go into three bins by
their rarest term. The rarest, because the median term of a reference is a common word in nearly all of them: one bin.
Longer references have rarer rarest terms, so each bin reports its references' length.
"""

import hashlib
import re
from collections import Counter

from dataset_builder.files.progress import progress
from evaluation.comparing.scored_runs import PairedItem, contrast_paired
from evaluation.metrics.grounding.grounding_core import find_claims
from evaluation.scoring.measures import QUALITY

BINS = ("never", "rare", "common")
# Training answers; LVIS calls classes of 1 to 10 training images rare (https://arxiv.org/abs/1908.03195).
RARE_UP_TO = 10
_LONG_WORD = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff]{6,}")  # not CJK, which writes no spaces between words


def terms(text: str) -> set[str]:
    """Abbreviations, Greek names and words of six letters or more, in a form that spelling does not change."""
    named = {claim.value for claim in find_claims(text) if claim.kind != "number"}
    return named | {word.casefold() for word in _LONG_WORD.findall(text)}


def count_answers(answers: list[str], wanted: set[str]) -> Counter:
    """term -> number of answers that have it, of the `wanted` terms. About 1 ms an answer."""
    counts: Counter[str] = Counter()
    with progress(len(answers), "answers", "terms") as bar:
        for answer in answers:
            counts.update(terms(answer) & wanted)
            bar.update()
    return counts


def bin_of(reference: str, counts: Counter) -> str | None:
    """`never`, `rare` (in up to `RARE_UP_TO` answers) or `common` by the rarest term; None for a text without terms."""
    rarest = min((counts[term] for term in terms(reference)), default=None)
    if rarest is None:
        return None
    if rarest == 0:
        return "never"
    return "rare" if rarest <= RARE_UP_TO else "common"


def by_term_frequency(paired: list[PairedItem], references: dict[str, str], answers: list[str]) -> dict:
    """Scores of base and tuned in the three bins.

    `paired` are items with the true pictures, `references` example -> text, `answers` those of the training split.
    Returns n_training_answers, answers_sha256, rare_up_to, n_without_terms, and rows: bin, reference_words (mean) and
    a row of `measures.contrast`.
    """
    counts = count_answers(answers, set().union(*map(terms, references.values())))
    bins: dict[str | None, list[PairedItem]] = {name: [] for name in (*BINS, None)}
    for item in paired:
        bins[bin_of(references[item.example_id], counts)].append(item)
    rows = []
    for name in BINS:
        if bins[name]:
            of_bin = {"bin": name, "reference_words": _mean_reference_words(bins[name])}
            rows += [of_bin | row for row in contrast_paired(bins[name], QUALITY)]
    return {
        "n_training_answers": len(answers),
        "answers_sha256": hashlib.sha256("\n".join(answers).encode()).hexdigest(),
        "rare_up_to": RARE_UP_TO,
        "n_without_terms": len(bins[None]),
        "rows": rows,
    }


def _mean_reference_words(paired: list[PairedItem]) -> float | None:
    known = [words for item in paired if (words := item.tuned.metrics["reference_words"]) is not None]
    return sum(known) / len(known) if known else None
