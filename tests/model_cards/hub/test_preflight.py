import pytest

from model_cards.hub.preflight import front_matter


@pytest.mark.parametrize("card", ["# no YAML", "---\na: [\n---\n", "---\njust text\n---\n"])
def test_a_card_without_readable_yaml(card):
    with pytest.raises(ValueError, match="README.md"):
        front_matter(card)
