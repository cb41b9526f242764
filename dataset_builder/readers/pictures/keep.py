"""A figure and its decoded image -> the figure with its `Picture` and its panels."""

from collections.abc import Sequence

from PIL import Image

from dataset_builder.readers.article import Figure, Picture
from dataset_builder.readers.pictures.images import measure
from dataset_builder.readers.pictures.panels import split_panels
from trust.pictures.encoding import encode, thumbnail


def keep_picture(figure: Figure, image: Image.Image, letters: Sequence[tuple[str, float, float]] = ()) -> None:
    """Give a figure its picture, measured, split into panels and encoded: an article never holds two decoded pictures.

    `letters` are panel letters that are known to stand in the picture: (letter, x, y) in pixels.
    """
    encoded = encode(image)
    figure.panels = figure.panels or split_panels(image, figure.caption, letters)
    figure.picture = Picture(encoded, measure(image, encoded), thumbnail(image))
