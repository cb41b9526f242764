"""Every door that opens a checkpoint goes through the gate: the same refusal, and nothing is run."""

import json
import pickle

import pytest

from evaluation.answering.local import Checkpoint as Answerer
from evaluation.judging import likelihood
from model_cards.staging.checkpoint import checkpoint_files
from recipes import merge
from recipes.planning.setting import find_start
from recipes.training.model import read_family
from tests.trust.conftest import write_adapter, write_checkpoint, write_sharded
from trust.checkpoints import open_checkpoint
from trust.errors import RefusedError


def _generate(folder, _tmp_path):
    settings = {"device": "cpu", "dtype": "auto", "batch_size": 1, "max_new_tokens": 1}
    Answerer(str(folder), None, processor=None, chat_template_path=None, **settings)


def _generate_adapter(folder, tmp_path):
    _generate(write_adapter(tmp_path / "adapter", str(folder)), tmp_path)


def _merge_base(folder, tmp_path):
    adapter = write_adapter(tmp_path / "adapter", "anything")
    merge.run(merge.Options(str(adapter), str(tmp_path / "out"), base=str(folder)))


def _merge(folder, tmp_path):
    adapter = write_adapter(tmp_path / "adapter", str(folder))
    merge.run(merge.Options(str(adapter), str(tmp_path / "out")))


DOORS = {
    "sft": lambda folder, _: read_family(open_checkpoint(str(folder))),
    "generate": _generate,
    "generate, an adapter's base": _generate_adapter,
    "judge": lambda folder, _: likelihood.load(str(folder)),
    "merge, the adapter's base": _merge,
    "merge --base": _merge_base,
    "publish": lambda folder, _: checkpoint_files(folder),
}


class Trap:
    """A pickle that makes a file when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def trap(tmp_path):
    """Writes traps into a folder; afterwards none may have sprung."""
    sprung = tmp_path / "sprung"

    def write(folder):
        for name in ("pytorch_model.bin", "weights.bin", "adapter_model.bin", "training_args.bin"):
            (folder / name).write_bytes(pickle.dumps(Trap(sprung)))
        for name in ("modeling_llava.py", "evil.py"):
            (folder / name).write_text(f"open({str(sprung)!r}, 'w')\n")

    yield write
    assert not sprung.exists()


def test_the_trap_works(tmp_path):
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung"))).close()
    assert (tmp_path / "sprung").exists()


def only_pickles(folder):
    (write_checkpoint(folder) / "model.safetensors").unlink()


def index_of_a_pickle(folder):
    write_sharded(folder, b="weights.bin")


def link_out(folder):
    weights = write_checkpoint(folder) / "model.safetensors"
    weights.symlink_to(weights.rename(folder.parent / "outside.safetensors"))


def own_code(folder):
    config = write_checkpoint(folder) / "config.json"
    config.write_text(json.dumps({"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}}))


def kernel_of_the_hub(folder):
    write_checkpoint(folder, attn_implementation="somebody/kernel")


@pytest.mark.parametrize("spoil", [only_pickles, index_of_a_pickle, link_out, own_code, kernel_of_the_hub])
@pytest.mark.parametrize("door", DOORS)
def test_a_door_refuses(tmp_path, trap, door, spoil):
    spoil(tmp_path / "model")
    trap(tmp_path / "model")
    with pytest.raises(RefusedError) as refused:
        DOORS[door](tmp_path / "model", tmp_path)
    assert "\n" not in str(refused.value)
    assert not any(word in str(refused.value) for word in ("weights_only", "trust_remote_code=True", "use_safetensors"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("spoil", [own_code, kernel_of_the_hub])
def test_a_plan_refuses_what_it_would_read(tmp_path, trap, spoil):
    spoil(tmp_path / "model")
    trap(tmp_path / "model")
    with pytest.raises(RefusedError):
        find_start(str(tmp_path / "model"), None, tmp_path / "recipe.yaml")
