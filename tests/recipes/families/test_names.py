"""The families' names, read without importing them."""

from recipes.families.find import FAMILIES
from recipes.families.names import model_types


def test_every_family_is_named():
    assert model_types() == sorted(family.model_type for family in FAMILIES)
