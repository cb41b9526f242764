"""Files to read, for the tests of this room."""

from pathlib import Path

from dataset_builder.articles.packages import Package
from dataset_builder.extraction.units import Unit


def make_units(folder: Path, names: list[str]) -> list[Unit]:
    units = []
    for name in names:
        path = folder / "articles" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
        units.append(Unit(Package(name, xml=path), "jats", folder / "records" / name))
    return units
