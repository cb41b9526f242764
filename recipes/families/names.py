"""The families by name, for who must not wait for torch: each file of this folder says its own."""

import re
from pathlib import Path

_MODEL_TYPE = re.compile(r'^ +model_type="(\w+)",', re.M)  # of a `Family`


def model_types() -> list[str]:
    """`model_type` of every family, sorted."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(name for file in files for name in _MODEL_TYPE.findall(file.read_text(encoding="utf-8")))
