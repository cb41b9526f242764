"""How much a picture may cost. Nothing is imported here: a recipe's keys are checked before torch is."""

from typing import NamedTuple


class Limits(NamedTuple):
    """How much a picture may cost; None where the recipe leaves it to the checkpoint."""

    max_grid_tiles: int | None = None  # of families that cut a picture into a grid of tiles
    max_image_tokens: int | None = None  # of families that take pictures in their own size

    def refuse(self, *, grid: bool = False, size: bool = False) -> None:
        """Raises ValueError where a limit is given that the family cannot keep: for `grid`, for `size`."""
        if grid and self.max_grid_tiles is not None:
            raise ValueError("max_grid_tiles: this family of models cuts pictures into no grid; leave it out")
        if size and self.max_image_tokens is not None:
            raise ValueError("max_image_tokens: this family of models takes no picture in its own size; leave it out")
