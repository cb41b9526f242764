"""Make a tiny LLaVA or LLaVA-NeXT on the spot, from the text of a dataset's training articles.

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
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaTokenizer,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaImageProcessor,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextImageProcessor,
    LlavaNextProcessor,
    LlavaProcessor,
    ProcessorMixin,
    get_cosine_schedule_with_warmup,
)

from recipes.families.llava import CLASS_TOKENS, LLAVA, hub_name
from recipes.project_files import project_file
from trust.dataset_files import check_dataset

CHAT_TEMPLATE = project_file(LLAVA.chat_template)
VOCABULARY = 1024  # tokens, before <pad> and <image>
IMAGE_SIDE_PX, PATCH_SIDE_PX = 64, 16  # 4 × 4 patches a tile
VISION_WIDTH = 96
WIDTH, LAYERS, HEADS, FEED_FORWARD = 128, 4, 4, 384
MAX_TOKENS = 1024
GRIDS = [[1, 2], [2, 1], [2, 2], [3, 1], [1, 3]]  # LLaVA-NeXT's image grids in tiles (rows, columns)
SEQUENCE_TOKENS, BATCH, LEARNING_RATE = 96, 32, 3e-3  # of the language model's pre-training


def main(argv: list[str] | None = None) -> None:
    options = _options(argv)
    torch.manual_seed(options.seed)
    texts, made = training_texts(options.dataset), Path(options.output) / "made_of.json"
    recipe = {"family": options.family, "steps": options.steps, "seed": options.seed, "texts_sha256": digest(texts)}
    if made.is_file() and json.loads(made.read_text(encoding="utf-8")) == recipe:
        print(f"{options.output} holds this tiny {options.family} already")
        return
    tokenizer = train_tokenizer(texts)
    language_model = pretrain(texts, tokenizer, options.steps, options.seed)
    model = assemble(options.family, language_model, tokenizer)
    save(model, make_processor(model, tokenizer), Path(options.output))
    made.write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")  # last: from here on it is complete
    print(f"tiny {options.family}: {model.num_parameters():,} parameters, saved in {options.output}")


def digest(texts: list[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dataset", required=True, help="dataset repo folder or Hub id with the config `pairs`")
    parser.add_argument("--output", required=True, help="folder for the checkpoint")
    parser.add_argument("--family", choices=["llava", "llava_next"], default="llava")
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


def train_tokenizer(texts: list[str]) -> LlamaTokenizer:
    """A Llama tokenizer trained on `texts`: BPE with `▁` at word starts and byte fallback; <unk> <s> </s> are 0 1 2."""
    learner = Tokenizer(models.BPE(byte_fallback=True))
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(),
            pre_tokenizers.Punctuation(),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    system_prompt = CHAT_TEMPLATE.read_text(encoding="utf-8").split('{{- " ')[1].split('"')[0]
    often = len(texts)  # so that its words become tokens: it stands in every prompt
    learner.train_from_iterator([*texts, *[f"{system_prompt} USER: ASSISTANT:"] * often], trainer)
    learnt = json.loads(learner.to_str())["model"]
    return LlamaTokenizer(
        vocab=learnt["vocab"],
        merges=[tuple(merge) for merge in learnt["merges"]],
        pad_token="<pad>",
        add_bos_token=True,
        extra_special_tokens={"image_token": "<image>"},
    )


def pretrain(texts: list[str], tokenizer: LlamaTokenizer, steps: int, seed: int) -> LlamaForCausalLM:
    """A small Llama after `steps` steps on `texts`, shuffled anew in each pass and cut into equal sequences."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=FEED_FORWARD,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=MAX_TOKENS,
        initializer_range=0.05,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
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
    return model.eval()


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


def assemble(
    family: str, language_model: LlamaForCausalLM, tokenizer: LlamaTokenizer
) -> LlavaForConditionalGeneration | LlavaNextForConditionalGeneration:
    """Vision tower and projector in front of the language model."""
    vision = CLIPVisionConfig(
        hidden_size=VISION_WIDTH,
        intermediate_size=2 * VISION_WIDTH,
        num_hidden_layers=1,  # LLaVA reads the last layer but one: here the patch embedding itself
        num_attention_heads=4,
        image_size=IMAGE_SIDE_PX,
        patch_size=PATCH_SIDE_PX,
    )
    common = {
        "vision_config": vision,
        "text_config": language_model.config,
        "image_token_index": tokenizer.image_token_id,
        "image_seq_length": (IMAGE_SIDE_PX // PATCH_SIDE_PX) ** 2,
    }
    if family == "llava":
        model = LlavaForConditionalGeneration(LlavaConfig(**common))
    else:
        grids = [[rows * IMAGE_SIDE_PX, columns * IMAGE_SIDE_PX] for rows, columns in GRIDS]
        model = LlavaNextForConditionalGeneration(LlavaNextConfig(image_grid_pinpoints=grids, **common))
    model.model.language_model.load_state_dict(language_model.model.state_dict())
    model.lm_head.load_state_dict(language_model.lm_head.state_dict())
    make_patch_embedding(model.model.vision_tower.embeddings)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


@torch.no_grad()
def make_patch_embedding(embeddings: torch.nn.Module) -> None:
    """Random filters and fixed positions, in place of the trained ones of a real CLIP.

    Each filter is a random sum of cosines that favours low frequencies, as trained filters do and natural images have
    (power falls with frequency; Field 1987): white noise would drown colour and shading in texture. Positions are the
    usual sines and cosines of column and row (Vaswani et al. 2017).
    """
    side = torch.arange(PATCH_SIDE_PX)
    cosines = torch.cos(math.pi * side[:, None] * (side[None] + 0.5) / PATCH_SIDE_PX)  # (frequency, pixel)
    cosines /= cosines.norm(dim=1, keepdim=True)
    fall_off = 1 / (1 + side[:, None] + side[None]) ** 2  # (frequency, frequency)
    weights = torch.randn(VISION_WIDTH, 3, PATCH_SIDE_PX, PATCH_SIDE_PX) * fall_off
    filters = torch.einsum("ochw,hy,wx->ocyx", weights, cosines, cosines)
    embeddings.patch_embedding.weight.copy_(0.1 * filters / filters.flatten(1).norm(dim=1).mean())
    patches = IMAGE_SIDE_PX // PATCH_SIDE_PX
    rows, columns = torch.meshgrid(torch.arange(patches), torch.arange(patches), indexing="ij")
    rates = 1e-4 ** (torch.arange(VISION_WIDTH // 4) / (VISION_WIDTH // 4))
    angles = [axis.flatten()[:, None] * rates for axis in (columns, rows)]  # each (patches, width / 4)
    embeddings.position_embedding.weight[1:] = torch.cat([f(a) for a in angles for f in (torch.sin, torch.cos)], 1)
    embeddings.position_embedding.weight[0] = 0  # the class token, which LLaVA drops


def make_processor(model: torch.nn.Module, tokenizer: LlamaTokenizer) -> ProcessorMixin:
    """LLaVA: pictures padded to a square; LLaVA-NeXT: tiles. Chat template Vicuna v1."""
    size = {"size": {"shortest_edge": IMAGE_SIDE_PX}, "crop_size": {"height": IMAGE_SIDE_PX, "width": IMAGE_SIDE_PX}}
    if model.config.model_type == "llava":
        processor_class, images = LlavaProcessor, LlavaImageProcessor(do_pad=True, **size)
    else:
        processor_class = LlavaNextProcessor
        images = LlavaNextImageProcessor(image_grid_pinpoints=model.config.image_grid_pinpoints, **size)
    return processor_class(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=PATCH_SIDE_PX,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=CLASS_TOKENS,
        chat_template=CHAT_TEMPLATE.read_text(encoding="utf-8"),
    )


def save(model: torch.nn.Module, processor: ProcessorMixin, output: Path) -> None:
    """Checkpoint with the weight names of the llava-hf repositories."""
    model.save_pretrained(output)
    weights = load_file(output / "model.safetensors")
    renamed = {hub_name(name): tensor for name, tensor in weights.items()}
    save_file(renamed, output / "model.safetensors", metadata={"format": "pt"})
    processor.save_pretrained(output)


if __name__ == "__main__":
    main()
