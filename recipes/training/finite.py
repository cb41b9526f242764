"""The first number that is none ends a run: NaN or infinity in a loss, in the gradients, or in the weights.

After it every step would train nothing and say so nowhere: the loss of a broken model is reported as 0.
"""

import math
from collections.abc import Iterable

import torch

from recipes.training.processes import any_of, of_all, of_each
from trust.pictures.opener import in_one_line

_NAMED = 8  # rows or tensors in a message


class NotFiniteError(RuntimeError):
    """A loss, a gradient or a weight is NaN or infinite; in one line, with the step and the rows."""


class StepWatch:
    """What the forward passes since the last optimizer step came to: losses and the names of their rows."""

    def __init__(self) -> None:
        self._losses: list[torch.Tensor] = []
        self._names: list[list[str]] = []

    def saw(self, loss: torch.Tensor, names: list[str]) -> None:
        """A forward pass of this process; its loss stays where it was computed."""
        self._losses.append(loss.detach().float().reshape(()))
        self._names.append(names)

    def check(self, step: int, grad_norm: float | None, may_overflow: bool) -> None:
        """Before the optimizer's step, on every process. Raises NotFiniteError, on all of them, and forgets the passes.

        `may_overflow`: fp16 scales the loss up until gradients overflow, skips that step and scales less: then only
        the loss is looked at.
        """
        losses, names = torch.stack(self._losses), self._names
        self._losses, self._names = [], []
        bad_norm = grad_norm is not None and not math.isfinite(grad_norm) and not may_overflow
        bad = ~torch.isfinite(losses)
        if any_of(bad.any() | bad_norm):
            found = [(loss, rows) for loss, rows in zip(losses.tolist(), names, strict=True)]
            passes = [each for part in of_each(found) for each in part]
            raise of_all(NotFiniteError(_said_of_step(step, passes, grad_norm)))


def _said_of_step(step: int, passes: list[tuple[float, list[str]]], grad_norm: float | None) -> str:
    """In one line; `passes` are those of all processes: loss, names of its rows."""
    bad = [(loss, rows) for loss, rows in passes if not math.isfinite(loss)]
    what = f"the loss is {bad[0][0]}" if bad else f"the gradient norm is {grad_norm}"
    return f"step {step}: {what} (rows {_named([name for _, rows in bad or passes for name in rows])})"


def check_weights(parameters: Iterable[tuple[str, torch.nn.Parameter]], owner: str) -> None:
    """Raises NotFiniteError, on every process, where a weight of `owner` is NaN or infinite; every process calls it.

    Of ZeRO-3 each process looks at its own part. Weights in 4 bit are whole numbers and not looked at.
    """
    bad = [name for name, parameter in parameters if not _is_finite(parameter)]
    bad = sorted({name for names in of_each(bad) for name in names})
    if bad:
        raise of_all(NotFiniteError(f"{owner} has NaN or infinite weights ({_named(bad)})"))


def _is_finite(parameter: torch.Tensor) -> bool:
    held = parameter.ds_tensor if hasattr(parameter, "ds_tensor") else parameter.data  # ZeRO-3: this process's part
    if hasattr(held, "to_local"):  # FSDP2
        held = held.to_local()
    if held.is_meta or not held.numel() or not held.is_floating_point():
        return True
    low, high = torch.aminmax(held)  # NaN where one is in it; without a copy
    return bool(torch.isfinite(low) and torch.isfinite(high))


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(in_one_line, names[:_NAMED])) + more
