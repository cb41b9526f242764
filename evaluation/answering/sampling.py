"""Sampled answers that are the same whenever a question is asked again, in whatever batch: after a kill, too."""

import hashlib

import torch
from PIL import Image
from transformers import LogitsProcessor

_MOST = 2**63  # seeds of PyTorch's generators, exclusive


class GumbelNoise(LogitsProcessor):
    """Makes the most likely token of the noisy scores a draw from the model's own distribution (the Gumbel-max trick).

    `generate` draws all rows of a batch from one generator, so that an answer would depend on its neighbours; here each
    row has its own.
    """

    def __init__(self, temperature: float, seeds: list[int]):
        """`seeds`: of each row of the batch."""
        self.temperature = temperature
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """`scores`: (batch, vocabulary)."""
        drawn = torch.stack([torch.rand(scores.shape[1], generator=each) for each in self.generators])
        noise = -torch.log(-torch.log(drawn.clamp(min=torch.finfo(drawn.dtype).tiny)))
        return scores.float() / self.temperature + noise.to(scores.device)


def seed_of(seed: int, text: str, picture: Image.Image | None) -> int:
    """The seed of one question's answer."""
    digest = hashlib.sha256(f"{seed} {text}".encode())
    if picture is not None:
        digest.update(picture.tobytes())
    return int.from_bytes(digest.digest()[:8]) % _MOST
