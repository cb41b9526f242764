"""A tiny checkpoint of every family."""

from importlib.util import find_spec

import pytest

from recipes.families.find import FAMILIES
from tests.recipes.conftest import load_make_model

# Of SmolVLM2, whose processor needs a package that is not pinned: the extra `smolvlm`.
_needs_num2words = pytest.mark.skipif(find_spec("num2words") is None, reason="num2words is not installed")
NAMES = [
    pytest.param("smolvlm", marks=_needs_num2words) if family.model_type == "smolvlm" else family.model_type
    for family in FAMILIES
]


@pytest.fixture(scope="session")
def bases(tmp_path_factory, dataset):
    """model_type -> a tiny checkpoint, made when it is first asked for."""
    made = {}

    def base(name: str):
        if name not in made:
            made[name] = tmp_path_factory.mktemp("families") / name
            words = ["--dataset", str(dataset), "--output", str(made[name]), "--family", name, "--steps", "2"]
            load_make_model().main(words)
        return made[name]

    return base
