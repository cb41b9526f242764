"""Tokens of prompts: a guess from their words and pictures, until the server has counted some.

Pictures are counted by their size in pixels, by the rule of the model's makers where it is known:

- `tiles`, OpenAI's for GPT-4o and its like, and what is assumed of a model with another name: fitted into 2,048 × 2,048
  pixels, then the shorter side to 768; a fixed number and one for each tile of 512 × 512.
- `patches`, OpenAI's for its small models: one for each 32 × 32 pixels, at most 1,536, times a factor.
  Both: https://platform.openai.com/docs/guides/images-vision#calculating-costs
- `grid`, Qwen-VL's: one for each 28 × 28 pixels (Qwen3-VL: 32 × 32) of the picture with its sides rounded to those, at
  most 16,384, and two marks around it: `smart_resize` of transformers' models/qwen2_vl, with the limits of the
  published preprocessor_config.json. A server may be started with a lower limit.

--picture_tokens takes the place of the rule.
"""

import math
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from dataset_builder.llm.requests import Request, Server

TOKENS_PER_WORD = 1.5  # a rough guess: names, numbers and long medical words take several tokens
_DENSE = re.compile(r"[\u2e80-\U0003ffff]")  # scripts without spaces between words: about a token a character

_FITTED_PX, _SHORT_SIDE_PX, _TILE_PX = 2048, 768, 512
_PATCH_PX, _MOST_PATCHES = 32, 1536
_MOST_CELLS, _MARKS = 16_384, 2  # of a grid


class PictureRule(NamedTuple):
    """How many tokens a picture of so many pixels has: width, height -> tokens."""

    name: str
    of: Callable[[int, int], float]


def _tiles(width: int, height: int, base: int, a_tile: int) -> float:
    scale = min(1.0, _FITTED_PX / max(width, height))
    scale *= min(1.0, _SHORT_SIDE_PX / (min(width, height) * scale))
    return base + a_tile * math.ceil(width * scale / _TILE_PX) * math.ceil(height * scale / _TILE_PX)


def _patches(width: int, height: int, factor: float) -> float:
    return factor * min(_MOST_PATCHES, math.ceil(width / _PATCH_PX) * math.ceil(height / _PATCH_PX))


def _grid(width: int, height: int, cell_px: int, least_cells: int) -> float:
    columns, rows = max(1, round(width / cell_px)), max(1, round(height / cell_px))
    if columns * rows > _MOST_CELLS:
        shrink = math.sqrt(width * height / (_MOST_CELLS * cell_px**2))
        columns, rows = (max(1, math.floor(side / shrink / cell_px)) for side in (width, height))
    elif columns * rows < least_cells:
        grow = math.sqrt(least_cells * cell_px**2 / (width * height))
        columns, rows = (math.ceil(side * grow / cell_px) for side in (width, height))
    return columns * rows + _MARKS


_ASSUMED = PictureRule("tiles of 512 px, 85 + 170 each", partial(_tiles, base=85, a_tile=170))
# What tells a model by its name -> its rule; the first that is found counts.
_RULES: dict[str, PictureRule] = {
    r"gpt-(?:4\.1|5)-nano": PictureRule("patches of 32 px × 2.46", partial(_patches, factor=2.46)),
    r"gpt-(?:4\.1|5)-mini": PictureRule("patches of 32 px × 1.62", partial(_patches, factor=1.62)),
    r"\bo4-mini": PictureRule("patches of 32 px × 1.72", partial(_patches, factor=1.72)),
    r"gpt-4o-mini": PictureRule("tiles of 512 px, 2,833 + 5,667 each", partial(_tiles, base=2833, a_tile=5667)),
    r"gpt-5": PictureRule("tiles of 512 px, 70 + 140 each", partial(_tiles, base=70, a_tile=140)),
    r"\bo[13]\b": PictureRule("tiles of 512 px, 75 + 150 each", partial(_tiles, base=75, a_tile=150)),
    r"gpt": _ASSUMED,
    r"qwen3[^/]*vl": PictureRule("a grid of 32 px", partial(_grid, cell_px=32, least_cells=64)),
    r"qwen": PictureRule("a grid of 28 px", partial(_grid, cell_px=28, least_cells=4)),
}


def picture_rule(server: Server) -> PictureRule:
    """How pictures are counted for the server's model; its name says so where it is only assumed."""
    if (fixed := server.picture_tokens) is not None:
        return PictureRule(f"{fixed:g} each", lambda _width, _height: fixed)
    found = (rule for pattern, rule in _RULES.items() if re.search(pattern, server.model.lower()))
    return next(found, _ASSUMED._replace(name=f"{_ASSUMED.name}, assumed; see --picture_tokens"))


def count_words(request: Request) -> int:
    """Words of the prompt, between white space."""
    return sum(len(text.split()) for text in _texts(request))


def prompt_tokens(request: Request, server: Server) -> float:
    """A guess at the tokens of the prompt, its text and its pictures."""
    n_dense = sum(len(_DENSE.findall(text)) for text in _texts(request))
    return count_words(request) * TOKENS_PER_WORD + n_dense + picture_tokens(request, server)


def picture_tokens(request: Request, server: Server) -> float:
    """Those of them that are for pictures."""
    rule = picture_rule(server) if request.picture_sizes else _ASSUMED
    return sum(rule.of(width, height) for width, height in request.picture_sizes)


def used_tokens(usage: dict[str, Any] | None) -> tuple[int, int]:
    """(tokens in, tokens out) as a server reports them; zeros where it does not."""
    counts = [usage.get(name) if isinstance(usage, dict) else 0 for name in ("prompt_tokens", "completion_tokens")]
    read, written = (count if isinstance(count, int) else 0 for count in counts)
    return read, written


class Counted:
    """How far the guesses were off, by what a server has counted so far."""

    def __init__(self) -> None:
        self._guessed, self._counted = 0.0, 0

    def learn(self, guess: float, n_counted: int) -> None:
        """The server has counted `n_counted` tokens of a prompt that `guess` were guessed of; 0: it does not say."""
        if n_counted:
            self._guessed, self._counted = self._guessed + guess, self._counted + n_counted

    @property
    def times(self) -> float:
        """The tokens of a prompt are so many times the guess."""
        return self._counted / self._guessed if self._guessed else 1.0


def _texts(request: Request) -> Iterable[str]:
    for message in request.messages:
        content = message["content"]
        parts = [{"text": content}] if isinstance(content, str) else content
        yield from (part["text"] for part in parts if "text" in part)
