"""`ldrt plan`: the numbers against a published table and against what a run really holds; the command itself."""

import json

import pytest
import torch

import ldrt
from recipes import plan
from recipes.planning import costs, dry_run
from tests.recipes.conftest import ROOT

V15, V16 = "llava-hf/llava-1.5-13b-hf", "llava-hf/llava-v1.6-vicuna-13b-hf"


def command(phase: int, model, dataset, *words) -> list[str]:
    recipe = ROOT / "recipes" / "tiny-llava" / f"phase{phase}.yaml"
    changes = ["--model_name_or_path", str(model), "--dataset_name", str(dataset)]
    return [
        "plan",
        "--config",
        str(recipe),
        "--accelerate",
        str(ROOT / "accelerate_configs/cpu.yaml"),
        *changes,
        *words,
    ]


def test_plan_of_a_dataset(base, dataset, tmp_path, capsys):
    output = tmp_path / "plan.json"
    assert ldrt.main(command(1, base, dataset, "--output", str(output))) == 0
    result = json.loads(output.read_text())
    assert result["rows"] == result["rows_scanned"] == 32
    assert sum(bin_["rows"] for bin_ in result["histogram"]) == 32
    assert result["parameters"]["projector_trained"] == 96 * 128 + 128 + 128 * 128 + 128
    assert result["asked"]["memory_gib"]["CUDA context"] == 0
    printed = capsys.readouterr().out
    assert "cpu.yaml" in printed
    assert "recommended: cpu.yaml" in printed


def test_long_rows_are_warned_about(base, dataset, capsys):
    assert ldrt.main(command(2, base, dataset, "--max_length", "120")) == 0
    assert "rows are dropped: longer than max_length 120 tokens" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message", "status"),
    [
        (["--max_lenght", "5"], "did you mean max_length", 2),  # an option of the recipe
        (["--gpu", "H2000", "--accelerate", str(ROOT / "accelerate_configs/ddp.yaml")], "no GPU 'H2000'", 1),
        (["--tokens", "800"], "--tokens needs --rows", 1),
    ],
)
def test_wrong_options_are_named(base, dataset, capsys, words, message, status):
    assert ldrt.main(command(1, base, dataset, *words)) == status
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("phase", [1, 2])
def test_check_measures_what_was_expected(request, base, dataset, phase, tmp_path, capsys):
    model = base if phase == 1 else request.getfixturevalue("phase1")
    output = tmp_path / "plan.json"
    words = ["--check", "true", "--output", str(output), "--per_device_train_batch_size", "4"]
    assert ldrt.main(command(phase, model, dataset, *words)) == 0
    check = json.loads(output.read_text())["check"]
    assert check["widths"] == "true"
    assert len(check["losses"]) == 2
    expected, measured = check["memory_bytes"]["expected"], check["memory_bytes"]["measured"]
    for part in ("frozen weights", "trained weights", "optimizer"):
        assert measured[part] == expected[part]
    peak = "gradients, optimizer and activations, peak"
    assert measured[peak] == pytest.approx(expected[peak], rel=0.15)
    trained = [stretch["text"] for stretch in check["label_mask"] if stretch["trained"]]
    assert len(trained) == 1
    assert trained[0].rstrip().endswith("</s>" if phase == 2 else ".")
    assert "TRAINED" in capsys.readouterr().out


def test_check_of_a_large_model_takes_tiny_widths(base_next, dataset, monkeypatch, tmp_path):
    """LLaVA-NeXT, LoRA, checkpointing: as for a 13B on a CPU, where the true widths are out of reach."""
    monkeypatch.setattr(dry_run, "CPU_PARAMETERS", 0)
    monkeypatch.setattr(dry_run, "TINY", {"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4})
    words = ["--check", "true", "--output", str(tmp_path / "plan.json"), "--gradient_checkpointing", "true"]
    assert ldrt.main(command(2, base_next, dataset, *words)) == 0
    result = json.loads((tmp_path / "plan.json").read_text())
    check = result["check"]
    assert check["widths"] == "tiny"
    assert check["batch"]["input_ids"][1] == result["tokens"]["100"]
    assert sum(stretch["tokens"] for stretch in check["label_mask"]) == result["tokens"]["100"]
    shapes = {tuple(tensor["shape"]) for tensor in check["trainable"]["tensors"] if "lora_A" in tensor["name"]}
    assert shapes == {(8, 64), (8, 96)}


def test_activations_on_fake_tensors_are_those_of_real_ones(base):
    """The same pass on memory has the same peak; without dropout, whose mask is smaller on a GPU."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base)
    for checkpointing in (False, True):
        model = costs.build_on_meta(config, "lora", lora(8, dropout=0))
        fake = costs._peak(model, 2, 50, checkpointing, torch.float32, torch.float32, False)
        real = costs.build_on_meta(config, "lora", lora(8, dropout=0)).to_empty(device="cpu").float()
        language_model = real.get_base_model().model.language_model
        if checkpointing:
            language_model.activation_checkpointing_enable({"use_reentrant": False})
        for parameter in language_model.parameters():
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(costs._drop_gradient)
        with costs.LiveBytes() as live:
            live.ignore([*language_model.parameters(), *language_model.buffers()])
            hidden = torch.empty(2, 50, 128, requires_grad=True)
            language_model(inputs_embeds=hidden, use_cache=False).last_hidden_state.sum().backward()
        assert live.peak == pytest.approx(fake, rel=0.05)  # the fake pass makes the mask of a padded batch


# TFLOP a row of 576 image and 300 text tokens (v1.6: 2,880 and 300), reckoned by hand for the project
@pytest.mark.parametrize(
    ("model", "trainable", "checkpointing", "tokens", "expected"),
    [
        (V15, "projector", False, 876, 46.1),
        (V15, "projector", True, 876, 68.6),
        (V15, "lora", False, 876, 48.7),
        (V15, "lora", True, 876, 72.1),
        (V16, "lora", True, 3180, 274),
    ],
)
def test_flops_agree_with_the_table(model, trainable, checkpointing, tokens, expected):
    config = plan.known_shape(model)
    counts = costs.count_parameters(costs.build_on_meta(config, trainable, lora() if trainable == "lora" else None))
    assert float(costs.tflop_per_row(config, counts, tokens, checkpointing)) == pytest.approx(expected, rel=0.02)


def test_flops_agree_with_pytorch_counting(base):
    """The language model of the tiny model, forward and backward, counted by PyTorch: all but attention."""
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import AutoConfig

    model = costs.build_on_meta(AutoConfig.from_pretrained(base), "lora", lora(8)).to_empty(device="cpu").float()
    hidden = torch.randn(1, 50, 128, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        language_model = model.get_base_model().model.language_model
        language_model(inputs_embeds=hidden, use_cache=False).last_hidden_state.sum().backward()
    counted = sum(n for op, n in counter.get_flop_counts()["Global"].items() if "attention" not in str(op))
    counts = costs.count_parameters(model)
    assert counted == pytest.approx((2 * 2 * counts["layers"] + 3 * 2 * counts["lora"]) * 50, rel=0.01)


def lora(rank: int = 128, dropout: float = 0.05):
    from recipes import sft

    return sft.lora_config(sft.ModelConfig(lora_r=rank, lora_alpha=2 * rank, lora_dropout=dropout))


def test_parameters_of_13b_by_part():
    counts = costs.count_parameters(costs.build_on_meta(plan.known_shape(V15), "lora", lora()))
    assert counts["layers"] == 40 * (4 * 5120**2 + 3 * 5120 * 13824 + 2 * 5120) + 5120
    assert counts["lora"] == 128 * 40 * (4 * 2 * 5120 + 3 * (5120 + 13824))
    assert counts["projector"] == counts["projector_trained"] == 1024 * 5120 + 5120 + 5120**2 + 5120


@pytest.mark.parametrize(
    ("trainable", "checkpointing", "low", "high"),
    [("projector", False, 5.5, 6.8), ("projector", True, 0.36, 0.9), ("lora", False, 8.3, 12.8)],
)
def test_activations_of_13b(trainable, checkpointing, low, high):
    """Gigabytes a row as reckoned by hand beforehand, see `low` and `high`."""
    used = costs.activation_bytes(
        plan.known_shape(V15),
        trainable,
        lora() if trainable == "lora" else None,
        batch=1,
        tokens=876,
        image_tokens=576,
        checkpointing=checkpointing,
        weights=torch.bfloat16,
        trained=torch.float32,
        autocast=True,
        on_cpu=False,
    )
    assert low <= used / 1e9 <= high


COUNTS = {"vision_tower": 0, "projector": 0, "embeddings": 0, "layers": 1000, "lm_head": 0, "lora": 60}
COUNTS["projector_trained"] = 40


@pytest.mark.parametrize(
    ("launch", "expected"),
    [
        (costs.Launch("single", "single", 1), {"frozen weights": 2000, "gradients": 400, "optimizer": 800}),
        (costs.Launch("ddp", "ddp", 4), {"trained weights": 400, "buffers": 400}),
        # DeepSpeed: trained weights and gradients in bf16, and fp32 copies with the two moments
        (costs.Launch("2", "zero", 4, stage=2), {"trained weights": 200, "gradients": 50, "optimizer": 300}),
        (costs.Launch("3", "zero", 4, stage=3), {"frozen weights": 500, "trained weights": 50, "optimizer": 300}),
        (costs.Launch("f", "fsdp", 4), {"frozen weights": 500, "trained weights": 100, "optimizer": 200}),
        (
            costs.Launch("o", "zero", 1, stage=3, offload_optimizer=True, offload_parameters=True),
            {"frozen weights": 0, "optimizer": 0},
        ),
    ],
)
def test_bytes_that_each_gpu_keeps(launch, expected):
    kept = costs.state_bytes(COUNTS, costs.Precision(torch.bfloat16, True), launch, n_layers=2)
    assert {part: kept[part] for part in expected} == expected


def test_four_bit_layers_and_eight_bit_optimizer():
    kept = costs.state_bytes(
        COUNTS, costs.Precision(torch.bfloat16, True, costs.NF4, 2), costs.Launch("single", "single", 1), 2
    )
    assert kept["frozen weights"] == 562
    assert kept["optimizer"] == 200


def test_zero3_sends_the_weights_three_times_under_checkpointing():
    precision, zero3 = costs.Precision(torch.bfloat16, True), costs.Launch("3", "zero", 4, stage=3)
    gradients = 2 * 0.75 * 100 * 2
    assert costs.transfer_bytes(COUNTS, precision, zero3, True)["micro"] == 3 * 0.75 * 2000 + gradients
    assert costs.transfer_bytes(COUNTS, precision, zero3, False)["micro"] == 2 * 0.75 * 2000 + gradients
    assert costs.transfer_bytes(COUNTS, precision, costs.Launch("d", "ddp", 4), True)["micro"] == 0


def test_grouping_by_length_pads_less():
    import numpy as np

    lengths = np.array([100, 1000] * 50)
    mixed = costs.padded_lengths(lengths, 100, 5, 2, by_length=False)
    grouped = costs.padded_lengths(lengths, 100, 5, 2, by_length=True)
    assert mixed.shape == grouped.shape == (10, 2)
    assert grouped.sum() == 100 * 10 + 1000 * 10 < mixed.sum()


def test_the_study_of_the_paper_is_advised_zero2(tmp_path, monkeypatch, capsys):
    """13B on four 48 GB cards: the model fits each, so nothing needs ZeRO-3; hours as reckoned beforehand."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    words = ["plan", "--config", str(ROOT / "recipes/llava-v1.5-13b/phase2.yaml"), "--rows", "50882", "--tokens", "876"]
    words += ["--accelerate", str(ROOT / "accelerate_configs/zero3.yaml"), "--output", str(tmp_path / "plan.json")]
    assert ldrt.main(words) == 0
    result = json.loads((tmp_path / "plan.json").read_text())
    assert "known shape" in result["shape_from"]
    assert result["recommended"]["launch"] == "zero2.yaml"
    assert result["recommended"]["gradient_checkpointing"]
    assert result["recommended"]["hours_low"] == pytest.approx(3.4, rel=0.02)
    assert result["asked"]["hours_high"] > 1.5 * result["recommended"]["hours_high"]


def test_every_launch_config_is_read():
    paths = sorted((ROOT / "accelerate_configs").glob("*.yaml"))
    assert {costs.read_launch(path).kind for path in paths} == {"single", "ddp", "zero", "fsdp"}


def test_a_file_that_is_no_launch_config_is_refused():
    with pytest.raises(ValueError, match="no distributed_type"):
        costs.read_launch(ROOT / "recipes/tiny-llava/phase1.yaml")
