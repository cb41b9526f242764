"""E-mail addresses leave the text; other signs stay."""

import pytest

from dataset_builder.text.addresses import without_addresses


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to a.b-c@clinic.example.org.", "Write to ."),
        ("A. Person (a_b@uni.edu), Town", "A. Person, Town"),
        ("one@x.com; two@y.de and more", ";  and more"),
        ("name @ host.example.org", ""),
        ("name@omiya. clinic.ac.jp received", " received"),
        ("name@long-host- name.org", ""),
        ("<mailto:name@host.org> is mine", " is mine"),
        ("имя@почта.рф здесь", " здесь"),
    ],
)
def test_addresses_are_left_out(text, left):
    assert without_addresses(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "no sign at all ()",
        "5 mg @ 37 °C",
        "see @society for news",
        "Au@SiO2 particles",
        "TiO2@C. The cells",
        "f(x) @ 2.5",
    ],
)
def test_other_signs_stay(text):
    assert without_addresses(text) == text
