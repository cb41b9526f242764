"""A checkpoint's chat template is a stranger's program: it is tried out in a process that can be killed.

transformers runs templates in jinja's sandbox, which lets nothing out but limits neither time nor memory: two nested
loops, or a text doubled forty times, stop a run for ever. `check_template` renders a small conversation once, at the
start, with a limit on CPU time, memory and length. What a template writes or refuses is the run's business, not ours.
"""

import functools
import json
import subprocess
import sys

CPU_S = 5  # a template takes milliseconds
WALL_S = 120.0  # on a machine that is busy with other things, the import of jinja included
MEMORY_BYTES = 1 << 30  # above what the imports took
MAX_CHARS = 200_000  # written for a question and an answer of some thousand; the largest system prompts have 10,000

_TEXT = "The dose curve rises from 0.5 Gy to 2 Gy in the left panel. " * 20
_TOO_LONG, _TOO_MUCH = 3, 4  # exit statuses


def check_template(template: str | dict[str, str] | None, special_tokens: dict[str, str], owner: str) -> None:
    """Raises ValueError, naming `owner`, for a chat template that does not end in time or takes too much memory.

    `template` is None, one template or several by their names; `special_tokens` is the tokenizer's map (`bos_token` …).
    """
    texts = template.values() if isinstance(template, dict) else [template]
    for text in texts:
        fault = _fault(text, json.dumps(special_tokens, sort_keys=True, default=str)) if text else None
        if fault:
            raise ValueError(f"{owner}: its chat template {fault} for one short question; it is not used")


@functools.cache
def _fault(template: str, special_tokens: str) -> str | None:
    """What the template does that it must not, None for nothing."""
    command = [sys.executable, "-P", __file__]  # -P: modules of this folder are not to be found by their bare names
    job = json.dumps({"template": template, "special_tokens": json.loads(special_tokens)})
    try:
        done = subprocess.run(command, input=job, text=True, capture_output=True, timeout=WALL_S, check=False)
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

    _limit()
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


def _limit() -> None:
    import resource
    import time

    seconds = int(time.process_time()) + CPU_S
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with open("/proc/self/statm", encoding="ascii") as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_BYTES, taken + MEMORY_BYTES))


if __name__ == "__main__":
    sys.exit(_try(json.load(sys.stdin)))
