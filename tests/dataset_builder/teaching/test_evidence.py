"""How much of an answer stands in its evidence."""

import pytest

from dataset_builder.teaching.evidence import support


@pytest.mark.parametrize(
    ("answer", "evidence", "share"),
    [
        ("0.5 Gy in 12 mice", ["After 0.5 Gy, 12 mice were seen."], 1.0),
        ("0.7 Gy in 12 mice", ["After 0.5 Gy, 12 mice were seen."], 0.5),
        ("TNF-α and IL", ["TNF-alpha was low"], 0.5),
        ("so it is", ["0.5 Gy"], None),
    ],
)
def test_support_is_the_share_of_grounded_terms(answer, evidence, share):
    assert support(answer, evidence, "en") == (share if share is None else pytest.approx(share))
