"""Launch configs: every shipped one is read, another file is refused."""

import pytest

from recipes.planning.launches import read_launch
from recipes.project_files import launch_configs
from tests.recipes.conftest import ROOT


def test_every_launch_config_is_read():
    assert {read_launch(path).kind for path in launch_configs()} == {"single", "ddp", "zero", "fsdp"}


def test_a_file_that_is_no_launch_config_is_refused():
    with pytest.raises(ValueError, match="no distributed_type"):
        read_launch(ROOT / "recipes/tiny-llava/phase1.yaml")
