"""What the processes of one run tell each other: an answer of the first, or something of each."""

from collections.abc import Callable
from typing import TypeVar

import torch

Told = TypeVar("Told")


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
        raise box[1]
    return box[0]


def of_each(told: Told) -> list[Told]:
    """What each process has, in their order; every process calls it."""
    if not torch.distributed.is_initialized():
        return [told]
    box: list = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(box, told)
    return box


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
