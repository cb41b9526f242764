"""Everything that is checked of a model's repository."""

from typing import Any

from model_cards.study.card import with_made
from verification.card import check_card, check_headline, model_card_again, no_card, read_card
from verification.differences import differences
from verification.eval_results import check_eval_results
from verification.hashes import check_hashes
from verification.models.lineage import check_checkpoint
from verification.models.made import check_made
from verification.models.measured import (
    base_run,
    check_comparison,
    check_items,
    check_pairs,
    check_scores,
    compare_again,
    measure_again,
    score_again,
    tuned_run,
)
from verification.models.published import Published, read_published
from verification.models.questions import check_all_answered, check_all_there, check_questions, read_asked, texts
from verification.models.regenerate import check_regenerated
from verification.models.training_rows import check_training
from verification.report import Check, not_checked
from verification.repository import Repository


def check_model(repository: Repository, dataset: str | None, n_regenerated: int, device: str) -> list[Check]:
    """Files, checkpoint, questions, measurements, scores, comparison, card, training rows; with `n_regenerated` the
    checkpoint's answers, too. `dataset`: where the dataset is that was asked about."""
    published = read_published(repository)
    asked = read_asked(published, dataset)
    checks = [check_hashes(repository), *check_checkpoint(repository, published)]
    checks += [*check_questions(published, asked), check_all_there(published, asked)]
    checks += check_all_answered(published, asked)
    published = published.filled(texts(asked), asked.evidence)
    of_numbers, run = _check_numbers(published)
    checks += of_numbers
    checks += _check_model_card(repository, published, run)
    checks += check_eval_results(repository, run["scores"]["scores"])
    checks += check_training(published, asked, dataset)
    checks += check_made(repository, published, asked)
    if n_regenerated:
        checks.append(check_regenerated(repository, published, asked, n_regenerated, device))
    else:
        why = "ask for it with --regenerate N; it takes the checkpoint's memory and time"
        checks.append(not_checked("predictions: given again by the checkpoint", why))
    return checks


def _check_numbers(published: Published) -> tuple[list[Check], dict[str, Any]]:
    """Scores and comparison; and the files as the card is written from: what was made again, where it differs."""
    items = measure_again(published)
    scores = score_again(published, items)
    checks = [*check_items(published, items), *check_scores(published, scores)]
    run = {"manifest": published.manifest, "human": published.human, "comparison": published.comparison}
    run["scores"] = _settled(published.scores, scores)
    if published.comparison is None:
        return checks, run
    base, tuned = base_run(published, published.comparison), tuned_run(published, items, scores)
    checks.append(check_pairs(published, base, tuned))
    if base.items:
        again = compare_again(published, base, tuned)
        checks += check_comparison(published, again)
        run["comparison"] = _settled(published.comparison, again)
    else:
        checks.append(not_checked("comparison.json", "there are no pairs of answers to make it from"))
    if published.human:
        checks.append(not_checked("human.json", "people's ratings are not published one by one"))
    return checks, run


def _settled(published: dict[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    """What was published where it is the same but for rounding, else what was made again."""
    wrong = {key: value for key, value in again.items() if any(differences(published.get(key), value))}
    return published | wrong


def _check_model_card(repository: Repository, published: Published, run: dict[str, Any]) -> list[Check]:
    path = repository.path("README.md")
    if not path.is_file():
        return [no_card("there is no README.md")]
    if published.card is None:
        return [no_card("there is no results/card.json, which says what `ldrt card` was told: an earlier version")]
    card, again = read_card(path), with_made(model_card_again(published, run), published.made)
    return [*check_card(card, again), check_headline(card, again)]
