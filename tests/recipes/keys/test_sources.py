"""What the sources say of the options is what the classes say, once they are imported."""

import dataclasses

import pytest
from transformers import HfArgumentParser
from transformers.hf_argparser import string_to_bool
from trl import DPOConfig, ModelConfig, SFTConfig

from evaluation import generate
from ldrt.options import options_of
from recipes.keys.sources import fields_of
from recipes.training.options import PreferenceArguments

CLASSES = {"SFTConfig": SFTConfig, "DPOConfig": DPOConfig, "ModelConfig": ModelConfig}


@pytest.mark.parametrize("name", CLASSES)
def test_fields_types_and_choices_are_those_of_the_imported_class(name):
    known = fields_of("trl", name)
    assert list(known) == [field.name for field in dataclasses.fields(CLASSES[name])]
    actions = {action.dest: action for action in reversed(HfArgumentParser(CLASSES[name])._actions)}
    for key, kind in known.items():
        if kind is None:
            continue
        of_one = kind.items if kind.type is list else kind
        action = actions[key]
        assert (action.nargs == "+") is (kind.type is list), key
        assert of_one.choices == tuple(action.choices or ()) or key.startswith("log_level"), key
        if not of_one.choices:
            assert (string_to_bool if of_one.type is bool else of_one.type) is action.type, key
    assert sum(kind is None for kind in known.values()) < len(known) / 5


def test_a_base_class_is_followed_from_the_project_into_trl():
    known = fields_of("recipes.training.options", "PreferenceArguments")
    assert known == fields_of("trl", "DPOConfig") | {"chat_template_path": known["chat_template_path"]}
    assert list(known) == [field.name for field in dataclasses.fields(PreferenceArguments)]


def test_bounds_and_literals_are_read_as_the_command_reads_them():
    for name, kind in fields_of("evaluation.generate", "Options").items():
        assert kind is None or kind == options_of(generate.Options)[name].kind


@pytest.mark.parametrize(("module", "name"), [("trl", "SFTConfigs"), ("trl.trainers", "SFTConfig"), ("no_trl", "X")])
def test_what_is_not_there_is_said(module, name):
    with pytest.raises(LookupError, match=f"source of .*{module}"):
        fields_of(module, name)
