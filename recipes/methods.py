"""The two ways to train: on answers, and on pairs of answers of which one is preferred."""

from typing import NamedTuple

from recipes.training.examples import COLUMNS, PAIR_COLUMNS, ExampleCollator, PairCollator
from recipes.training.options import DPO, SFT, Script
from recipes.training.trainer import PhaseTrainer, PreferenceTrainer, StrictTrainer


class Method(NamedTuple):
    """What one way to train does otherwise than another."""

    name: str  # of the script
    options: Script
    columns: tuple[str, ...]  # of its rows
    collator: type[ExampleCollator]
    trainer: type[StrictTrainer]
    watches_answers: bool  # generates some while it trains, where `eval_strategy` is set


ANSWERS = Method("sft", SFT, COLUMNS, ExampleCollator, PhaseTrainer, watches_answers=True)
PREFERENCES = Method("dpo", DPO, PAIR_COLUMNS, PairCollator, PreferenceTrainer, watches_answers=False)
