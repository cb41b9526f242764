"""A local judge: a causal language model of `transformers` that is not asked to write, but how likely each score is.

All eleven complete answers `SCORE: 0` … `SCORE: 10`, each with the end of the turn, get their likelihood after the
rubric; the score is the expectation over the eleven. Nothing is sampled and nothing has to be parsed, small models give
fine-grained scores (as in G-Eval, Liu et al. 2023, https://arxiv.org/abs/2303.16634), and a `1` is not favoured for
being the beginning of `10`, because it counts only with its end.
"""

import json
import time
from dataclasses import dataclass
from itertools import chain

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from evaluation.answering import checkpoints
from trust.checkpoints import LOADING
from trust.templates import check_template, check_tokenizer
from trust.text import cleaned, cleaner_of

SCORES = range(11)
ANSWER = "SCORE: {}"  # what the rubrics ask for as the last line
BATCH_SIZE = 4  # rubrics at once; the eleven answers to each make the second, small step eleven times as wide


@dataclass
class Judge:
    """A loaded judge. `revision` is the Hub commit, or `sha256:…` of a folder."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    revision: str
    batch_size: int

    def score(self, conversations: list[list[dict]]) -> list[dict]:
        """Score rendered rubrics (lists of {"role", "content"}), each on its own; one record each, in their order.

        Records hold `status` (ok; truncated: longer than the model's context, and not asked; error: no finite
        probabilities), `score` (0 to 10 or None), `reply` (JSON: `most_likely`, `probabilities` of 0 to 10, `mass`: how
        probable it is that the answer is one of the eleven once it has begun like one), `usage`, `finish_reason`,
        `latency_s` (the batch's time, shared out) and, where there is one, `error`.
        Raises RuntimeError where a batch does not fit into the GPU's memory.
        """
        questions = [_tokenize(self._render(messages), self.tokenizer) for messages in conversations]
        records: list[dict] = [{}] * len(questions)
        fitting = []
        for i, (prefix, endings) in enumerate(questions):
            if len(prefix) + max(map(len, endings)) > self.context:
                records[i] = _too_long(len(prefix), self.context)
            else:
                fitting.append(i)
        fitting.sort(key=lambda i: -len(questions[i][0]))  # like lengths together: less padding
        for start in range(0, len(fitting), self.batch_size):
            batch, began = fitting[start : start + self.batch_size], time.monotonic()
            log_likelihoods = self._log_likelihoods([questions[i] for i in batch])
            seconds = (time.monotonic() - began) / len(batch)
            for i, values in zip(batch, log_likelihoods, strict=True):
                records[i] = _record(values, len(questions[i][0]), seconds)
        return records

    @property
    def context(self) -> int:
        """Tokens that the model can read."""
        return self.model.config.get_text_config().max_position_embeddings

    def _render(self, messages: list[dict]) -> list[str]:
        """The conversation with each of the eleven answers at its end, as text.

        Texts of strangers in it are quoted (`llm.quote`); what else this tokenizer has for special tokens is cleaned.
        """
        messages = cleaned(messages, cleaner_of(self.tokenizer).clean)
        if self.tokenizer.chat_template is None:
            prompt = "".join(message["content"] + "\n\n" for message in messages)
            prompt, end = (self.tokenizer.bos_token or "") + prompt, self.tokenizer.eos_token
        else:
            prompt = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            end = _end_of_turn(self.tokenizer)
        return [prompt + ANSWER.format(score) + end for score in SCORES]

    def _log_likelihoods(self, questions: list[tuple[list[int], list[list[int]]]]) -> torch.Tensor:
        """(beginning, eleven endings) of each question -> (batch, 11), the logarithm of each ending's probability.

        The beginning is read once, its keys and values are kept for all eleven endings.
        """
        try:
            with torch.inference_mode():
                return self._read(questions)
        except torch.OutOfMemoryError as error:
            raise RuntimeError(
                f"out of GPU memory with {len(questions)} rubrics at once: lower the batch size; scores are kept"
            ) from error

    def _read(self, questions: list[tuple[list[int], list[list[int]]]]) -> torch.Tensor:
        device = self.model.device
        tokens, mask = _pad([prefix for prefix, _ in questions], "left", device)  # (batch, prefix)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        read = self.model(tokens, attention_mask=mask, position_ids=positions, use_cache=True, logits_to_keep=1)
        endings = list(chain.from_iterable(endings for _, endings in questions))  # (batch * 11) lists
        targets, target_mask = _pad(endings, "right", device)  # (batch * 11, ending)
        logits = read.logits.repeat_interleave(len(SCORES), 0)  # (batch * 11, 1, vocabulary)
        if targets.shape[1] > 1:
            read.past_key_values.batch_repeat_interleave(len(SCORES))
            mask, last = mask.repeat_interleave(len(SCORES), 0), positions[:, -1:].repeat_interleave(len(SCORES), 0)
            more = self.model(
                targets[:, :-1],
                attention_mask=torch.cat([mask, target_mask[:, :-1]], 1),
                position_ids=last + target_mask[:, :-1].cumsum(1),
                past_key_values=read.past_key_values,
            )
            logits = torch.cat([logits, more.logits], 1)  # (batch * 11, ending, vocabulary)
        each = logits.float().log_softmax(-1).gather(2, targets[:, :, None])[:, :, 0]  # (batch * 11, ending)
        return each.masked_fill(target_mask == 0, 0).sum(1).reshape(len(questions), len(SCORES)).cpu()


def load(
    model: str, revision: str | None = None, device: str = "auto", dtype: str = "auto", batch_size: int = BATCH_SIZE
) -> Judge:
    """Load a causal language model (folder or Hub id) as a judge; safetensors only, no code from the Hub.

    `device` auto: all GPUs there are (layers are spread over them), else the CPU. `dtype` auto: the checkpoint's own,
    on the CPU float32. Raises FileNotFoundError where there is no such model, ValueError where it is none of this kind.
    """
    source = checkpoints.find(model, revision)
    if source.adapter_of:
        raise ValueError(f"{model} is an adapter: merge it first, a judge is a whole model")
    if device == "auto":
        device = "auto" if torch.cuda.is_available() else "cpu"
    if dtype == "auto" and device == "cpu":
        dtype = "float32"
    folder = source.checkpoint.folder
    check_tokenizer(folder, model)
    tokenizer = AutoTokenizer.from_pretrained(folder, **LOADING)
    if tokenizer.eos_token is None:
        raise ValueError(f"{model}: its tokenizer has no end-of-sequence token, so no answer is complete")
    check_template(tokenizer.chat_template, tokenizer.special_tokens_map, model)
    try:
        loaded = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, device_map=device, use_safetensors=True, **LOADING
        )
    except ValueError as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"{model}: no causal language model that transformers can load ({reason})") from error
    return Judge(loaded.eval(), tokenizer, source.revision, batch_size)


def _tokenize(texts: list[str], tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[list[int]]]:
    """Eleven texts -> (tokens that all begin with, the eleven endings).

    Each text is tokenized whole, as in training, so it does not matter where prompt and answer meet; what all share
    has one and the same likelihood in all and cancels.
    """
    whole = tokenizer(texts, add_special_tokens=False).input_ids
    shortest = min(map(len, whole))
    shared = next((i for i in range(shortest) if len({tokens[i] for tokens in whole}) > 1), shortest)
    return whole[0][:shared], [tokens[shared:] for tokens in whole]


def _end_of_turn(tokenizer: PreTrainedTokenizerBase) -> str:
    """What the chat template writes after an answer (`<|im_end|>`), which need not be the tokenizer's EOS token."""
    probe = "the answer"
    turns = [{"role": "user", "content": "the question"}, {"role": "assistant", "content": probe}]
    return tokenizer.apply_chat_template(turns, tokenize=False).rpartition(probe)[2].strip() or tokenizer.eos_token


def _pad(rows: list[list[int]], side: str, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """(tokens, mask), both (rows, longest), filled up with token 0, which the mask hides."""
    longest = max(map(len, rows))
    tokens, mask = (torch.zeros(len(rows), longest, dtype=torch.long) for _ in range(2))
    for i, row in enumerate(rows):
        place = slice(longest - len(row), longest) if side == "left" else slice(0, len(row))
        tokens[i, place], mask[i, place] = torch.tensor(row), 1
    return tokens.to(device), mask.to(device)


def _record(log_likelihoods: torch.Tensor, n_prompt_tokens: int, seconds: float) -> dict:
    """`log_likelihoods`: (11,) of 0 to 10."""
    record = {
        "status": "ok",
        "score": None,
        "reply": None,
        "usage": {"prompt_tokens": n_prompt_tokens},
        "finish_reason": "stop",
        "latency_s": round(seconds, 3),
    }
    if not log_likelihoods.isfinite().any() or log_likelihoods.isnan().any():
        return record | {"status": "error", "error": "the model's probabilities are not finite: try dtype float32"}
    probabilities = log_likelihoods.double().softmax(0)
    reply = {
        "most_likely": int(probabilities.argmax()),
        "probabilities": [round(value, 6) for value in probabilities.tolist()],
        "mass": round(float(log_likelihoods.double().exp().sum()), 6),
    }
    score = float((probabilities * torch.arange(len(SCORES))).sum())
    return record | {"score": round(score, 6), "reply": json.dumps(reply)}


def _too_long(n_prompt_tokens: int, context: int) -> dict:
    return {
        "status": "truncated",
        "score": None,
        "reply": None,
        "usage": {"prompt_tokens": n_prompt_tokens},
        "finish_reason": "length",
        "latency_s": 0.0,
        "error": f"the rubric has {n_prompt_tokens} tokens, the judge reads {context}",
    }
