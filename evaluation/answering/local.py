"""Answers of a checkpoint that is loaded here: batched, greedy or sampled."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import torch
from PIL import Image
from transformers import GenerationConfig, LogitsProcessorList, PreTrainedModel, ProcessorMixin
from transformers.utils import logging

from evaluation.answering import checkpoints
from evaluation.answering.answers import Answer, Keep, Question, Show, unreadable
from evaluation.answering.questions import public_name
from evaluation.answering.sampling import GumbelNoise, seed_of
from trust.errors import UsageError
from trust.pictures.opener import UnreadablePicture, picture_size
from trust.pictures.stored import open_stored, stored_bytes
from trust.templates import check_template
from trust.text import cleaner_of

logging.set_verbosity_error()

Prepared = tuple[str, Image.Image | None]  # the prompt as the model reads it, and the picture


class Checkpoint:
    """A vision-language checkpoint, full or adapter; its weights are loaded when the first questions are asked."""

    packages: tuple[str, ...] = ("torch", "transformers", "peft", "datasets", "tokenizers", "pillow")

    def __init__(
        self,
        model: str,
        revision: str | None,
        *,
        processor: str | None,
        chat_template_path: str | None,
        device: str,
        dtype: str,
        batch_size: int,
        max_new_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
    ):
        """`model` is a Hub id or a folder, `processor` another one whose preparation is used instead; the rest is as
        in the options of `ldrt generate`.

        Raises FileNotFoundError or OSError for no checkpoint there, ValueError for one of another kind, without a chat
        template, or with one that does not come to an end.
        """
        self.source = checkpoints.find(model, revision)
        checkpoints.check_family(self.source)
        self.processor_name = public_name(processor) if processor else None
        of_processor = checkpoints.find(processor) if processor else self.source
        self.processor = checkpoints.load_processor(of_processor)
        if chat_template_path:
            self.processor.chat_template = Path(chat_template_path).read_text(encoding="utf-8")
        if not self.processor.chat_template:
            raise ValueError(f"{of_processor.model} has no chat template: give --chat_template_path")
        check_template(self.processor.chat_template, self.processor.tokenizer.special_tokens_map, model)
        self.device = _device(device)
        self.dtype = _dtype(dtype, self.device)
        self.batch_size, self.max_new_tokens = batch_size, max_new_tokens
        self.temperature, self.seed = temperature, seed

    @cached_property
    def model(self) -> PreTrainedModel:
        return checkpoints.load_model(self.source, self.dtype, self.device)

    @cached_property
    def _cuts_grids(self) -> bool:
        """Whether a picture's shape decides how many tokens it is; elsewhere every picture is as many."""
        return "image_grid_pinpoints" in self.processor.image_processor.to_dict()

    @property
    def dtype_name(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    @property
    def facts(self) -> dict:
        """What the run's manifest says of it."""
        base = self.source.adapter_of
        return {
            "backend": "local",
            "model": public_name(self.source.model),
            "revision": self.source.revision,
            "model_type": self.source.model_type,
            "adapter_of": {"model": public_name(base.model), "revision": base.revision} if base else None,
            "lineage": self.source.lineage,
            "processor": self.processor_name,
            "chat_template_sha256": hashlib.sha256(self.processor.chat_template.encode()).hexdigest(),
            "device": torch.cuda.get_device_name(self.device) if self.device.startswith("cuda") else self.device,
        }

    def clean(self, text: str) -> str:
        return cleaner_of(self.processor).clean(text)

    def answer(self, todo: list[Question], show: Show, keep: Keep) -> None:
        """Batch by batch, the longest questions first: what does not fit in memory fails at once. One that is longer
        than the model reads is not asked. Raises RuntimeError where a batch does not fit into the GPU's memory."""
        lengths = [(self._length(asked, show), asked) for asked in todo]
        lengths.sort(key=lambda one: (-one[0], one[1].row["example_id"]))
        limit = checkpoints.max_tokens(self.source)
        too_long = [(asked, _too_long(n, limit)) for n, asked in lengths if n > limit]
        if too_long:
            keep(too_long)
        todo = [asked for _, asked in lengths[len(too_long) :]]
        batches = [todo[i : i + self.batch_size] for i in range(0, len(todo), self.batch_size)]
        for batch, prepared, answers in self._prepared(batches, show):
            if prepared:
                replies = self.replies(list(prepared.values()))
                answers |= dict(zip(prepared, replies, strict=True))
            keep([(asked, answers[i]) for i, asked in enumerate(batch)])

    def _length(self, asked: Question, show: Show) -> int:
        """Tokens of the text and, where pictures are cut into a grid by their shape, of the picture."""
        n_text = len(self.processor.tokenizer(render(asked.messages, self.processor)).input_ids)
        if asked.picture is None or not self._cuts_grids:
            return n_text
        try:
            width, height = picture_size(stored_bytes(show(asked)))
        except UnreadablePicture:
            return n_text
        # No public method counts image tokens; vLLM relies on this one.
        return n_text + self.processor._get_num_multimodal_tokens(image_sizes=[(height, width)]).num_image_tokens[0]

    def _prepared(
        self, batches: list[list[Question]], show: Show
    ) -> Iterator[tuple[list[Question], dict[int, Prepared], dict[int, Answer]]]:
        """Each batch with what `_prepare` says; the pictures of the next one are read while one is answered."""
        with ThreadPoolExecutor(max_workers=1) as ahead:
            coming = [ahead.submit(self._prepare, batch, show) for batch in batches[:1]]
            for i, batch in enumerate(batches):
                prepared, failed = coming.pop().result()
                coming = [ahead.submit(self._prepare, following, show) for following in batches[i + 1 : i + 2]]
                yield batch, prepared, failed

    def _prepare(self, batch: list[Question], show: Show) -> tuple[dict[int, Prepared], dict[int, Answer]]:
        """Place in the batch -> what `replies` takes; place -> Answer, where the picture cannot be read."""
        prepared: dict[int, Prepared] = {}
        failed: dict[int, Answer] = {}
        for i, asked in enumerate(batch):
            try:
                picture = None if asked.picture is None else open_stored(show(asked))
                prepared[i] = render(asked.messages, self.processor), picture
            except UnreadablePicture as problem:
                failed[i] = unreadable(asked, problem)
        return prepared, failed

    def replies(self, prepared: list[Prepared]) -> list[Answer]:
        """Raises RuntimeError where they do not fit into the GPU's memory together."""
        texts, pictures = map(list, zip(*prepared, strict=True))  # with a picture each, or none at all
        bos, stops = self.processor.tokenizer.bos_token, checkpoints.stop_tokens(self.model, self.processor)
        inputs = self.processor(
            text=texts,
            images=None if pictures[0] is None else [[picture] for picture in pictures],  # a list a row
            padding=True,
            add_special_tokens=not (bos and texts[0].startswith(bos)),  # no second BOS after the template's own
            return_tensors="pt",
        ).to(self.model.device, self.model.dtype)
        config = GenerationConfig(
            max_new_tokens=self.max_new_tokens,
            do_sample=False,
            num_beams=1,
            repetition_penalty=1.0,
            eos_token_id=stops,
            pad_token_id=self.processor.tokenizer.pad_token_id,
        )
        try:
            with torch.inference_mode():
                output = self.model.generate(  # (batch, prompt + new tokens)
                    **inputs, generation_config=config, logits_processor=self._sampling(texts, pictures)
                )
        except torch.OutOfMemoryError as error:
            raise RuntimeError(
                f"out of GPU memory with {len(texts)} questions at once: lower --batch_size and run again, answers are "
                "kept"
            ) from error
        new = output[:, inputs["input_ids"].shape[1] :].tolist()
        return [read(tokens, stops, self.processor) for tokens in new]

    def _sampling(self, texts: list[str], pictures: list[Image.Image | None]) -> LogitsProcessorList:
        if not self.temperature:
            return LogitsProcessorList()
        seeds = [seed_of(self.seed, *asked) for asked in zip(texts, pictures, strict=True)]
        return LogitsProcessorList([GumbelNoise(self.temperature, seeds)])


def _too_long(n_tokens: int, limit: float) -> Answer:
    reason = f"the question has {n_tokens:,} tokens, and the model reads {limit:,}: ask in fewer words"
    return Answer(None, "error", 0, reason)


def render(messages: list[dict], processor: ProcessorMixin) -> str:
    """The prompt up to where the answer begins."""
    return processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def read(tokens: list[int], stops: list[int], processor: ProcessorMixin) -> Answer:
    """New tokens of one row of a batch, with padding after the stop token -> its answer."""
    end = next((i for i, token in enumerate(tokens) if token in stops), None)
    text = processor.tokenizer.decode(tokens[:end], skip_special_tokens=True).strip()
    return Answer(text, "length", len(tokens)) if end is None else Answer(text, "stop", end + 1)


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = name.partition(":")
    n_there = 1 if kind == "cpu" else getattr(torch, kind).device_count()
    if int(number or 0) >= n_there:
        raise UsageError(f"device {name}: torch finds {n_there} {kind.upper()} GPUs here")
    return name


def _dtype(name: str, device: str) -> torch.dtype:
    if name == "auto":
        return torch.float32 if device == "cpu" else torch.bfloat16
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[name]
