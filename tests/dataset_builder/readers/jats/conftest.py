"""An article from a few lines of XML."""

import pytest

from dataset_builder.articles.pictures import FolderPictures
from dataset_builder.readers.jats.reader import read_jats


@pytest.fixture
def read(tmp_path):
    def read(xml: str | bytes, pictures=None):
        path = tmp_path / "x.xml"
        path.write_bytes(xml if isinstance(xml, bytes) else xml.encode())
        return read_jats(path, FolderPictures(pictures or {}))

    return read
