"""NaN and infinity: the first one ends a run, with the step and the rows, and nothing of it is saved."""

import json
import shutil

import pytest
import torch
from safetensors.torch import save_file

from recipes import sft
from recipes.training.checkpoints import fault_of
from recipes.training.finite import NotFiniteError, StepWatch, check_weights
from tests.recipes.conftest import ROOT, options, tensors
from tests.recipes.test_launch import launch

BLOWS_UP = {"learning_rate": 1e20, "warmup_steps": 0, "max_steps": 5, "save_strategy": "steps", "save_steps": 1}


def rows_of(said: str) -> list[str]:
    return said.partition("(rows ")[2].partition(")")[0].split(", ")


# --- a run


@pytest.mark.parametrize(
    ("phase", "changes"),
    [
        (1, {}),
        (1, {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}),
        (2, {"dtype": "bfloat16", "bf16": "true", "max_grad_norm": 0}),
        (1, {"logging_nan_inf_filter": "true", "logging_steps": 100}),
    ],
    ids=["phase 1", "accumulation", "bf16, not clipped", "as Trainer hides it"],
)
def test_the_first_nan_ends_the_run_with_its_step_and_rows(base, dataset, tmp_path, phase, changes, capsys):
    projector = {"projector_learning_rate": 1e20} if phase == 2 else {}
    with pytest.raises(NotFiniteError) as error:
        sft.main(options(phase, base, dataset, tmp_path, **BLOWS_UP | projector | changes))
    said = str(error.value)
    assert said.startswith("step 2: the loss is nan (rows ")
    assert "\n" not in said
    rows = rows_of(said)
    assert len(set(rows)) == 4
    assert all(row.endswith("/align" if phase == 1 else ("/detail", "/reasoning")) for row in rows)
    assert f"the last good checkpoint, {tmp_path / 'checkpoint-1'}, is kept" in said
    assert fault_of(tmp_path / "checkpoint-1") is None
    assert not (tmp_path / "lineage.json").exists()
    assert not list(tmp_path.glob("*.safetensors"))


def test_weights_that_the_last_step_has_broken_are_not_saved(base, dataset, tmp_path):
    """No loss follows that would tell."""
    changes = {"learning_rate": 1e39, "warmup_steps": 0, "max_steps": 1}
    with pytest.raises(NotFiniteError, match=r"which is not saved, has NaN or infinite weights \(model.multi_modal"):
        sft.main(options(1, base, dataset, tmp_path / "end", **changes))
    with pytest.raises(NotFiniteError, match=r"step 1: the model has NaN or infinite weights .*there is no checkpoint"):
        sft.main(options(1, base, dataset, tmp_path / "step", save_strategy="steps", save_steps=1, **changes))
    assert not list(tmp_path.glob("*/*.safetensors"))
    assert not list(tmp_path.glob("*/lineage.json"))
    assert not list(tmp_path.glob("*/checkpoint-*"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("multi_modal_projector.linear_2.weight", float("nan")),
        ("language_model.model.layers.3.mlp.up_proj.weight", float("inf")),
        ("vision_tower.vision_model.embeddings.class_embedding", float("-inf")),
    ],
)
def test_a_model_that_is_broken_is_not_trained(base, dataset, tmp_path, name, value):
    broken = shutil.copytree(base, tmp_path / "broken")
    weights = {key: tensor.clone() for key, tensor in tensors(base).items()}
    weights[name].view(-1)[5] = value
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    part = name.split(".")[-2]
    with pytest.raises(NotFiniteError, match=rf"broken, to start from, has NaN or infinite weights \(.*{part}"):
        sft.main(options(1, broken, dataset, tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("config", ["zero3_cpu", "ddp_cpu"])
def test_two_processes_stop_together_and_name_the_rows_of_both(base, dataset, tmp_path, config):
    changes = {"projector_learning_rate": 1e20, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
    words = options(2, base, dataset, tmp_path / "run", **BLOWS_UP | changes)
    done = launch(ROOT / "accelerate_configs" / f"{config}.yaml", tmp_path / "logs", "recipes/sft.py", *words)
    assert done.returncode == 1
    (said,) = [line.partition("sft: ")[2] for line in done.stderr.splitlines() if "the loss is nan" in line]
    assert said.startswith("step 2: ")
    assert len(set(rows_of(said))) == 8
    assert fault_of(tmp_path / "run" / "checkpoint-1") is None
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["settings"]["global_batch_size"] == 8


# --- the parts


def passes(*losses):
    watch = StepWatch()
    for number, loss in enumerate(losses):
        watch.saw(torch.tensor(loss), [f"{number}/a", f"{number}/b"])
    return watch


@pytest.mark.parametrize(
    ("losses", "norm", "may_overflow", "said"),
    [
        ([1.0, 2.0], 3.0, False, None),
        ([1.0], None, False, None),  # DeepSpeed has no norm yet
        ([0.0], 0.0, False, None),
        ([1.0], float("inf"), True, None),  # fp16 looks for its scale
        ([1.0, float("inf")], 3.0, False, "step 7: the loss is inf (rows 1/a, 1/b)"),
        ([float("nan"), 1.0], 3.0, True, "step 7: the loss is nan (rows 0/a, 0/b)"),
        ([1.0, 2.0], float("nan"), False, "step 7: the gradient norm is nan (rows 0/a, 0/b, 1/a, 1/b)"),
        ([1.0], float("inf"), False, "step 7: the gradient norm is inf (rows 0/a, 0/b)"),
    ],
)
def test_a_step_is_refused_for_its_losses_and_gradients(losses, norm, may_overflow, said):
    watch = passes(*losses)
    if said is None:
        watch.check(7, norm, may_overflow)
    else:
        with pytest.raises(NotFiniteError) as error:
            watch.check(7, norm, may_overflow)
        assert str(error.value) == said
    watch.saw(torch.tensor(1.0), ["x"])  # the passes before are forgotten
    watch.check(8, 1.0, False)


def test_many_rows_are_counted():
    watch = StepWatch()
    watch.saw(torch.tensor(float("nan")), [str(number) for number in range(20)])
    with pytest.raises(NotFiniteError, match=r"\(rows 0, 1, 2, 3, 4, 5, 6, 7 and 12 more\)"):
        watch.check(1, 1.0, False)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_of_any_precision(dtype, value):
    good = torch.nn.Parameter(torch.full((3, 4), 6e4, dtype=dtype))
    bad = torch.nn.Parameter(good.detach().clone())
    bad.data[2, 3] = value
    packed = torch.nn.Parameter(torch.ones(4, dtype=torch.uint8), requires_grad=False)  # 4 bit
    empty = torch.nn.Parameter(torch.ones(0, dtype=dtype))
    check_weights([("good", good), ("packed", packed), ("empty", empty)], "m")
    with pytest.raises(NotFiniteError, match=r"^m has NaN or infinite weights \(bad\)$"):
        check_weights([("good", good), ("bad", bad)], "m")
