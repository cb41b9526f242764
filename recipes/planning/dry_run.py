"""Two steps of a recipe on a model cut to two layers a tower, on the longest rows: `ldrt plan … --check true`.

The model, processor, trainer and freeze audit are those of recipes/sft.py. Widths are the true ones on a GPU and where
a CPU can take them, else tiny; vocabulary, pictures and rows stay the true ones, so tokens and labels are too.
"""

import contextlib
import copy
import sys
import tempfile
from pathlib import Path

from dataset_builder.files.jsonfiles import write_json

LAYERS = 2
CPU_PARAMETERS = 50e6  # more than these take minutes for two steps on a CPU
TINY = {"hidden_size": 128, "intermediate_size": 384, "num_attention_heads": 4}
TINY_LORA_RANK = 8
SHOWN_CHARACTERS = 300  # of a stretch of the label mask


def dry_run(setting, dataset) -> dict:
    """{"widths", "batch", "label_mask", "trainable", "losses", "memory_bytes"}. `dataset` has a column `length`.

    `memory_bytes` holds what the plan expects for this cut model on one device, and what was measured.
    """
    import torch

    from recipes import sft
    from recipes.plan import load_processor, read_template
    from recipes.planning import costs

    template = read_template(setting)
    processor = load_processor(setting)
    config, widths = cut(setting)
    batch = setting.args.per_device_train_batch_size
    lengths = list(dataset["length"])
    order = sorted(range(len(dataset)), key=lambda index: -lengths[index])
    longest = dataset.select((order * (2 * batch))[: 2 * batch])
    with tempfile.TemporaryDirectory() as folder:
        recipe, args, model_args = _save_model(setting, config, processor, Path(folder), widths)
        model = sft.load_model(model_args, recipe.trainable)
        processor = sft.load_processor(model_args, args.chat_template_path, model, recipe.max_grid_tiles)
        trainer = sft.build_trainer(model, processor, template, longest, recipe, args, model_args)
        audit = sft.audit_trainable(trainer.model, recipe.trainable)
        batch_rows = [longest[index] for index in range(batch)]
        shapes = {name: list(tensor.shape) for name, tensor in trainer.data_collator(batch_rows).items()}
        mask = label_mask(trainer.data_collator([longest[0]]), processor.tokenizer)
        with costs.LiveBytes() as live, contextlib.redirect_stdout(sys.stderr):  # the trainer prints its log
            trainer.train()
        measured = measure(trainer, live)
        write_json(Path(folder) / "trainable.json", audit)
    expected = expect(setting, config, model_args, recipe, batch, longest["length"][0])
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    return {
        "widths": widths,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "batch": shapes,
        "label_mask": mask,
        "trainable": audit,
        "losses": losses,
        "memory_bytes": {"expected": expected, "measured": measured},
    }


def cut(setting) -> tuple[object, str]:
    """(configuration of two layers a tower, "true" or "tiny")."""
    import torch

    from recipes.planning import costs

    config = copy.deepcopy(setting.config)
    config.text_config.num_hidden_layers = config.vision_config.num_hidden_layers = LAYERS
    # LLaVA reads the last layer but one
    counts = costs.count_parameters(costs.build_on_meta(config, "projector", None))
    if torch.cuda.is_available() or sum(counts.values()) <= CPU_PARAMETERS:
        return config, "true"
    for part in (config.text_config, config.vision_config):
        for key, value in TINY.items():
            setattr(part, key, value)
    config.text_config.num_key_value_heads = TINY["num_attention_heads"]
    config.text_config.head_dim = TINY["hidden_size"] // TINY["num_attention_heads"]
    return config, "tiny"


def _save_model(setting, config, processor, folder: Path, widths: str):
    """Random weights of the cut shape in `folder`, and the recipe's options that train it for two steps."""
    import torch
    from transformers import AutoModelForImageTextToText

    from recipes import sft

    torch.manual_seed(setting.args.seed)
    model = AutoModelForImageTextToText.from_config(config, dtype=setting.precision.weights)
    model.save_pretrained(folder / "model")
    processor.save_pretrained(folder / "model")
    changes = {
        "model_name_or_path": folder / "model",
        "output_dir": folder / "run",
        "max_steps": 2,
        "gradient_accumulation_steps": 1,
        "save_strategy": "no",
        "eval_strategy": "no",
        "report_to": "none",
        "logging_steps": 1,
        "dataloader_num_workers": 0,
        "disable_tqdm": "true",
    }
    if widths == "tiny" and setting.recipe.trainable == "lora":
        changes |= {"lora_r": TINY_LORA_RANK, "lora_alpha": 2 * TINY_LORA_RANK}
    return sft.parse(setting.argv + [word for key, value in changes.items() for word in (f"--{key}", str(value))])


def label_mask(batch: dict, tokenizer) -> list[dict]:
    """Stretches of one row's tokens: {"trained", "tokens", "text"}, image tokens counted and not written out."""
    ids, trained = batch["input_ids"][0].tolist(), (batch["labels"][0] != -100).tolist()
    stretches = []
    image = tokenizer.convert_tokens_to_ids("<image>")
    for token, on in zip(ids, trained, strict=True):
        kind = (on, token == image)
        if not stretches or stretches[-1][0] != kind:
            stretches.append((kind, []))
        stretches[-1][1].append(token)
    return [
        {
            "trained": on,
            "tokens": len(tokens),
            "text": f"{len(tokens)} × <image>" if is_image else tokenizer.decode(tokens),
        }
        for (on, is_image), tokens in stretches
    ]


def measure(trainer, live) -> dict[str, int]:
    """Bytes of the tensors that training holds, summed; and the peak of what two steps made beside the weights."""
    import torch

    parameters = list(trainer.model.parameters())
    optimizer = trainer.optimizer.optimizer if hasattr(trainer.optimizer, "optimizer") else trainer.optimizer
    moments = [value for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value)]
    measured = {
        "frozen weights": sum(p.nbytes for p in parameters if not p.requires_grad),
        "trained weights": sum(p.nbytes for p in parameters if p.requires_grad),
        "optimizer": sum(moment.nbytes for moment in moments if moment.dim()),
        "gradients, optimizer and activations, peak": live.peak,
    }
    if torch.cuda.is_available():
        weights = measured["frozen weights"] + measured["trained weights"]
        measured["gradients, optimizer and activations, peak"] = torch.cuda.max_memory_allocated() - weights
    return measured


def expect(setting, config, model_args, recipe, batch: int, tokens: int) -> dict[str, int]:
    """The plan's numbers for the cut model on one device, under the names of `measure`."""
    import torch

    from recipes import sft
    from recipes.planning import costs

    adapter = sft.lora_config(model_args) if recipe.trainable == "lora" else None
    counts = costs.count_parameters(costs.build_on_meta(config, recipe.trainable, adapter))
    launch = costs.Launch("check", "single", 1)
    state = costs.state_bytes(counts, setting.precision, launch, LAYERS)
    patches = (config.vision_config.image_size // config.vision_config.patch_size) ** 2
    activations = costs.activation_bytes(
        config,
        recipe.trainable,
        adapter,
        batch=batch,
        tokens=tokens,
        image_tokens=min(tokens, costs.tiles(config) * patches),
        checkpointing=setting.args.gradient_checkpointing,
        weights=setting.precision.weights,
        trained=setting.precision.trained(launch),
        autocast=setting.precision.autocast,
        on_cpu=not torch.cuda.is_available(),
    )
    return {
        "frozen weights": state["frozen weights"],
        "trained weights": state["trained weights"],
        "optimizer": state["optimizer"],
        "gradients, optimizer and activations, peak": state["gradients"] + state["optimizer"] + activations,
    }


def describe_check(check: dict) -> list[str]:
    """The check as lines: batch, label mask, trained parameters, losses, memory expected and measured."""
    from recipes.sft import describe_audit

    shapes = ", ".join(f"{name} {tuple(shape)}" for name, shape in check["batch"].items())
    lines = [
        f"check: two steps on {check['device']}, {LAYERS} layers a tower, {check['widths']} widths",
        f"longest batch: {shapes}",
        describe_audit(check["trainable"]).removeprefix("sft: "),
        f"losses: {', '.join(f'{loss:.4g}' for loss in check['losses'])}",
        "labels of the longest row:",
    ]
    for stretch in check["label_mask"]:
        text = " ".join(stretch["text"].split())
        text = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
        lines.append(f"  {'TRAINED' if stretch['trained'] else '   -   '} {stretch['tokens']:>5} tokens  {text}")
    lines.append("memory of the cut model in MiB, expected / measured:")
    expected, measured = check["memory_bytes"]["expected"], check["memory_bytes"]["measured"]
    lines += [f"  {name:<44} {expected[name] / 2**20:9.2f} / {measured[name] / 2**20:9.2f}" for name in expected]
    return lines
