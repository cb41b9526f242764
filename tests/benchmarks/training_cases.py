"""What the training benchmarks share: LLaVA-1.5 with random weights, rows of a fixed length, our trainer and TRL's."""

import io
import itertools
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset, List
from datasets import Image as HubImage
from PIL import Image
from transformers import (
    AutoModelForImageTextToText,
    LlavaImageProcessor,
    LlavaProcessor,
    PrinterCallback,
    TrainerCallback,
)
from trl import ModelConfig, SFTConfig, SFTTrainer

from dataset_builder.schema import EXAMPLES
from recipes.families.llava import CLIP_LARGE_336, LLAVA, VICUNA_7B, VICUNA_13B, TextSize, VisionSize, llava_config
from recipes.planning.arithmetic import Shape, count_parameters, tflop_per_row
from recipes.project_files import project_file
from recipes.training.examples import ExampleCollator
from recipes.training.model import keep_out_of_autograd
from recipes.training.scan import scan_rows
from recipes.training.trainer import Rates, build_trainer, lora_config

TEMPLATE = project_file(LLAVA.chat_template)
WORDS = ("the", "dose", "map", "of", "a", "knee", "after", "treatment", "shows", "one", "hot", "spot", "on", "its")
QUESTION = "the map shows what"
ROWS = 16  # different rows, repeated
WARM_UP_STEPS = 3


@dataclass(frozen=True)
class Size:
    """Dimensions of a LLaVA-1.5 and length of the rows it is trained on."""

    text: TextSize
    vision: VisionSize
    text_tokens: int = 300

    @property
    def image_tokens(self) -> int:
        return (self.vision.image_side_px // self.vision.patch_side_px) ** 2


SIZES = {
    "13b": Size(VICUNA_13B, CLIP_LARGE_336),
    "7b": Size(VICUNA_7B, CLIP_LARGE_336),
    "tiny": Size(
        TextSize(128, 384, layers=4, heads=4, vocabulary=1100, max_tokens=4096),
        VisionSize(96, 192, layers=2, heads=4, image_side_px=64, patch_side_px=16),
        text_tokens=120,
    ),
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


def make_processor(size: Size) -> LlavaProcessor:
    """LLaVA-1.5's processor with a tokenizer in which each of WORDS is one token."""
    side = size.vision.image_side_px
    return LlavaProcessor(
        image_processor=LlavaImageProcessor(
            do_pad=True, size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        ),
        tokenizer=LLAVA.tiny.make_tokenizer([" ".join(WORDS)] * 50),
        patch_size=size.vision.patch_side_px,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE.read_text(encoding="utf-8"),
    )


def make_model(size: Size, processor: LlavaProcessor, case: Case) -> torch.nn.Module:
    """LLaVA-1.5 at this shape with random weights, on the case's device."""
    config = llava_config(size.text, size.vision)
    config.image_token_id = processor.tokenizer.image_token_id
    config.image_seq_length = size.image_tokens
    with torch.device(case.device):
        return AutoModelForImageTextToText.from_config(
            config, dtype=getattr(torch, case.dtype), attn_implementation=case.attention
        )


def make_rows(size: Size, processor: LlavaProcessor) -> Dataset:
    """ROWS rows of exactly `image_tokens` + `text_tokens`, with noisy PNG pictures of the model's own size, not
    decoded."""
    chance, rows = np.random.default_rng(0), []
    for _ in range(ROWS):
        file = io.BytesIO()
        pixels = chance.integers(0, 256, (size.vision.image_side_px, size.vision.image_side_px, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file, "PNG", compress_level=1)
        rows.append({"images": [{"bytes": file.getvalue(), "path": None}], "words": 1})
    tokens = size.image_tokens + size.text_tokens
    collator = ExampleCollator(processor, LLAVA)
    (probe,) = scan_rows(_with_answers(rows[:1], 1), collator)[0]["length"]
    dataset, report, _ = scan_rows(_with_answers(rows, 1 + tokens - probe), collator)
    if set(report["tokens"].values()) != {tokens}:
        raise RuntimeError(f"rows have {report['tokens']} tokens, not {tokens}: a word of WORDS is no token of its own")
    return dataset.remove_columns("length")


def decoded(rows: Dataset) -> Dataset:
    """The rows as `datasets` opens pictures by itself, which TRL's own trainer needs."""
    return rows.select_columns(["images", "prompt", "completion"]).cast_column("images", List(HubImage()))


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
    size = SIZES[case.shape]
    processor = make_processor(size)
    dataset, model = make_rows(size, processor), make_model(size, processor, case)
    model.requires_grad_(False)
    if case.phase == 1:
        for projector in LLAVA.projectors(model):
            projector.requires_grad_(True)
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
    adapter = None
    if case.phase == 2:
        adapter = lora_config(ModelConfig(lora_r=128, lora_alpha=256, lora_dropout=0.05), LLAVA, model.config)
    if case.trainer == "ours":
        for tower in LLAVA.towers(model):
            keep_out_of_autograd(tower)
        args.remove_unused_columns = False
        collator = ExampleCollator(processor, LLAVA)
        return build_trainer(model, collator, dataset, None, args, adapter, Rates())
    return SFTTrainer(model, args=args, train_dataset=decoded(dataset), processing_class=processor, peft_config=adapter)


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
    size, rate = SIZES[case.shape], case.batch / wall
    trained = Shape(LLAVA, trainer.model.config, "projector" if case.phase == 1 else "lora", adapter=None)
    parameters, tokens = count_parameters(trainer.model, LLAVA), size.image_tokens + size.text_tokens
    tflop = float(tflop_per_row(trained, parameters, tokens, case.checkpointing))
    return {
        **asdict(case),
        "samples_per_s": rate,
        "cpu_s_per_step": cpu,
        "tflop_per_s": rate * tflop,
        "peak_gib": torch.cuda.max_memory_allocated() / 2**30 if case.device == "cuda" else None,
    }
