"""What the commands' options declare of themselves."""

import dataclasses
import importlib
import re
import typing

import pytest

import ldrt
from ldrt.options import METADATA, options_of
from ldrt.paths import KINDS


@pytest.fixture(params=list(ldrt.STAGES))
def stage(request):
    return importlib.import_module(ldrt.STAGES[request.param].module).Options


def test_metadata_is_what_is_known(stage):
    for field in dataclasses.fields(stage):
        assert set(field.metadata) <= METADATA, field.name
        assert field.metadata.get("path") in (None, *KINDS), field.name
        re.compile(field.metadata.get("pattern", ""))


def test_every_number_has_bounds_and_its_default_is_within(stage):
    for name, option in options_of(stage).items():
        if option.kind.type in (int, float):
            assert option.kind.bounds, name
            if isinstance(option.default, int | float):
                given = ldrt.parse(_only(option.name, stage), [f"--{name}={option.default}"], "ldrt")
                assert getattr(given, name) == option.default


def _only(name: str, stage: type) -> type:
    """A dataclass with one of the fields."""
    (field,) = (field for field in dataclasses.fields(stage) if field.name == name)
    metadata = {"help": field.metadata["help"]}
    hint = typing.get_type_hints(stage, include_extras=True)[name]
    return dataclasses.make_dataclass("One", [(name, hint, dataclasses.field(default=None, metadata=metadata))])


def test_folders_that_are_written_are_named_output(stage):
    for name, option in options_of(stage).items():
        if option.path in ("new folder", "new file"):
            assert name == "output"  # so that -o is for all
