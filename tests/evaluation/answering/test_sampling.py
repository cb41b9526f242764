"""Sampled answers: the model's own distribution, and the same answer in any batch."""

import torch
from PIL import Image

from evaluation.answering.sampling import GumbelNoise, seed_of


def drawn(logits, temperature, n):
    scores = torch.tensor(logits).repeat(n, 1)
    noisy = GumbelNoise(temperature, list(range(n)))(torch.zeros(n, 1), scores)
    return torch.bincount(noisy.argmax(dim=1), minlength=len(logits)) / n


def test_tokens_are_drawn_as_often_as_their_probability():
    logits = [2.0, 1.0, 0.0, -1.0, -torch.inf]
    for temperature in (0.5, 1.0, 3.0):
        expected = torch.softmax(torch.tensor(logits) / temperature, dim=0)
        assert torch.allclose(drawn(logits, temperature, 20_000), expected, atol=0.015)  # four standard errors


def test_a_rows_draws_do_not_depend_on_its_neighbours():
    scores = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))
    together = GumbelNoise(1.0, [7, 8, 9])
    alone = GumbelNoise(1.0, [9])
    for _ in range(3):  # tokens, one after the other
        assert torch.equal(together(scores, scores)[2], alone(scores, scores[2:])[0])


def test_seed_text_and_picture_make_another_draw():
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    seeds = [seed_of(1, "What?", red), seed_of(2, "What?", red), seed_of(1, "Why?", red), seed_of(1, "What?", blue)]
    assert len({*seeds, seed_of(1, "What?", None)}) == 5
    assert seed_of(1, "What?", red.copy()) == seeds[0]
    assert max(seeds) < 2**63
