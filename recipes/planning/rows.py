"""The rows that a plan is made for: how many, and how long."""

from dataclasses import dataclass

import numpy as np
from datasets import Dataset

from recipes.planning.setting import Setting, find_processor
from recipes.project_files import read_template
from recipes.training.examples import load_training_rows
from recipes.training.scan import limits_of, scan_rows

SCAN_ROWS = 5000  # rows of which the length is measured; of a larger dataset, so many are drawn


@dataclass(frozen=True)
class Rows:
    """Rows to train on."""

    lengths: np.ndarray  # tokens of the rows measured, of a pair those of the longer answer's: (rows measured,)
    n_rows: int  # rows of the split that are trained
    dropped: dict[str, int]  # reason -> rows, of those scanned
    n_scanned: int | None  # None where the length was given
    dataset: Dataset | None  # the rows measured; None where the length was given

    @property
    def longest(self) -> int:
        return int(self.lengths.max())


def given_rows(n_rows: int, tokens: int) -> Rows:
    """Rows of one length. Image tokens of LLaVA-NeXT are not known without pictures: the largest grid is assumed."""
    return Rows(np.array([tokens]), n_rows, {}, None, None)


def measure_rows(setting: Setting, n_rows: int | None) -> Rows:
    """The recipe's rows, or as many of them as `n_rows` says, as long as its dataset has them."""
    method = setting.method
    dataset, _ = load_training_rows(setting.recipe, method.columns)
    n_all = len(dataset)
    if n_all > SCAN_ROWS:
        dataset = dataset.shuffle(seed=0).select(range(SCAN_ROWS))
    recipe = setting.recipe
    template = read_template(recipe.train_template_path)
    collator = method.collator(find_processor(setting), setting.shape.family, template, recipe.train_earlier_answers)
    kept, report, _ = scan_rows(dataset, collator, limits_of(recipe, setting.args.max_length))
    share = report["kept"] / report["rows"]
    return Rows(np.array(kept["length"]), n_rows or round(n_all * share), report["dropped"], report["rows"], kept)
