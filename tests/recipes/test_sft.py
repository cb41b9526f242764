"""Both phases on tiny models: what moves, what is saved, what is said."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from peft import PeftModel, get_peft_model
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    LlavaForConditionalGeneration,
)
from trl import ModelConfig

from recipes import sft
from recipes.plan import known_shape
from tests import processes
from tests.recipes.conftest import ROOT, options, tensors

PROJECTOR = [f"multi_modal_projector.linear_{i}.{kind}" for i in (1, 2) for kind in ("bias", "weight")]
RECIPES = sorted(ROOT.glob("recipes/*/phase*.yaml"))


def moved_share(before, after):
    return (before.float() != after.float()).float().mean().item()


def run_sft(*words, **kwargs):
    command = [sys.executable, str(ROOT / "recipes" / "sft.py"), *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False, **kwargs)


# --- phase 1 ---------------------------------------------------------------------------------------------------------


def test_phase_1_moves_the_projector_and_nothing_else(base, phase1):
    before, after = tensors(base), tensors(phase1)
    assert set(before) == set(after)
    assert sorted(name for name in before if not torch.equal(before[name], after[name])) == PROJECTOR


def test_phase_1_is_a_complete_checkpoint_with_the_hubs_names(phase1):
    names = set(tensors(phase1))
    prefixes = {".".join(name.split(".")[:2]) for name in names}
    assert prefixes >= {"language_model.model", "language_model.lm_head", "vision_tower.vision_model"}
    assert {name.split(".")[0] for name in names} == {"language_model", "vision_tower", "multi_modal_projector"}
    _, report = AutoModelForImageTextToText.from_pretrained(phase1, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    processor = AutoProcessor.from_pretrained(phase1)
    assert processor.image_processor.do_pad
    assert "ASSISTANT" in processor.chat_template
    assert not (phase1 / "README.md").exists()
    assert not list(phase1.glob("*.bin"))


def test_the_freeze_audit_names_every_trainable_tensor(phase1, phase2):
    audit = json.loads((phase1 / "trainable.json").read_text())
    assert [tensor["name"] for tensor in audit["tensors"]] == [
        f"model.{name}" for name in sorted(PROJECTOR, key=_order)
    ]
    audit = json.loads((phase2 / "trainable.json").read_text())
    lora = [tensor for tensor in audit["tensors"] if "lora_" in tensor["name"]]
    assert len(lora) == 2 * 7 * 4  # A and B of seven linears in four layers
    assert len(audit["tensors"]) == len(lora) + 4
    assert {tensor["dtype"] for tensor in audit["tensors"]} == {"float32"}
    assert not any("vision_tower" in tensor["name"] for tensor in audit["tensors"])


def _order(name):
    return name.split(".")[1], name.endswith("bias")


# --- phase 2 ---------------------------------------------------------------------------------------------------------


def test_phase_2_saves_lora_and_the_projector(phase1, phase2):
    saved = tensors(phase2)
    projector = {name: tensor for name, tensor in saved.items() if "multi_modal_projector" in name}
    assert sorted(name.removeprefix("base_model.model.model.") for name in projector) == PROJECTOR
    assert all(tensor.numel() for tensor in saved.values())
    up = [tensor for name, tensor in saved.items() if "lora_B" in name]
    assert len(up) == 28
    assert all(tensor.norm() > 0 for tensor in up)
    assert all(".language_model.layers." in name for name in saved if "lora_" in name)
    before = tensors(phase1)
    for name, tensor in projector.items():
        assert moved_share(before[name.removeprefix("base_model.model.model.")], tensor) > 0.99
    assert not (phase2 / "README.md").exists()
    assert not list(phase2.glob("*.bin"))


def test_bf16_projector_weights_move_at_a_small_learning_rate(phase1, dataset, tmp_path):
    """At 2e-5 most bf16 weights would stay where they are: the change is below their precision."""
    words = options(2, phase1, dataset, tmp_path / "run", dtype="bfloat16", bf16="true", max_steps=1)
    sft.main([*words, "--projector_learning_rate", "2e-5", "--warmup_steps", "0"])
    before, after = tensors(phase1), tensors(tmp_path / "run")
    for name in PROJECTOR:
        if name.endswith("weight"):
            old = before[name].bfloat16()
            assert moved_share(old, after[f"base_model.model.model.{name}"]) > 0.99


def test_the_projector_has_its_own_learning_rate(phase1, dataset, tmp_path):
    words = options(2, phase1, dataset, tmp_path / "run", max_steps=1, projector_learning_rate=0, learning_rate=1e-2)
    sft.main([*words, "--warmup_steps", "0"])
    before, after = tensors(phase1), tensors(tmp_path / "run")
    for name in PROJECTOR:
        assert torch.equal(before[name], after[f"base_model.model.model.{name}"])
    assert all(tensor.norm() > 0 for name, tensor in after.items() if "lora_B" in name)


def test_gradient_checkpointing_gives_the_same_loss_and_leaves_the_tower_out_of_autograd(phase1, dataset, tmp_path):
    losses = []
    for checkpointing in ("false", "true"):
        output = tmp_path / checkpointing
        sft.main(options(2, phase1, dataset, output, gradient_checkpointing=checkpointing))
        losses.append(json.loads((output / "lineage.json").read_text())["phases"][-1]["train_loss"])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_the_vision_tower_gives_its_features_without_a_graph(base):
    model = sft.load_model(ModelConfig(model_name_or_path=str(base)), "projector")
    plain = AutoModelForImageTextToText.from_pretrained(base)
    model.gradient_checkpointing_enable()
    model.enable_input_require_grads()
    pixels = torch.randn(2, 3, 64, 64)
    features = model.model.vision_tower(pixels, output_hidden_states=True).hidden_states[-2]
    assert torch.equal(features, plain.model.vision_tower(pixels, output_hidden_states=True).hidden_states[-2])
    assert features.grad_fn is None


def test_llava_next_trains_too_with_fewer_grids(base_next, dataset, tmp_path):
    sft.main(options(1, base_next, dataset, tmp_path / "one", max_grid_tiles=2))
    sft.main(options(2, tmp_path / "one", dataset, tmp_path / "two"))
    before, after = tensors(base_next), tensors(tmp_path / "one")
    assert sorted(name for name in before if not torch.equal(before[name], after[name])) == PROJECTOR
    grids = [[64, 128], [128, 64]]
    assert AutoProcessor.from_pretrained(tmp_path / "two").image_processor.image_grid_pinpoints == grids
    assert json.loads((tmp_path / "one" / "config.json").read_text())["image_grid_pinpoints"] == grids


def test_lora_adapts_the_280_linears_of_a_13b_language_model():
    """LLaVA-1.5-13B at its true shape, without memory; also the tower's q_proj, k_proj and v_proj stay as they are."""
    with torch.device("meta"):
        model = LlavaForConditionalGeneration(known_shape("llava-hf/llava-1.5-13b-hf"))
        adapted = get_peft_model(model, sft.lora_config(ModelConfig(lora_r=128, lora_alpha=256)))
    names = [name for name, module in adapted.named_modules() if hasattr(module, "lora_A")]
    assert len(names) == 280
    assert not any("vision_tower" in name for name in names)
    audit = sft.audit_trainable(adapted, "lora")
    assert audit["parameters"] == 500_695_040 + 31_467_520  # LoRA r=128, projector


# --- best checkpoint, 4 bits, trackers --------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [1, 2])
def test_the_best_checkpoint_is_what_is_saved(phase, base, phase1, dataset, tmp_path):
    """Worst would be the word: the loss falls, so the largest one is that of the first checkpoint, not of the last."""
    steps = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2, "eval_strategy": "steps", "eval_steps": 2}
    best = {"load_best_model_at_end": "true", "metric_for_best_model": "eval_loss", "greater_is_better": "true"}
    sft.main(options(phase, base if phase == 1 else phase1, dataset, tmp_path, **steps, **best))
    assert json.loads((tmp_path / "lineage.json").read_text())["phases"][-1]["best_step"] == 2
    saved, kept, last = (tensors(folder) for folder in (tmp_path, tmp_path / "checkpoint-2", tmp_path / "checkpoint-4"))
    assert set(saved) == set(kept)
    assert (tmp_path / "checkpoint-2" / sft.COMPLETE).exists()
    assert all(torch.equal(saved[name], kept[name]) for name in kept)
    moved = [name for name in last if not torch.equal(last[name], kept[name])]
    assert sum("multi_modal_projector" in name for name in moved) == 4


def test_a_checkpoint_without_the_projector_is_refused(base, tmp_path):
    model = sft.load_model(ModelConfig(model_name_or_path=str(base)), "projector")
    with pytest.raises(RuntimeError, match="linear_1.weight"):
        sft.load_projector(model, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"load_in_4bit": "true"}, "load_in_4bit is for `trainable: lora`"),
        ({"report_to": "wandb"}, "report_to: wandb is not installed: pip install 'ldrt-vlm[trackers]'"),
        ({"report_to": "mlflow"}, "report_to mlflow: use none or some of tensorboard, trackio, wandb"),
        ({"save_total_limit": 1}, "save_total_limit 1 deletes the last checkpoint"),
    ],
)
def test_what_cannot_work_is_refused_before_the_model_is_loaded(changes, message, base, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(sft, "is_installed", lambda name: False)
    with pytest.raises(sft.UsageError) as error:
        sft.parse(options(1, base, dataset, tmp_path, **changes))
    assert message in str(error.value)


def test_four_bits_without_bitsandbytes_say_what_to_install(base, monkeypatch):
    monkeypatch.setattr(sft, "is_bitsandbytes_available", lambda: False)
    with pytest.raises(RuntimeError, match=r"load_in_4bit needs bitsandbytes: pip install 'ldrt-vlm\[gpu\]'"):
        sft.load_model(ModelConfig(model_name_or_path=str(base), load_in_4bit=True), "lora")


def test_four_bits_are_for_the_language_model_alone(phase1, dataset, tmp_path):
    bitsandbytes = pytest.importorskip("bitsandbytes")
    args = ModelConfig(model_name_or_path=str(phase1), load_in_4bit=True)
    model = sft.load_model(args, "lora")
    packed = [name for name, module in model.named_modules() if isinstance(module, bitsandbytes.nn.Linear4bit)]
    assert len(packed) == 28
    assert all(".language_model.layers." in name for name in packed)
    sft.main(options(2, phase1, dataset, tmp_path, load_in_4bit="true"))
    before, after = tensors(phase1), tensors(tmp_path)
    assert sum("lora_B" in name and tensor.norm() > 0 for name, tensor in after.items()) == 28
    for name in PROJECTOR:
        assert moved_share(before[name], after[f"base_model.model.model.{name}"]) > 0.99
    audits = [json.loads((folder / "trainable.json").read_text()) for folder in (tmp_path, phase1)]
    assert audits[0]["of"] - audits[0]["parameters"] == audits[1]["of"]  # counted unpacked, projector once more


def test_tensorboard_gets_the_losses(base, dataset, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    sft.main(options(1, base, dataset, tmp_path, report_to="tensorboard"))
    (folder,) = (tmp_path / "runs").iterdir()
    events = EventAccumulator(str(folder)).Reload()
    mean = json.loads((tmp_path / "lineage.json").read_text())["phases"][-1]["train_loss"]
    logged = events.Scalars("train/loss")
    assert [event.step for event in logged] == [1, 2]
    assert sum(event.value for event in logged) / 2 == pytest.approx(mean, abs=1e-5)


# --- lineage ---------------------------------------------------------------------------------------------------------


def test_lineage_carries_both_phases(base, phase1, phase2, dataset):
    first, second = (json.loads((folder / "lineage.json").read_text()) for folder in (phase1, phase2))
    assert first["base_model"] == second["base_model"] == base.name
    assert first["base_revision"] is None
    assert [phase["trainable"] for phase in second["phases"]] == ["projector", "lora"]
    assert second["phases"][0] == first["phases"][0]
    last = second["phases"][1]
    assert (last["dataset"], last["dataset_config"], last["steps"]) == (dataset.name, "instruct", 2)
    assert last["settings"]["global_batch_size"] == 4
    assert last["settings"]["lora_r"] == 32
    assert last["train_loss"] > 0
    assert last["rows"]["kept"] == 64
    assert str(dataset.parent) not in json.dumps(second)


def test_the_adapter_names_the_released_checkpoint_where_there_is_one():
    adapter = sft.lora_config(ModelConfig())
    adapter.base_model_name_or_path = "runs/phase1"
    phases = [{"trainable": "projector"}, {"trainable": "lora"}]
    sft.point_at_base(adapter, {"base_model": "tiny-llava", "base_revision": None, "phases": phases})
    assert adapter.base_model_name_or_path == "runs/phase1"
    sft.point_at_base(adapter, {"base_model": "llava-hf/llava-1.5-13b-hf", "base_revision": "abc", "phases": phases})
    assert (adapter.base_model_name_or_path, adapter.revision) == ("llava-hf/llava-1.5-13b-hf", "abc")


def test_the_adapter_gives_the_same_model_on_the_base_as_on_phase_1(base, phase1, phase2):
    """Why `point_at_base` may do so: the adapter brings the whole projector."""
    logits = []
    for folder in (base, phase1):
        model = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(folder), phase2).eval()
        ids = torch.tensor([[1, *[model.config.image_token_index] * 16, 300, 301]])
        with torch.no_grad():
            logits.append(model(input_ids=ids, pixel_values=torch.ones(1, 3, 64, 64)).logits)
    assert torch.equal(*logits)


# --- usage and continuation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_recipe_parses(path):
    recipe, args, model_args = sft.parse(["--config", str(path), "--use_cpu", "true"])
    assert recipe.trainable == ("projector" if path.stem == "phase1" else "lora")
    assert sft.find_file(args.chat_template_path).name == "vicuna_v1.jinja"
    if path.stem == "phase1":
        assert sft.find_file(recipe.train_template_path).name == "plain.jinja"
        assert recipe.dataset_config == "align"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lerning_rate", "1"], "no key 'lerning_rate', did you mean learning_rate?"),
        (["--warmup_ratio", "0.03"], "warmup_ratio is not for this script: use warmup_steps"),
        (["--trust_remote_code", "true"], "trust_remote_code is not for this script"),
        (["--learning_rate", "fast"], "invalid float value: 'fast'"),
        (["--trainable", "everything"], "invalid choice: 'everything'"),
        (["--dtype", "bfloat16"], "dtype bfloat16 with bf16 False"),
        (["--output_dir"], "output_dir"),
    ],
)
def test_wrong_usage_is_one_line_and_names_the_nearest_key(base, dataset, tmp_path, words, message):
    with pytest.raises(sft.UsageError) as error:
        sft.parse([*options(1, base, dataset, tmp_path), *words])
    assert message in str(error.value)


def test_zero_without_deepspeed_is_one_line(base, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.setattr(sft, "is_installed", lambda package: package != "deepspeed")
    with pytest.raises(sft.UsageError, match=r"^ZeRO needs DeepSpeed, which is not installed \(Linux only\)"):
        sft.parse(options(1, base, dataset, tmp_path))


def test_an_unknown_key_in_the_yaml_fails(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("trainable: lora\nlora_rank: 8\n")
    with pytest.raises(sft.UsageError, match="no key 'lora_rank', did you mean l"):
        sft.parse(["--config", str(path)])
    with pytest.raises(sft.UsageError, match="cannot read the recipe"):
        sft.parse(["--config", str(tmp_path / "absent.yaml")])


def test_a_finished_run_is_left_alone_and_another_is_not_mixed_in(base, phase1, dataset, capsys):
    before = {path: path.stat().st_mtime_ns for path in phase1.iterdir()}
    assert sft.main(options(1, base, dataset, phase1)) == 0
    assert "finished run already" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"holds another run \(learning_rate 0.00\d+ there, 1.0 here\)"):
        sft.main(options(1, base, dataset, phase1, learning_rate=1))
    assert before == {path: path.stat().st_mtime_ns for path in phase1.iterdir()}


def test_an_adapter_is_no_starting_point(phase2, dataset, tmp_path):
    with pytest.raises(ValueError, match="is an adapter: run `ldrt merge`"):
        sft.main(options(2, phase2, dataset, tmp_path / "run"))


def test_flash_attention_falls_back_to_sdpa_with_one_line(base, monkeypatch):
    monkeypatch.setattr(sft, "is_flash_attn_2_available", lambda: False)
    said = []
    args = ModelConfig(model_name_or_path=str(base), attn_implementation="flash_attention_2")
    model = sft.load_model(args, "projector", said.append)
    assert model.config._attn_implementation == "sdpa"
    assert len(said) == 1
    assert "SDPA" in said[0]


def test_only_checkpoints_written_to_their_end_are_continued_from(tmp_path):
    assert sft.last_complete_checkpoint(tmp_path) is None
    for step, complete in ((9, True), (10, True), (11, False)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if complete:
            (tmp_path / f"checkpoint-{step}" / sft.COMPLETE).touch()
    assert sft.last_complete_checkpoint(tmp_path) == str(tmp_path / "checkpoint-10")


def test_a_killed_run_continues_to_the_same_weights(phase1, dataset, tmp_path):
    changes = {"max_steps": 30, "save_strategy": "steps", "save_steps": 5}
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    words = options(2, phase1, dataset, killed, **changes)
    command = [sys.executable, str(ROOT / "recipes" / "sft.py"), *words]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=ROOT, stderr=subprocess.DEVNULL)
    processes.wait(process, until=lambda: sft.last_complete_checkpoint(killed) is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert sft.last_complete_checkpoint(killed) is not None
    assert not (killed / "lineage.json").exists()
    sft.main(words)
    sft.main(options(2, phase1, dataset, whole, **changes))
    resumed, uninterrupted = (json.loads((folder / "lineage.json").read_text()) for folder in (killed, whole))
    assert resumed["phases"][-1]["train_loss"] == pytest.approx(uninterrupted["phases"][-1]["train_loss"], abs=1e-4)
    expected = tensors(whole)
    for name, tensor in tensors(killed).items():
        assert torch.allclose(tensor, expected[name], atol=1e-5), name


def test_errors_are_one_line_with_the_right_status(base, dataset, tmp_path):
    words = options(1, base, tmp_path / "no-such-dataset", tmp_path / "run")
    failed = run_sft(*words)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert failed.stderr.strip().splitlines()[-1].startswith("sft: ")
    assert "no-such-dataset" in failed.stderr
