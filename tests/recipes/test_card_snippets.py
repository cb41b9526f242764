"""What the dataset card says about training runs as it stands, where the library is here."""

import re
import subprocess
import sys

from model_cards.cards.dataset_card import render_dataset_card
from tests.recipes.conftest import tensors


def test_the_snippet_for_trl_trains(dataset, base, tmp_path):
    """The card's own code block, with a tiny model and the dataset's folder in the place of the names."""
    card = render_dataset_card(dataset, "lab/figures")
    (snippet,) = re.findall(r"```python\n(from datasets[^`]*trainer\.train\(\)\n)```", card)
    code = snippet.replace("llava-hf/llava-1.5-7b-hf", str(base)).replace("lab/figures", str(dataset))
    code = code.replace('SFTConfig("tuned", ', 'SFTConfig("tuned", max_steps=2, report_to="none", use_cpu=True, ')
    assert code.count(str(base)) == code.count(str(dataset)) == code.count("max_steps") == 1
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    before, after = tensors(base), tensors(tmp_path / "tuned" / "checkpoint-2")
    assert any((before[name].float() != after[name].float()).any() for name in before.keys() & after.keys())
