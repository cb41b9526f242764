"""A checkpoint's chat template and its tokenizer are strangers' programs: they are tried out in a process that can be
killed.

transformers runs templates in jinja's sandbox, which lets nothing out but limits neither time nor memory: two nested
loops, or a text doubled forty times, stop a run for ever. `check_template` renders a small conversation once, at the
start, with a limit on CPU time, memory and length. What a template writes or refuses is the run's business, not ours.

`check_tokenizer` does the same for the rules in a `tokenizer.json`, before anything else loads it: six of them that
write forty letters for one make four thousand million of each.
"""

import functools
import json
import signal
import subprocess
import sys
from pathlib import Path

CPU_S = 5  # a template takes milliseconds
WALL_S = 120.0  # on a machine that is busy with other things, the import of jinja included
MEMORY_BYTES = 1 << 30  # above what the imports took
MAX_CHARS = 200_000  # written for a question and an answer of some thousand; the largest system prompts have 10,000

_TEXT = "The dose curve rises from 0.5 Gy to 2 Gy in the left panel. " * 20
_TOO_LONG, _TOO_MUCH = 3, 4  # exit statuses

TOKENIZERS = "tokenizer.*json"  # also `tokenizer.4.0.0.json`, which tokenizer_config.json may ask for
TOKENIZER_CPU_S = 10  # to load it and read the text; one of 260,000 tokens takes three
TOKENIZER_BYTES = 2 << 30  # of addresses; the largest vocabularies take a half
MAX_GROWTH = 8  # tokens a character, or characters a token read back: bytes as tokens need 4 of the first
_LETTERS = "".join(map(chr, [*range(32, 127), *range(161, 384), *range(913, 970)])) + "–—‘’“”≤≥×\n\t"
_WORDS = f"{_TEXT}{_LETTERS}{' '.join(_LETTERS)} {'e' * 500} {'9' * 500}{' ' * 500}x{'.' * 500}"


def check_template(template: str | dict[str, str] | None, special_tokens: dict[str, str], owner: str) -> None:
    """Raises ValueError, naming `owner`, for a chat template that does not end in time or takes too much memory.

    `template` is None, one template or several by their names; `special_tokens` is the tokenizer's map (`bos_token` …).
    """
    texts = template.values() if isinstance(template, dict) else [template]
    for text in texts:
        fault = _fault(text, json.dumps(special_tokens, sort_keys=True, default=str)) if text else None
        if fault:
            raise ValueError(f"{owner}: its chat template {fault} for one short question; it is not used")


def check_tokenizer(folder: Path, owner: str) -> None:
    """Raises ValueError, naming `owner`, for a `tokenizer.json` that makes too much of a page, in time or in tokens.

    Nothing is tried where the folder has none. Call it before Transformers loads the tokenizer.
    """
    for path in sorted(folder.glob(TOKENIZERS)):
        fault = _tokenizer_fault(str(path), path.stat().st_mtime_ns)
        if fault:
            raise ValueError(f"{owner}: its {path.name} {fault} for one page of text; it is not used")


@functools.cache
def _tokenizer_fault(path: str, _changed_ns: int) -> str | None:
    """What the tokenizer does that it must not, None for nothing."""
    try:
        done = _run({"tokenizer": path, "cpu_s": TOKENIZER_CPU_S})
    except subprocess.TimeoutExpired:
        return f"has not come to an end after {WALL_S:g} s"
    if done.returncode == _TOO_LONG:
        return f"makes more than {MAX_GROWTH} tokens of a character, or characters of a token,"
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"has not come to an end after {TOKENIZER_CPU_S} s"
    if done.returncode < 0 or done.returncode == _TOO_MUCH:
        return f"takes more than {TOKENIZER_BYTES >> 20:,} MiB"
    return None  # what cannot be loaded is the run's to say


def _run(job: dict) -> subprocess.CompletedProcess[str]:
    """Try `job` in the process that is killed. Raises TimeoutExpired."""
    command = [sys.executable, "-P", __file__]  # -P: modules of this folder are not to be found by their bare names
    return subprocess.run(command, input=json.dumps(job), text=True, capture_output=True, timeout=WALL_S, check=False)


@functools.cache
def _fault(template: str, special_tokens: str) -> str | None:
    """What the template does that it must not, None for nothing."""
    try:
        done = _run({"template": template, "special_tokens": json.loads(special_tokens), "cpu_s": CPU_S})
    except subprocess.TimeoutExpired:
        return f"has not come to an end after {WALL_S:g} s"
    if done.returncode == _TOO_LONG:
        return f"writes more than {MAX_CHARS:,} characters"
    if done.returncode == _TOO_MUCH:
        return f"takes more than {MEMORY_BYTES >> 20:,} MiB"
    if done.returncode < 0:
        return f"has not come to an end after {CPU_S} s"
    if done.returncode:
        raise RuntimeError(f"the chat template could not be tried out: {' '.join(done.stderr.split())[-500:]}")
    return None


# ---- the process that is killed


def _conversations() -> list[list[dict]]:
    """A question, and a question with its answer: contents as lists of parts with a picture, and as plain text."""
    parts = [{"type": "image"}, {"type": "text", "text": _TEXT}]
    answered = [{"type": "text", "text": _TEXT}]
    return [
        [{"role": "user", "content": parts}],
        [{"role": "user", "content": parts}, {"role": "assistant", "content": answered}],
        [{"role": "user", "content": _TEXT}],
        [{"role": "user", "content": _TEXT}, {"role": "assistant", "content": _TEXT}],
    ]


def _try(job: dict) -> int:
    from jinja2 import TemplateError
    from transformers.utils.chat_template_utils import render_jinja_template

    _limit(job["cpu_s"], MEMORY_BYTES)
    for conversation in _conversations():
        asks = conversation[-1]["role"] == "user"
        try:
            (text,), _ = render_jinja_template(
                [conversation], chat_template=job["template"], add_generation_prompt=asks, **job["special_tokens"]
            )
        except MemoryError:
            return _TOO_MUCH
        except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
            continue  # the run will say so, if it asks in this form at all
        if len(text) > MAX_CHARS:
            return _TOO_LONG
    return 0


def _try_tokenizer(path: str, cpu_s: int) -> int:
    from tokenizers import Tokenizer

    _limit(cpu_s, TOKENIZER_BYTES)
    try:
        tokenizer = Tokenizer.from_file(path)
        tokens = tokenizer.encode(_WORDS).ids
        text = "" if len(tokens) > MAX_GROWTH * len(_WORDS) else tokenizer.decode(tokens, skip_special_tokens=False)
    except MemoryError:
        return _TOO_MUCH
    within = len(tokens) <= MAX_GROWTH * len(_WORDS) and len(text) <= MAX_GROWTH * max(len(tokens), len(_WORDS))
    return 0 if within else _TOO_LONG


def _limit(cpu_s: int, memory_bytes: int) -> None:
    import resource
    import time

    seconds = int(time.process_time()) + cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with open("/proc/self/statm", encoding="ascii") as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + memory_bytes, taken + memory_bytes))


if __name__ == "__main__":
    given = json.load(sys.stdin)
    sys.exit(_try_tokenizer(given["tokenizer"], given["cpu_s"]) if "tokenizer" in given else _try(given))
