"""Parts of the training split, and sweeps: several runs of a recipe, trained, asked, scored and drawn."""

import pytest
from datasets import Dataset

from recipes.examples import load_examples, of_articles


def test_a_share_of_the_articles_is_whole_articles_and_always_the_same(dataset):
    articles = [f"PMC{number % 300}" for number in range(900)]
    rows = Dataset.from_dict({"article_id": articles})
    tenth, half = (set(of_articles(rows, share)["article_id"]) for share in (0.1, 0.5))
    assert tenth < half and 15 <= len(tenth) <= 45 and 120 <= len(half) <= 180
    assert len(of_articles(rows, 0.1)) == 3 * len(tenth)  # every row of each
    assert len(of_articles(rows, 1)) == 900

    both, source = load_examples(str(dataset), "instruct", "train", None, article_share=0.5)
    assert source["article_share"] == 0.5
    questions = [row[0]["content"] for row in both["prompt"]]
    assert 0 < len(questions) < 64 and len(set(questions)) == 2 and questions.count(questions[0]) == len(questions) / 2


@pytest.mark.parametrize("share", [0, 1.5, -1])
def test_an_impossible_share_is_refused(dataset, share):
    with pytest.raises(ValueError, match="above 0"):
        load_examples(str(dataset), "instruct", "train", None, article_share=share)
