"""Folders that look like checkpoints, of tensors of a few numbers; and the test Hub's fixtures."""

import json
from pathlib import Path

import numpy
import pytest
from safetensors.numpy import save_file

from tests.hub_server.fixtures import hub, hub_process, ldrt_client, run_client  # noqa: F401 - fixtures

CONFIG = {"model_type": "llava", "text_config": {"model_type": "llama"}}


def write_checkpoint(folder: Path, **config) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    save_file({"a": numpy.ones(2), "b": numpy.ones(3)}, folder / "model.safetensors")
    return folder


def write_sharded(folder: Path, **weight_map) -> Path:
    """A checkpoint of two files and their index, with changes to it."""
    write_checkpoint(folder)
    (folder / "model.safetensors").unlink()
    for tensor, name in (("a", "model-1-of-2.safetensors"), ("b", "model-2-of-2.safetensors")):
        save_file({tensor: numpy.ones(2)}, folder / name)
        weight_map.setdefault(tensor, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return folder


def write_adapter(folder: Path, base: object, **config) -> Path:
    folder.mkdir(parents=True)
    config = {"peft_type": "LORA", "base_model_name_or_path": base, "revision": None} | config
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file({"a": numpy.ones(2)}, folder / "adapter_model.safetensors")
    return folder


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    return write_checkpoint(tmp_path / "model")
