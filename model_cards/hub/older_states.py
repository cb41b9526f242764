"""What older commits, tags and branches of a published dataset still hold, as `ldrt push` says it."""

from pathlib import Path

from model_cards.hub.history import leftovers, refuse_unnamed_tags
from model_cards.hub.repo import Repo
from model_cards.hub.retractions import TAKEN_DOWN, models_trained_on, read_taken, states_with
from trust.licenses import Policy


def refuse_tags(repo: Repo, dataset: Path, policy: Policy, named: list[str]) -> None:
    """Raises HubError where a tag that is to stay, as it is not among `named`, holds what a squash is to remove."""
    refuse_unnamed_tags(repo, leftovers(repo, policy).tags, _left_out(policy), named)
    refuse_unnamed_tags(repo, states_with(repo, read_taken(dataset)).tags, TAKEN_DOWN, named)


def older_states(repo: Repo, dataset: Path, policy: Policy) -> list[str]:
    """Which states hold rows that the policy leaves out or that were taken down, how to end that, and which models were
    trained on the latter; [] where there is nothing to say."""
    lines = []
    wider = leftovers(repo, policy)
    if wider:
        lines.append(wider.describe(repo, _left_out(policy)))
    holding = states_with(repo, read_taken(dataset))
    if not holding:
        return lines
    lines += [holding.describe(repo, TAKEN_DOWN), holding.by_hand(repo)]
    models = models_trained_on(repo, holding.commits)
    return lines + ([f"trained on a state that has them: {', '.join(models)}"] if models else [])


def _left_out(policy: Policy) -> str:
    return f"policy {policy} leaves out"
