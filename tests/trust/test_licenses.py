from itertools import combinations, permutations

import pytest

from trust.licenses import NOT_STATED, card_fields, combined, counts, is_known, of_row, permits, spdx_id, use_of

MIXED = {"license": "other", "license_name": "mixed-see-column-license"}


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
    assert permits("commercial", [license]) == (use == "commercial")
    assert permits("noncommercial", [license]) == (use != "none")
    assert permits("all", [license])
    assert [permits(policy, [license], "Reprinted") for policy in ("commercial", "noncommercial", "all")] == [
        *(permits("commercial", [license]), permits("noncommercial", [license]), use != "none"),
    ]


@pytest.mark.parametrize(
    ("licenses", "fields"),
    [
        ({"CC-BY-4.0"}, {"license": "cc-by-4.0"}),
        ({"CC-BY-3.0-IGO"}, {"license": "other", "license_name": "cc-by-3.0-igo"}),
        ({"CC-BY-4.0", None}, MIXED),
        ({"CC-BY-4.0", "CC0-1.0"}, MIXED),
        ({None}, {"license": "unknown"}),
        (set(), {"license": "unknown"}),
    ],
)
def test_the_card_names_one_licence_only_when_all_rows_share_it(licenses, fields):
    assert card_fields(licenses) == fields


# of what is made from works under each of these: the licence, and what it may be used for
COMBINED = [
    (("CC-BY-4.0", "CC-BY-4.0"), "CC-BY-4.0", "commercial"),
    (("CC-BY-4.0", "CC0-1.0"), "CC-BY-4.0", "commercial"),
    (("CC0-1.0", "CC-PDM-1.0"), "CC-PDM-1.0", "commercial"),
    (("CC-BY-3.0", "CC-BY-4.0"), "CC-BY-4.0", "commercial"),
    (("CC-BY", "CC-BY-4.0"), "CC-BY", "commercial"),
    (("CC-BY-3.0-IGO", "CC-BY-4.0"), "CC-BY-4.0", "commercial"),
    (("CC-BY-4.0", "CC-BY-NC-4.0"), "CC-BY-NC-4.0", "noncommercial"),
    (("CC-BY-4.0", "CC-BY-NC-3.0", "CC0-1.0"), "CC-BY-NC-3.0", "noncommercial"),
    (("CC-BY-4.0", "CC-BY-SA-4.0"), "CC-BY-SA-4.0", "commercial"),
    (("CC-BY-SA-3.0", "CC-BY-SA-4.0"), "CC-BY-SA-4.0", "commercial"),
    (("CC-BY-NC-SA-4.0", "CC-BY-4.0"), "CC-BY-NC-SA-4.0", "noncommercial"),
    (("CC-BY-NC-SA-4.0", "CC-BY-NC-4.0"), "CC-BY-NC-SA-4.0", "noncommercial"),
    # ShareAlike asks for its own terms: no licence is both
    (("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"), None, "none"),
    (("CC-BY-SA-4.0", "CC-BY-NC-4.0"), None, "none"),
    (("CC-BY-SA-1.0", "CC-BY-SA-4.0"), None, "none"),
    # NoDerivatives: the work as it is, and nothing made from it
    (("CC-BY-ND-4.0", "CC-BY-ND-4.0"), "CC-BY-ND-4.0", "none"),
    (("CC-BY-ND-4.0", "CC-BY-4.0"), None, "none"),
    (("CC-BY-NC-ND-4.0", "CC0-1.0"), "CC-BY-NC-ND-4.0", "none"),
    # not stated, or not known: the strictest
    (("CC-BY-4.0", None), None, "none"),
    (("CC0-1.0", None), None, "none"),
    (("CC-BY-4.0", "all rights reserved"), None, "none"),
    ((None,), None, "none"),
    ((), None, "none"),
]
IDS = sorted({name for names, _, _ in COMBINED for name in names if name}) + [None, "CC-BY-NC-SA-2.0-UK", "MIT"]


@pytest.mark.parametrize(("licenses", "license", "use"), COMBINED)
def test_what_is_made_from_several_works_is_under_all_their_licences(licenses, license, use):
    for order in permutations(licenses):
        assert combined(order) == license
    assert use_of(combined(licenses)) == use
    assert permits("commercial", licenses) == (use == "commercial")
    assert permits("noncommercial", licenses) == (use != "none")
    assert permits("all", licenses)
    assert permits("all", licenses, "Reprinted with permission") == (use != "none")


@pytest.mark.parametrize("licenses", [*combinations(IDS, 2), *combinations(IDS, 3)], ids=str)
def test_a_combination_never_permits_what_one_of_its_licences_does_not(licenses):
    for policy in ("commercial", "noncommercial"):
        if permits(policy, licenses):
            assert all(permits(policy, [license]) for license in licenses)
    together = combined(licenses)
    assert combined([*licenses, together]) == together, "the row's `license` beside its `licenses` changes nothing"


def test_a_row_has_its_licence_and_those_of_what_it_is_made_from():
    assert of_row({"license": "CC-BY-4.0"}) == ("CC-BY-4.0",)
    assert of_row({"license": None, "licenses": None}) == of_row({}) == (None,)
    assert of_row({"license": None, "licenses": ["CC-BY-4.0", None]}) == ("CC-BY-4.0", None)
    assert of_row({"license": "CC-BY-NC-4.0", "licenses": ["CC-BY-4.0"]}) == ("CC-BY-4.0", "CC-BY-NC-4.0")
    rows = [{"license": "CC-BY-4.0"}, {"license": None, "licenses": ["CC-BY-4.0", None]}]
    assert counts(rows) == {"CC-BY-4.0": 2, NOT_STATED: 1}


@pytest.mark.parametrize(
    ("name", "version", "port", "license"),
    [
        ("CC-BY", "4.0", None, "CC-BY-4.0"),
        ("CC-BY", "3.0", "IGO", "CC-BY-3.0-IGO"),
        ("CC-BY-NC", "2.0", "UK", "CC-BY-NC-2.0"),
        ("CC-BY-SA", "2.1", "JP", "CC-BY-SA-2.1-JP"),
        ("CC-BY", "2.1", "ES", "CC-BY"),
        ("CC-BY", "9.9", None, "CC-BY"),
        ("CC-BY", "٤.0", None, "CC-BY"),
        ("CC-BY", None, None, "CC-BY"),
    ],
)
def test_ids_have_the_version_that_spdx_knows(name, version, port, license):
    assert spdx_id(name, version, port) == license
    assert is_known(license)


@pytest.mark.parametrize("text", ["CC-BY-9.9", "CC-BY-4.0-XX", "CC-BY-4.0\n", "CC-BY-NC-ND-SA", "<b>", "MIT", "", None])
def test_what_is_no_id_is_not_known(text):
    assert not is_known(text)
    assert use_of(text) == "none"
