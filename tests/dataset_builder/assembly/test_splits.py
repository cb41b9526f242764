"""Duplicates and splits: nothing that is alike crosses splits, and published assignments stay."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_builder.assembly.splits import FigureKey, Splitting, assign, caption_sha256, certificate, duplicate_groups


def figure(article: str, number: int = 1, phash: int | None = None, sha: str | None = None, caption: str | None = None):
    name = f"{article}/fig{number}"
    phash = int(caption_sha256(name), 16) % 2**64 if phash is None else phash
    return FigureKey(name, article, sha or caption_sha256(name), f"{phash:016x}", 1.5, caption_sha256(caption))


def many(articles: int, figures: int = 4) -> list[FigureKey]:
    return [figure(f"PMC{a}", n) for a in range(articles) for n in range(figures)]


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


def test_sizes_are_what_was_asked():
    splits = assign(many(400), {}, Splitting(), {})
    assert Counter(splits.values()) == {"train": 376, "validation": 12, "test": 12}  # 3 % of 1,600 figures: 48


def test_a_size_from_one_on_is_a_number_of_figures():
    figures = many(900)
    splits = assign(figures, {}, Splitting(test_size=1574, min_articles=0), {})
    assert 1574 <= sum(splits[f.article_id] == "test" for f in figures) < 1574 + 4  # at most one article more


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


def test_few_articles_still_give_held_out_ones():
    splits = assign(many(30), {}, Splitting(), {})
    assert Counter(splits.values()) == {"train": 18, "validation": 6, "test": 6}


def test_the_draw_depends_on_the_seed_and_not_on_the_order():
    figures = many(60)
    first = assign(figures, {}, Splitting(seed=1), {})
    assert first == assign(figures[::-1], {}, Splitting(seed=1), {})
    assert first != assign(figures, {}, Splitting(seed=2), {})


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 25), st.integers(0, 12), st.sampled_from([None, "a", "b", "c", "d"])),
        min_size=1,
        max_size=60,
        unique_by=lambda x: x[:2],
    )
)
def test_nothing_alike_crosses_splits(rows):
    figures = [figure(f"PMC{a}", i, sha=f"sha{picture}", caption=c) for i, (a, picture, c) in enumerate(rows)]
    duplicates = duplicate_groups(figures)
    splits = assign(figures, duplicates, Splitting(test_size=0.3, validation_size=0.3, min_articles=3), {})
    assert set(splits) == {f.article_id for f in figures}
    assert certificate(figures, duplicates, splits, 0)["collisions"] == []


def test_published_assignments_stay_and_linking_newcomers_are_left_out():
    published = {"A": "train", "B": "test"}
    old = [figure("A", sha="a"), figure("B", sha="b")]
    new = [
        figure("C", 1, sha="b"),
        figure("D"),
        figure("E", 1, sha="a"),
        figure("F", 1, sha="e"),
        figure("F", 2, sha="b"),
    ]
    splits = assign(old + new, duplicate_groups(old + new), Splitting(), published)
    assert splits == {"A": "train", "B": "test", "C": "test", "D": "train", "E": "train", "F": "test"}
    linking = [figure("G", 1, sha="a"), figure("G", 2, sha="b")]
    assert "G" not in assign(old + linking, duplicate_groups(old + linking), Splitting(), published)


def test_a_collision_is_found():
    figures = [figure("A", caption="The same words"), figure("B", caption="the  same WORDS")]
    found = certificate(figures, {}, {"A": "train", "B": "test"}, 0)["collisions"]
    assert found == [{"kind": "caption", "figures": ["A/fig1", "B/fig1"]}]
