"""Keys of figures, for the tests of duplicates and splits."""

from dataset_builder.assembly.duplicates import FigureKey, caption_sha256


def figure(article: str, number: int = 1, phash: int | None = None, sha: str | None = None, caption: str | None = None):
    name = f"{article}/fig{number}"
    phash = int(caption_sha256(name), 16) % 2**64 if phash is None else phash
    return FigureKey(name, article, sha or caption_sha256(name), f"{phash:016x}", 1.5, caption_sha256(caption))
