import pytest

from dataset_builder.teaching.context import Donors, given_context


def contexts(articles: int, figures: int, language: str = "en", split: str = "train") -> list[dict]:
    ids = [(f"{language}{a}", f"{language}{a}/fig{f}") for a in range(articles) for f in range(figures)]
    return [
        {
            "article_id": a,
            "figure_id": f,
            "language": language,
            "split": split,
            "context": [f"Seen in {f}."],
            "questions": [],
        }
        for a, f in ids
    ]


def shuffled(rows: list[dict], folder) -> list[dict]:
    return list(given_context(rows, "shuffled", donors=Donors(rows, folder)))


def test_shuffled_context_is_of_another_article_in_the_same_language_and_used_once(tmp_path):
    rows = [*contexts(5, 3), *contexts(1, 2, "de"), *contexts(2, 2, split="test")]
    rows.append(rows[0] | {"figure_id": "en0/fig9", "context": []})
    given = shuffled(rows, tmp_path)
    assert [row["figure_id"] for row in given] == [row["figure_id"] for row in rows]
    english = given[:15]
    assert all(row["context"] == [f"Seen in {row['context_of']}."] for row in english)
    assert all(row["context_of"].split("/")[0] not in (None, row["article_id"]) for row in english)
    assert len({row["context_of"] for row in english}) == 15
    assert [(row["context"], row["context_of"]) for row in given[15:17]] == [([], None)] * 2  # one German article
    assert all(row["context_of"] == row["figure_id"] for row in given[17:21])  # held out
    assert given[21]["context_of"] is None
    assert given == shuffled(rows, tmp_path)
    assert list(tmp_path.iterdir()) == []  # the contexts wait in a file without a name


NC, BY, SA, NC_SA = "CC-BY-NC-4.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"


@pytest.mark.parametrize(
    ("own", "donor", "licenses", "license"),
    [
        ([BY], [NC], [BY, NC], NC),
        ([NC], [BY], [BY, NC], NC),
        ([BY], [BY], [BY], BY),
        ([BY], [None], [BY, None], None),
        ([SA], [NC_SA], [NC_SA, SA], None),
        ([BY], [BY, None], [BY, None], None),  # a donor whose figure has rights of its own
    ],
)
def test_a_shuffled_context_brings_its_licences(own, donor, licenses, license, tmp_path):
    rows = contexts(2, 1)
    rows[0] |= {"license": own[0], "licenses": own}
    rows[1] |= {"license": donor[0], "licenses": donor}
    given = shuffled(rows, tmp_path)[0]
    assert (given["licenses"], given["license"]) == (licenses, license)


@pytest.mark.parametrize("context", ["own", "none"])
def test_without_another_figures_context_the_licences_are_the_rows_own(context):
    rows = [row | {"license": BY} for row in contexts(2, 1)]
    rows[1] |= {"license": NC}
    assert [(row["licenses"], row["license"]) for row in given_context(rows, context)] == [([BY], BY), ([NC], NC)]
