"""Which pictures count as the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_builder.assembly.duplicates import FigureKey, duplicate_groups
from tests.dataset_builder.assembly.figures import figure


def test_exact_and_near_duplicates_share_a_group():
    near = figure("B", phash=0b1111)
    figures = [
        figure("A", phash=0),
        near,
        figure("C", phash=0xFFFF0000),
        figure("D", 1, sha="same"),
        figure("E", 1, sha="same"),
    ]
    groups = duplicate_groups(figures)
    assert groups == {"A/fig1": "A/fig1", "B/fig1": "A/fig1", "D/fig1": "D/fig1", "E/fig1": "D/fig1"}


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=6))
def test_near_means_at_most_four_bits(phash, bits):
    other = phash
    for bit in bits:
        other ^= 1 << bit
    groups = duplicate_groups([figure("A", phash=phash), figure("B", phash=other)])
    assert bool(groups) == (len(bits) <= 4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**20 - 1), st.sampled_from([0.5, 1.0, 1.05, 2.0])), max_size=40))
def test_near_duplicates_are_found_whatever_the_bands(pictures):
    """Against the definition: all pairs compared one by one."""
    figures = [
        FigureKey(f"{i:02d}/fig1", f"{i:02d}", f"sha{i}", f"{phash:016x}", aspect, None)
        for i, (phash, aspect) in enumerate(pictures)
    ]
    expected = {figure.figure_id: {figure.figure_id} for figure in figures}
    for a in figures:
        for b in figures:
            near = (int(a.phash, 16) ^ int(b.phash, 16)).bit_count() <= 4 and 1 / 1.1 <= a.aspect / b.aspect <= 1.1
            if near and expected[a.figure_id] is not expected[b.figure_id]:
                expected[a.figure_id] |= expected[b.figure_id]
                for member in expected[b.figure_id]:
                    expected[member] = expected[a.figure_id]
    found = duplicate_groups(figures)
    assert found == {name: min(members) for name, members in expected.items() if len(members) > 1}


def test_a_bucket_of_pictures_that_are_all_alike_is_one_group():
    hashes = [
        1 << a | 1 << b for a in range(64) for b in range(a)
    ]  # at distance 4 at most; more than pairs are kept of
    figures = [figure(f"PMC{i:04}", phash=phash) for i, phash in enumerate(hashes)]
    assert set(duplicate_groups(figures).values()) == {"PMC0000/fig1"}
