"""A page in a browser; `page` is the module's own fixture, the path of what it writes."""

import pytest

from tests.chromium import Browser

IMAGES = "[...document.querySelectorAll('article img')]"
LOADED = f"{IMAGES}.length > 0 && {IMAGES}.every(image => image.complete && image.naturalWidth > 0)"


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture
def opened(browser, page):
    browser.open(page)
    browser.wait_for(LOADED)
    return browser
