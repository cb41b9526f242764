"""What a build decides by; its options have these defaults, and are read without what counts and measures."""

from dataclasses import dataclass

MOST_HELD_OUT = 0.5  # share of the figures in both held-out splits together: at least half are to train with


@dataclass(frozen=True)
class Thresholds:
    """Limits in the units of their names; sharpness must lie strictly above its limit, the others may reach it."""

    min_sharpness: float = 100.0  # variance of the Laplacian; arXiv 2501.15370
    min_side_px: int = 64
    max_aspect: float = 10.0  # longer side over shorter side
    min_contrast: float = 2.0  # standard deviation of 8-bit grey: below it the picture is blank
    max_text_share: float = 0.95  # of the ink; text pages have more (41 of 44 measured), figures less (230 of 230)
    min_text_chars: int = 10  # caption, context and questions together
    max_caption_chars: int = 10_000  # more is running text taken for a caption


@dataclass(frozen=True)
class Splitting:
    """How large the held-out splits are, and the seed that draws them.

    A size below 1 is a share of the figures, from 1 on their number (the paper: 1574); in either case at least
    `min_articles` articles are held out where there are enough, and at least half of the figures stay to train with. A
    split of size 0 is empty.
    """

    test_size: float = 0.03
    validation_size: float = 0.03
    min_articles: int = 10
    seed: int = 0

    def sizes(self) -> dict[str, float]:
        """held-out split -> its size as given; 0 for a split that is not wanted."""
        return {"test": self.test_size, "validation": self.validation_size}

    def asked(self, figures: int) -> dict[str, int]:
        """held-out split -> how many of the `figures` it is to have."""
        return {split: round(size * figures) if size < 1 else round(size) for split, size in self.sizes().items()}

    def bounded(self, figures: int) -> dict[str, int]:
        """As `asked`, scaled down where less than half of the figures would be left to train with.

        A split that is asked for keeps one figure at least, however large the other is.
        """
        asked = {split: min(number, figures) for split, number in self.asked(figures).items()}
        most = int(MOST_HELD_OUT * figures)
        if sum(asked.values()) <= most:
            return asked
        shrink = most / sum(asked.values())
        wanted = {split: max(int(n * shrink), int(self.sizes()[split] > 0)) for split, n in asked.items()}
        largest = max(wanted, key=lambda split: wanted[split])
        wanted[largest] = max(0, most - sum(n for split, n in wanted.items() if split != largest))
        return wanted
