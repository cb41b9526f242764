"""Make a tiny model of any family (`recipes/families/`) on the spot, from the text of a dataset's training articles.

    python recipes/tiny-llava/make_model.py --dataset runs/dataset --output runs/base

The tokenizer and the language model are trained here, on captions and contexts of the training split alone: the base
model speaks the corpus' English, and has never seen a picture, a question or a held-out article. The vision tower is
random and stays frozen, the projector is random until phase 1. It proves the chain, not medicine. The same dataset,
seed, steps and versions give the same weights on the same machine.
"""

import argparse
import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from datasets import load_dataset
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForImageTextToText,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    get_cosine_schedule_with_warmup,
)

from dataset_builder.files.quiet import be_quiet
from recipes.families.family import Family
from recipes.families.find import FAMILIES, find_family
from trust.dataset_files import check_dataset

SEQUENCE_TOKENS, BATCH, LEARNING_RATE = 96, 32, 3e-3  # of the language model's pre-training


def main(argv: list[str] | None = None) -> None:
    options = _options(argv)
    torch.manual_seed(options.seed)
    texts, made = training_texts(options.dataset), Path(options.output) / "made_of.json"
    recipe = {"family": options.family, "steps": options.steps, "seed": options.seed, "texts_sha256": digest(texts)}
    if made.is_file() and json.loads(made.read_text(encoding="utf-8")) == recipe:
        print(f"{options.output} holds this tiny {options.family} already")
        return
    family = find_family(options.family, options.output)
    tokenizer = family.tiny.make_tokenizer(texts)
    model = assemble(family, tokenizer)
    pretrain(model, texts, tokenizer, options.steps, options.seed)
    save(model, family, tokenizer, Path(options.output))
    made.write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")  # last: from here on it is complete
    print(f"tiny {options.family}: {model.num_parameters():,} parameters, saved in {options.output}")


def digest(texts: list[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dataset", required=True, help="dataset repo folder or Hub id with the config `pairs`")
    parser.add_argument("--output", required=True, help="folder for the checkpoint")
    parser.add_argument("--family", choices=[family.model_type for family in FAMILIES], default="llava")
    parser.add_argument("--steps", type=int, default=150, help="steps of the language model's pre-training")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


# --- text ------------------------------------------------------------------------------------------------------------


def training_texts(dataset: str) -> list[str]:
    """One text a figure of the training split: its caption and the sentences that mention it."""
    revision = check_dataset(dataset)
    rows = load_dataset(dataset, "pairs", split="train", revision=revision).select_columns(["caption", "context"])
    texts = [" ".join([row["caption"] or "", *row["context"]]).strip() for row in rows]
    return [text for text in texts if text]


def pretrain(
    model: PreTrainedModel, texts: list[str], tokenizer: PreTrainedTokenizerBase, steps: int, seed: int
) -> None:
    """Train the language model for `steps` steps on `texts`, shuffled anew in each pass and cut into equal sequences.

    Text alone goes in, so that neither tower nor projector get a gradient.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.1)
    schedule = get_cosine_schedule_with_warmup(optimizer, steps // 20, steps)
    batches = _batches([tokenizer(text).input_ids + [tokenizer.eos_token_id] for text in texts], seed)
    for step in range(steps):
        batch = next(batches)
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % 50 == 0 or step == steps - 1:
            print(f"pre-training step {step}: loss {loss.item():.3f}", flush=True)
    model.eval()


def _batches(documents: list[list[int]], seed: int) -> Iterator[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pending: list[int] = []
    while True:
        for index in torch.randperm(len(documents), generator=generator).tolist():
            pending += documents[index]
            if len(pending) >= BATCH * SEQUENCE_TOKENS:
                yield torch.tensor(pending[: BATCH * SEQUENCE_TOKENS]).view(BATCH, SEQUENCE_TOKENS)
                pending = pending[BATCH * SEQUENCE_TOKENS :]


# --- model -----------------------------------------------------------------------------------------------------------


def assemble(family: Family, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """The family's tiny model, with random weights."""
    model = AutoModelForImageTextToText.from_config(family.tiny.make_config(tokenizer))
    for tower in family.towers(model):
        for module in tower.modules():
            if isinstance(module, torch.nn.Conv2d | torch.nn.Conv3d):
                make_filters(module)
            elif isinstance(getattr(module, "position_embedding", None), torch.nn.Embedding):
                make_positions(module.position_embedding.weight)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


@torch.no_grad()
def make_filters(patches: torch.nn.Conv2d | torch.nn.Conv3d) -> None:
    """Random filters of patches, in place of the trained ones of a real tower.

    Each filter is a random sum of cosines that favours low frequencies, as trained filters do and natural images have
    (power falls with frequency; Field 1987): white noise would drown colour and shading in texture. A filter over time
    (Qwen's) takes every moment of a still picture alike.
    """
    side_px = patches.kernel_size[-1]
    side = torch.arange(side_px)
    cosines = torch.cos(math.pi * side[:, None] * (side[None] + 0.5) / side_px)  # (frequency, pixel)
    cosines /= cosines.norm(dim=1, keepdim=True)
    fall_off = 1 / (1 + side[:, None] + side[None]) ** 2  # (frequency, frequency)
    weights = torch.randn(patches.out_channels, 3, side_px, side_px) * fall_off
    filters = torch.einsum("ochw,hy,wx->ocyx", weights, cosines, cosines)
    filters *= 0.1 / filters.flatten(1).norm(dim=1).mean()
    if patches.weight.dim() == 5:  # (filter, colour, time, row, column)
        filters = filters[:, :, None] / patches.kernel_size[0]
    patches.weight.copy_(filters.expand_as(patches.weight))


@torch.no_grad()
def make_positions(weight: torch.nn.Parameter) -> None:
    """The usual sines and cosines of column and row (Vaswani et al. 2017); a class token before the patches gets 0.

    `weight` is (patches of a square, and the class token, width).
    """
    count, width = weight.shape
    patches = math.isqrt(count)
    rows, columns = torch.meshgrid(torch.arange(patches), torch.arange(patches), indexing="ij")
    rates = 1e-4 ** (torch.arange(width // 4) / (width // 4))
    angles = [axis.flatten()[:, None] * rates for axis in (columns, rows)]  # each (patches, width / 4)
    weight.zero_()
    weight[count - patches**2 :] = torch.cat([f(a) for a in angles for f in (torch.sin, torch.cos)], 1)


def save(model: PreTrainedModel, family: Family, tokenizer: PreTrainedTokenizerBase, output: Path) -> None:
    """Checkpoint with the weight names of the family's repositories on the Hub."""
    model.save_pretrained(output)
    weights = load_file(output / "model.safetensors")
    renamed = {family.hub_name(name): tensor for name, tensor in weights.items()}
    save_file(renamed, output / "model.safetensors", metadata={"format": "pt"})
    family.tiny.make_processor(tokenizer, model.config).save_pretrained(output)


if __name__ == "__main__":
    be_quiet()
    main()
