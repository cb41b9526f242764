"""Clusters of drawings, on boxes written down by hand."""

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.drawings import clusters, repeated_drawings
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import PageContent

TEXT = [
    Line("The joints were treated with low doses on three days", Box(50, 500 + 12 * k, 290, 510 + 12 * k), 10.0)
    for k in range(8)
]
PLOT = [Box(100, 100, 101, 200), Box(100, 199, 250, 200), Box(104, 120, 240, 180)]


def page(shapes=(), images=(), number=1):
    return PageContent(number, 595, 842, TEXT, list(images), list(shapes))


def found(shapes=(), images=(), labels=(), repeated=frozenset()):
    return clusters(page(shapes, images), TEXT, list(labels), set(repeated))


def test_what_nearly_touches_is_one_drawing():
    far = Box(300, 100, 400, 200)
    assert sorted(found(PLOT, [far])) == [Box(100, 100, 250, 200), far]


def test_rules_bullets_and_underlines_are_no_drawings():
    rules = [Box(50, 300 + 20 * k, 545, 300.5 + 20 * k) for k in range(4)]
    bullet = Box(40, 503, 45, 508)
    underline = Box(60, 510, 120, 511)
    assert found([*rules, bullet, underline]) == []


def test_frame_around_figure_and_caption_goes_whether_one_path_or_many():
    label = Box(60, 220, 200, 228)
    whole = Box(50, 90, 300, 240)
    sides = [Box(50, 90, 300, 91), Box(50, 239, 300, 240), Box(50, 90, 51, 240), Box(299, 90, 300, 240)]
    corners = [Box(50, 90, 54, 94), Box(296, 236, 300, 240)]
    assert found([whole, *PLOT], labels=[label]) == [Box(100, 100, 250, 200)]
    assert found([*sides, *corners, *PLOT], labels=[label]) == [Box(100, 100, 250, 200)]


def test_background_of_a_page_full_of_text_goes():
    assert found([Box(0, 0, 595, 842)]) == []


def test_ornaments_repeat_figures_of_one_format_do_not_count_as_such():
    logo, photo = Box(50, 30, 90, 60), Box(60, 100, 500, 500)
    pages = [page(images=[logo, photo], number=k) for k in (1, 2, 3, 4)]
    repeated = repeated_drawings(pages)
    assert clusters(pages[0], [], [], repeated) == [photo]


def test_drawing_beyond_the_page_is_cut_and_outside_of_it_left_out():
    assert found(images=[Box(-50, -50, 100, 100), Box(700, 10, 800, 100)]) == [Box(0, 0, 100, 100)]


def test_huge_page_is_grouped_on_a_coarse_raster():
    poster = PageContent(1, 14_000, 14_000, images=[Box(100, 100, 6_000, 6_000), Box(8_000, 100, 13_000, 6_000)])
    assert len(clusters(poster, [], [], set())) == 2


def rules_on(pages, left=40, right=555):
    """A journal's rule on each of some pages, at another height on each."""
    places = [Box(left, 96 - 7 * k, right, 97 - 7 * k) for k in range(pages)]
    return places[0], repeated_drawings([page([rule], number=k + 1) for k, rule in enumerate(places)])


def test_journals_rule_above_a_figure_is_not_its_edge():
    rule, repeated = rules_on(3)
    assert found([rule, *PLOT], repeated=repeated) == [Box(100, 100, 250, 200)]
    over = Box(100, 97, 250, 300)
    assert found([rule], [over], repeated=repeated) == [over]
    below = Box(40, 203, 555, 204)
    assert found([rule, *PLOT, below], repeated=repeated) == [Box(100, 100, 250, 200)]


def test_rule_as_wide_as_the_picture_goes_too_if_it_touches_it_not():
    rule, repeated = rules_on(3, left=100, right=350)
    picture = Box(100, 101, 350, 300)
    assert found([rule], [picture], repeated=repeated) == [picture]


def test_rule_of_one_page_axes_and_grids_stay():
    rule, seldom = rules_on(2)
    assert found([rule, *PLOT], repeated=seldom) == [Box(40, 96, 555, 200)]
    axis, repeated = rules_on(3, left=100, right=350)
    assert found([axis, Box(100, 97, 101, 200)], repeated=repeated) == [Box(100, 96, 350, 200)]
    grid = [Box(100, 96 + 5 * k, 350, 96.5 + 5 * k) for k in range(5)]
    assert found([*grid, Box(120, 98, 130, 110)], repeated=repeated) == [Box(100, 96, 350, 116.5)]
