"""What a figure keeps of its decoded picture."""

from PIL import Image

from dataset_builder.readers.article import Figure, Panel
from dataset_builder.readers.pictures.keep import keep_picture
from trust.pictures.encoding import THUMBNAIL_PX
from trust.pictures.opener import open_picture


def test_a_kept_picture_is_encoded_with_a_thumbnail():
    figure = Figure("Figure 1", None)
    keep_picture(figure, Image.new("RGB", (1000, 500), "red"))
    kept = open_picture(figure.picture.encoded)
    assert kept.size == (1000, 500)
    assert kept.getpixel((0, 0)) == (255, 0, 0)
    small = open_picture(figure.picture.thumbnail)
    assert small.size == (THUMBNAIL_PX, THUMBNAIL_PX // 2)
    assert figure.picture.measures["width"] == 1000


def test_panels_that_are_known_stay():
    known = [Panel("1", [0, 0, 100, 50]), Panel("2", [0, 50, 100, 100])]
    figure = Figure("Figure 1", "(A) Knee. (B) Heel.", panels=list(known))
    keep_picture(figure, Image.new("RGB", (100, 100), "white"))
    assert figure.panels == known
