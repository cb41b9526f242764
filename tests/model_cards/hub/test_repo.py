import pytest

from model_cards.hub.repo import Repo


def test_repository_ids():
    assert Repo("lab/x-1.0_b", "dataset", True).url.endswith("/datasets/lab/x-1.0_b")
    with pytest.raises(ValueError, match="no repository id"):
        Repo("lab/x y", "model", True)
