import pytest

from model_cards.licenses import card_fields, permits, use_of


@pytest.mark.parametrize(
    ("license", "use"),
    [
        *[(name, "commercial") for name in ("CC-BY-4.0", "CC-BY", "CC-BY-3.0-IGO", "CC-BY-SA-4.0", "CC0-1.0")],
        *[(name, "commercial") for name in ("CC-PDM-1.0", "PDDL-1.0")],
        *[(name, "noncommercial") for name in ("CC-BY-NC-4.0", "CC-BY-NC", "CC-BY-NC-SA-2.0-UK")],
        *[(name, "none") for name in ("CC-BY-ND-4.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-ND-3.0-IGO")],
        *[(name, "none") for name in (None, "", "CC-BY-4.0 or so", "cc-by-4.0", "all rights reserved", "CC-BY-NCX")],
    ],
)
def test_use(license, use):
    assert use_of(license) == use
    assert permits("commercial", license) == (use == "commercial")
    assert permits("noncommercial", license) == (use != "none")
    assert permits("all", license)
    assert [permits(policy, license, "Reprinted") for policy in ("commercial", "noncommercial", "all")] == [
        *(permits("commercial", license), permits("noncommercial", license), use != "none"),
    ]


@pytest.mark.parametrize(
    ("licenses", "name"),
    [
        ({"CC-BY-4.0"}, "cc-by-4.0"),
        ({"CC-BY-3.0-IGO"}, "other"),
        ({"CC-BY-4.0", None}, "other"),
        ({"CC-BY-4.0", "CC0-1.0"}, "other"),
        ({None}, "unknown"),
        (set(), "unknown"),
    ],
)
def test_the_card_names_one_licence_only_when_all_rows_share_it(licenses, name):
    assert card_fields(licenses)["license"] == name
