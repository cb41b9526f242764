"""What the training benchmarks share: LLaVA-1.5 with random weights, rows of a fixed length, our trainer and TRL's."""

import io
import itertools
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from peft import LoraConfig
from PIL import Image
from transformers import (
    AutoModelForImageTextToText,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaImageProcessor,
    LlavaProcessor,
    PrinterCallback,
    TrainerCallback,
)
from trl import ModelConfig, SFTConfig, SFTTrainer

from dataset_builder.schema import EXAMPLES
from recipes import sft
from recipes.planning import costs
from recipes.training.examples import scan_lengths
from tests.recipes.conftest import ROOT, load_make_model

TEMPLATE = ROOT / "recipes" / "templates" / "vicuna_v1.jinja"
WORDS = ("the", "dose", "map", "of", "a", "knee", "after", "treatment", "shows", "one", "hot", "spot", "on", "its")
QUESTION = "the map shows what"
ROWS = 16  # different rows, repeated
WARM_UP_STEPS = 3


@dataclass(frozen=True)
class Shape:
    """Dimensions of LLaVA-1.5's language model and of its CLIP tower."""

    width: int
    feed_forward: int
    layers: int
    heads: int
    vision_width: int
    vision_feed_forward: int
    vision_layers: int
    vision_heads: int
    vocabulary: int
    image_side_px: int = 336
    patch_side_px: int = 14
    text_tokens: int = 300

    @property
    def image_tokens(self) -> int:
        return (self.image_side_px // self.patch_side_px) ** 2


SHAPES = {
    "13b": Shape(5120, 13824, 40, 40, 1024, 4096, 24, 16, 32064),
    "7b": Shape(4096, 11008, 32, 32, 1024, 4096, 24, 16, 32064),
    "tiny": Shape(128, 384, 4, 4, 96, 192, 2, 4, 1100, image_side_px=64, patch_side_px=16, text_tokens=120),
}


@dataclass(frozen=True)
class Case:
    """One training to measure. `trainer`: `ours`, or `stock` for TRL's SFTTrainer as its defaults make it."""

    trainer: str
    phase: int
    shape: str = "13b"
    batch: int = 8
    steps: int = 8  # measured, after WARM_UP_STEPS
    checkpointing: bool = True
    attention: str = "sdpa"
    dtype: str = "bfloat16"  # of the frozen weights
    bf16: bool = True  # autocast
    device: str = "cuda"
    workers: int = 4  # processes that prepare batches


def make_processor(shape: Shape) -> LlavaProcessor:
    """LLaVA-1.5's processor with a tokenizer in which each of WORDS is one token."""
    side = shape.image_side_px
    return LlavaProcessor(
        image_processor=LlavaImageProcessor(
            do_pad=True, size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        ),
        tokenizer=load_make_model().train_tokenizer([" ".join(WORDS)] * 50),
        patch_size=shape.patch_side_px,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE.read_text(encoding="utf-8"),
    )


def make_model(shape: Shape, processor: LlavaProcessor, case: Case) -> torch.nn.Module:
    """LLaVA-1.5 at this shape with random weights, on the case's device."""
    vision = CLIPVisionConfig(
        hidden_size=shape.vision_width,
        intermediate_size=shape.vision_feed_forward,
        num_hidden_layers=shape.vision_layers,
        num_attention_heads=shape.vision_heads,
        image_size=shape.image_side_px,
        patch_size=shape.patch_side_px,
    )
    text = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=4096,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=processor.tokenizer.image_token_id,
        image_seq_length=shape.image_tokens,
    )
    with torch.device(case.device):
        return AutoModelForImageTextToText.from_config(
            config, dtype=getattr(torch, case.dtype), attn_implementation=case.attention
        )


def make_rows(shape: Shape, processor: LlavaProcessor) -> Dataset:
    """ROWS rows of exactly `image_tokens` + `text_tokens`, with noisy PNG pictures of the model's own size."""
    chance, rows = np.random.default_rng(0), []
    for _ in range(ROWS):
        file = io.BytesIO()
        pixels = chance.integers(0, 256, (shape.image_side_px, shape.image_side_px, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file, "PNG", compress_level=1)
        rows.append({"images": [{"bytes": file.getvalue(), "path": None}], "words": 1})
    tokens = shape.image_tokens + shape.text_tokens
    (probe,) = scan_lengths(_with_answers(rows[:1], 1), processor, None, None)[0]["length"]
    dataset, report = scan_lengths(_with_answers(rows, 1 + tokens - probe), processor, None, None)
    if set(report["tokens"].values()) != {tokens}:
        raise RuntimeError(f"rows have {report['tokens']} tokens, not {tokens}: a word of WORDS is no token of its own")
    return dataset.remove_columns("length")


def _with_answers(rows: list[dict], words: int) -> Dataset:
    answer = " ".join(itertools.islice(itertools.cycle(WORDS), words))
    text = {
        "prompt": [{"role": "user", "content": QUESTION}],
        "completion": [{"role": "assistant", "content": answer}],
    }
    features = {column: EXAMPLES[column] for column in ("images", *text)}
    return Dataset.from_list([{"images": row["images"], **text} for row in rows], features=type(EXAMPLES)(features))


class StepClock(TrainerCallback):
    """Seconds from the end of one step to the end of the next, by the wall and by this process's CPU time."""

    def __init__(self):
        self.marks: list[tuple[float, float]] = []

    def on_step_end(self, *_, **__):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.marks.append((time.perf_counter(), time.process_time()))

    def medians(self) -> tuple[float, float]:
        """(wall, CPU) seconds of the median step after the warm-up."""
        marks = np.array(self.marks[WARM_UP_STEPS - 1 :])  # (steps + 1, 2)
        return tuple(np.median(np.diff(marks, axis=0), axis=0).tolist())


def make_trainer(case: Case, folder: Path) -> SFTTrainer:
    """The trainer of `recipes/sft.py`, or TRL's own on the same rows, ready to train `steps` steps."""
    shape = SHAPES[case.shape]
    processor = make_processor(shape)
    dataset, model = make_rows(shape, processor), make_model(shape, processor, case)
    model.requires_grad_(False)
    if case.phase == 1:
        model.model.multi_modal_projector.requires_grad_(True)
    args = SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=case.batch,
        max_steps=WARM_UP_STEPS + case.steps,
        gradient_checkpointing=case.checkpointing,
        bf16=case.bf16,
        use_cpu=case.device == "cpu",
        dataloader_num_workers=case.workers,
        dataloader_pin_memory=case.device != "cpu",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    if case.trainer == "ours":
        sft.keep_out_of_autograd(model.model.vision_tower)
        args.remove_unused_columns = False
        recipe = sft.Recipe("projector" if case.phase == 1 else "lora", "benchmark", "benchmark")
        lora = ModelConfig(lora_r=128, lora_alpha=256, lora_dropout=0.05)
        return sft.build_trainer(model, processor, None, dataset, recipe, args, lora)
    lora = LoraConfig(
        r=128,
        lora_alpha=256,
        lora_dropout=0.05,
        target_modules=sft.LORA_MODULES,
        modules_to_save=[sft.PROJECTOR],
        task_type="CAUSAL_LM",
    )
    return SFTTrainer(
        model=model,
        args=args,
        train_dataset=dataset,
        processing_class=processor,
        peft_config=lora if case.phase == 2 else None,
    )


def measure(case: Case) -> dict:
    """Train and time one case: {**case, "samples_per_s", "cpu_s_per_step", "tflop_per_s", "peak_gib"}.

    `peak_gib` is the CUDA allocator's peak, None on a CPU. Raises torch.OutOfMemoryError for a batch that is too large.
    """
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        trainer, clock = make_trainer(case, Path(folder)), StepClock()
        trainer.add_callback(clock)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    wall, cpu = clock.medians()
    shape, rate = SHAPES[case.shape], case.batch / wall
    counts, tokens = costs.count_parameters(trainer.model), shape.image_tokens + shape.text_tokens
    return {
        **asdict(case),
        "samples_per_s": rate,
        "cpu_s_per_step": cpu,
        "tflop_per_s": rate * float(costs.tflop_per_row(trainer.model.config, counts, tokens, case.checkpointing)),
        "peak_gib": torch.cuda.max_memory_allocated() / 2**30 if case.device == "cuda" else None,
    }
