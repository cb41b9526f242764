"""What the processes of one run tell each other: an answer of the first, or something of each."""

from collections.abc import Callable
from typing import TypeVar

import torch

Told = TypeVar("Told")
_SAID_BY_THE_FIRST = "the first process has raised the same"


def of_the_first(make: Callable[[], Told]) -> Told:
    """What the first process makes; every process calls it, and raises what the first one raises."""
    if not torch.distributed.is_initialized():
        return make()
    box: list = [None, None]
    if torch.distributed.get_rank() == 0:
        try:
            box[0] = make()
        except Exception as error:  # the others would wait for ever
            box[1] = error
    torch.distributed.broadcast_object_list(box, src=0)
    if box[1] is not None:
        raise of_all(box[1])
    return box[0]


def of_each(told: Told) -> list[Told]:
    """What each process has, in their order; every process calls it."""
    if not torch.distributed.is_initialized():
        return [told]
    box: list = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(box, told)
    return box


def of_all(error: Exception) -> Exception:
    """The same error, which every process raises at the same time: all but the first leave it to that one to say."""
    if torch.distributed.is_initialized() and torch.distributed.get_rank() > 0:
        error.add_note(_SAID_BY_THE_FIRST)
    return error


def is_said_by_the_first(error: Exception) -> bool:
    """Whether this process need not say it."""
    return _SAID_BY_THE_FIRST in getattr(error, "__notes__", ())


def any_of(flag: torch.Tensor) -> bool:
    """Whether it is true on any process: one number, so that it may be asked at every step; every process calls it."""
    if torch.distributed.is_initialized():
        flag = flag.int()
        torch.distributed.all_reduce(flag)
    return bool(flag)


def place() -> tuple[int, int]:
    """(number of this process from 0, number of processes)."""
    if not torch.distributed.is_initialized():
        return 0, 1
    return torch.distributed.get_rank(), torch.distributed.get_world_size()
