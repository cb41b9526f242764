"""Which names of modules an adapter may give to PEFT, whose regular expressions some of them become."""

import re
import time

import pytest

from recipes.families.find import FAMILIES
from tests.trust.conftest import write_adapter
from trust.checkpoints import open_checkpoint
from trust.errors import RefusedError
from trust.weights.adapter_modules import MAX_WAYS, bad_modules

BOMBS = [
    r"([a-z0-9_]+\.?)+!",
    r"(a|a)*!",
    r"(.*)*x",
    r"(?:\w+)+\.x",
    r"(\w*\.)*x",
    r".*.*.*.*.*.*x",
    r"\w+\w+\w+\w+\w+!",
    r"(?=(a+))\1*x",
    r"[\w.]*" * 8 + "!",
    "a?" * 30 + "a" * 30,
    "(a|ab)" * 30 + "!",
    "(a{1,9}){1,9}x",
    "((a|b)|(a|c))+",
    "a|" * 30,
    "x" * 5_000,
    "(",
]
PATTERNS = [
    r".*layers\.\d\.self_attn\.[qv]_proj",
    r"model\.language_model\.layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj",
    r".*\.(q_proj|v_proj)$",
    r"^model\.layers\.\d+\.mlp\.(?:up|down)_proj$",
    r".*language_model.*\.(up_proj|k_proj|q_proj|v_proj|down_proj|gate_proj|o_proj)",
    r".*\.q_proj|.*\.v_proj",
    "q_proj",
    "all-linear",
]


@pytest.mark.parametrize("pattern", BOMBS)
@pytest.mark.parametrize("key", ["target_modules", "exclude_modules"])
def test_a_pattern_that_may_not_end_is_refused_at_once(tmp_path, checkpoint, key, pattern):
    folder = write_adapter(tmp_path / "adapter", str(checkpoint), **{key: pattern})
    start = time.monotonic()
    with pytest.raises(RefusedError, match=f"adapter_config.json: {key} holds") as refused:
        open_checkpoint(str(folder))
    assert "\n" not in str(refused.value)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("pattern", BOMBS)
@pytest.mark.parametrize("key", ["modules_to_save", "layers_pattern", "target_parameters"])
def test_where_peft_wants_names_there_are_no_patterns(key, pattern):
    if pattern != "x" * 5_000:
        assert bad_modules({key: ["q_proj", pattern]}) == key
    assert bad_modules({key: pattern}) == key


@pytest.mark.parametrize("pattern", BOMBS)
@pytest.mark.parametrize("key", ["rank_pattern", "alpha_pattern"])
def test_the_keys_of_ranks_are_patterns(key, pattern):
    assert bad_modules({key: {"q_proj": 4, pattern: 8}}) == key


@pytest.mark.parametrize(
    "config",
    [{"target_modules": 7}, {"target_modules": [7]}, {"target_modules": {"a": 1}}, {"rank_pattern": ["a", 1]}]
    + [{"modules_to_save": ["a"] * 9_999}, {"rank_pattern": {str(i): 1 for i in range(9_999)}}, {"rank_pattern": 7}],
)
def test_other_types_and_too_many_are_refused(config):
    assert bad_modules(config) in config


@pytest.mark.parametrize("pattern", PATTERNS)
def test_ordinary_patterns_pass(pattern):
    re.compile(pattern)
    assert bad_modules({"target_modules": pattern, "exclude_modules": pattern, "rank_pattern": {pattern: 4}}) is None


@pytest.mark.parametrize("family", FAMILIES.values() if isinstance(FAMILIES, dict) else FAMILIES)
def test_what_our_recipes_write_passes(family):
    assert bad_modules({"target_modules": family.lora_modules}) is None


def test_lists_of_names_and_what_is_not_set_pass():
    names = ["q_proj", "model.layers.0.mlp.up_proj", "multi_modal_projector", "block-1"]
    assert bad_modules({"target_modules": names, "modules_to_save": names, "layers_pattern": "layers"}) is None
    assert (
        bad_modules({"target_modules": None, "rank_pattern": {}, "alpha_pattern": None, "modules_to_save": []}) is None
    )


def test_the_worst_pattern_that_passes_ends_soon():
    pattern = ".*" * 3 + "(A|B|C|D|E|F|G|H)"
    assert MAX_WAYS > 100**3
    assert bad_modules({"target_modules": pattern}) is None
    start = time.monotonic()
    assert re.fullmatch(pattern, "base_model.model.model.language_model.layers.31.self_attn.q_proj") is None
    assert time.monotonic() - start < 2
