"""Splits: nothing that is alike crosses them, and published assignments stay."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_builder.assembly.duplicates import FigureKey, duplicate_groups
from dataset_builder.assembly.splits import Splitting, assign, certificate, components_of, far_from_asked
from tests.dataset_builder.assembly.figures import figure


def many(articles: int, figures: int = 4) -> list[FigureKey]:
    return [figure(f"PMC{a}", n) for a in range(articles) for n in range(figures)]


def test_sizes_are_what_was_asked():
    splits = assign(many(400), {}, Splitting(), {})
    assert Counter(splits.values()) == {"train": 376, "validation": 12, "test": 12}  # 3 % of 1,600 figures: 48


def test_a_size_from_one_on_is_a_number_of_figures():
    figures = many(900)
    splits = assign(figures, {}, Splitting(test_size=1574, min_articles=0), {})
    assert 1574 <= sum(splits[f.article_id] == "test" for f in figures) < 1574 + 4  # at most one article more


def sizes(figures: list[FigureKey], splitting: Splitting) -> dict[str, dict[str, int]]:
    return certificate(figures, {}, assign(figures, {}, splitting, {}), 0)["splits"]


@pytest.mark.parametrize("articles", [1, 2, 3, 9, 40])
@pytest.mark.parametrize(("test", "validation"), [(5000, 5000), (5000, 0.03), (0.9, 0.9), (9, 0), (1, 1), (0.99, 0)])
def test_half_of_the_figures_stay_to_train_with(articles, test, validation):
    drawn = sizes(many(articles, 3), Splitting(test, validation))
    assert drawn["train"]["figures"] >= drawn["test"]["figures"] + drawn["validation"]["figures"]


def test_both_splits_shrink_alike():
    drawn = sizes(many(400), Splitting(5000, 5000))
    assert [drawn[split]["figures"] for split in ("train", "validation", "test")] == [800, 400, 400]


@pytest.mark.parametrize("articles", [3, 6, 9, 40])
@pytest.mark.parametrize(("test", "validation"), [(5000, 0.03), (0.999, 0.03), (0.03, 5000), (5000, 1), (5000, 5000)])
def test_a_large_split_leaves_room_for_the_other(articles, test, validation):
    drawn = sizes(many(articles, 1), Splitting(test, validation))
    assert min(drawn[split]["figures"] for split in ("train", "validation", "test")) > 0 or articles == 3
    assert drawn["train"]["figures"] > 0


def warnings(figures: list[FigureKey], splitting: Splitting) -> list[str]:
    duplicates = duplicate_groups(figures)
    drawn = certificate(figures, duplicates, assign(figures, duplicates, splitting, {}), 0)["splits"]
    return far_from_asked(drawn, splitting, components_of(figures, duplicates))


def together(articles: int) -> list[FigureKey]:
    """Articles of four figures, all of which share a picture."""
    return [*many(articles, 3), *(figure(f"PMC{a}", 9, phash=7, sha="same") for a in range(articles))]


TEST = "test has {} figures, {} were asked for (--test_size {}): {}"
WHOLE = "articles stay whole, and each {} has {} figures or more"
LESS_THAN_ONE = "that share of them is less than one; a whole number asks for so many"


@pytest.mark.parametrize(
    ("figures", "splitting", "said"),
    [
        (many(400), Splitting(), []),
        (many(30), Splitting(), [TEST.format("24 of 120", 4, 0.03, "articles stay whole, and --min_articles")]),
        (many(3), Splitting(test_size=5000), [TEST.format("4 of 12", 5000, 5000, "at least half of the figures")]),
        (many(1), Splitting(test_size=0.5), [TEST.format("0 of 4", 2, 0.5, WHOLE.format("article", 4))]),
        (many(1, 40), Splitting(test_size=3), [TEST.format("0 of 40", 3, 3, WHOLE.format("article", 40))]),
        (together(3), Splitting(5000), [TEST.format("0 of 12", 5000, 5000, "articles stay whole, and each group of")]),
        (many(2), Splitting(), [TEST.format("0 of 8", 0, 0.03, LESS_THAN_ONE)]),
        (many(1), Splitting(test_size=0, validation_size=0), []),
        (many(400), Splitting(test_size=0, validation_size=0.5), []),
    ],
)
def test_what_is_far_from_what_was_asked_is_said(figures, splitting, said):
    found = [warning for warning in warnings(figures, splitting) if warning.startswith("test")]
    assert len(found) == len(said)
    assert all(warning.startswith(start) for warning, start in zip(found, said, strict=True))


def test_an_empty_split_that_was_asked_for_is_said():
    assert any(one.startswith("validation has 0 of 4 figures") for one in warnings(many(1), Splitting(5000)))
    assert not any(one.startswith("validation") for one in warnings(many(1), Splitting(5000, validation_size=0)))


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
