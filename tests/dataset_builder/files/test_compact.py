"""A map in arrays answers as a dict does."""

import hashlib
import random

from dataset_builder.files.compact import CompactMap


def digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def test_it_answers_as_a_dict_and_keeps_the_largest_of_a_key():
    draw = random.Random(1)
    entries = [(digest(str(draw.randrange(500))), draw.randrange(-(2**40), 2**62)) for _ in range(2000)]
    expected: dict[bytes, int] = {}
    for key, value in entries:
        expected[key] = max(value, expected.get(key, value))
    found = CompactMap(iter(entries))
    assert len(found) == len(expected)
    for name in map(str, range(600)):
        assert found.get(digest(name)) == expected.get(digest(name))


def test_an_empty_one_has_nothing():
    assert CompactMap([]).get(digest("a")) is None
    assert len(CompactMap([])) == 0
