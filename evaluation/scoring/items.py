"""One measured answer: its numbers in memory, and as a row of per_item_scores.jsonl."""

from collections.abc import Iterable
from dataclasses import dataclass

from evaluation.judgements import Judgement, of_answers, scores_of_answers
from evaluation.metrics.metric import Scores
from evaluation.run_folder import Evidence, ItemRow, Place, Prediction, Said, place
from evaluation.scoring.measures import JUDGE_MEAN, measure

_JUDGE_COLUMN = "judge:"  # in files, where a judge's points stand among the metrics: `judge:NAME`


@dataclass(frozen=True)
class ScoredItem:
    """A row of per_item_scores.jsonl."""

    example_id: str
    figure_id: str
    article_id: str
    task: str  # detail | reasoning
    image_condition: str
    scores: Scores
    said: tuple[Said, ...] = ()  # each judge's record that counts, by the judges' names

    @property
    def place(self) -> Place:
        return self.image_condition, self.example_id


def measure_all(
    predictions: list[Prediction],
    evidence: dict[str, Evidence],
    judgements: list[Judgement],
    rouge_tokenizer: str,
) -> list[ScoredItem]:
    """Every answer measured; `judgements` are the records that count, `evidence` is by figure_id."""
    given, said = scores_of_answers(judgements), _said(judgements)
    items = []
    for prediction in predictions:
        metrics = measure(prediction, evidence.get(prediction["figure_id"]), rouge_tokenizer)
        judges = _points(prediction, given)
        if len(judges) > 1:
            judges[JUDGE_MEAN] = mean_of_judges(judges.values())
        items.append(
            ScoredItem(
                example_id=prediction["example_id"],
                figure_id=prediction["figure_id"],
                article_id=prediction["article_id"],
                task=prediction["task"],
                image_condition=prediction["image_condition"],
                scores=Scores(metrics, judges),
                said=tuple(said.get(place(prediction), ())),
            )
        )
    return items


def _said(judgements: list[Judgement]) -> dict[Place, list[Said]]:
    """What the judges said of each answer, in the order of their names."""
    of_answer: dict[Place, list[Said]] = {}
    for record in sorted(of_answers(judgements), key=lambda record: record["judge"]):
        said = Said(judge=record["judge"], status=record["status"], score=record["score"], reply=record["reply"])
        of_answer.setdefault((record["image_condition"], record["example_id"]), []).append(said)
    return of_answer


def _points(prediction: Prediction, given: dict[tuple[str, str], dict[str, float]]) -> dict[str, float | None]:
    """judge -> points, of the judges that were asked about this image condition; None where one gave none."""
    return {
        judge: scores.get(prediction["example_id"])
        for (judge, condition), scores in given.items()
        if condition == prediction["image_condition"]
    }


def mean_of_judges(points: Iterable[float | None]) -> float | None:
    """None where one of the judges gave no points: means of different judges cannot be compared."""
    known = []
    for value in points:
        if value is None:
            return None
        known.append(value)
    return sum(known) / len(known)


def judge_names(scores: Iterable[Scores]) -> list[str]:
    """All judges, and the name of their mean where there is one, sorted."""
    return sorted({judge for of_item in scores for judge in of_item.judges})


# ---- in files


def row_of_item(item: ScoredItem) -> dict:
    return {**identity_of(item), "scores": columns_of(item.scores), "said": list(item.said)}


def item_of_row(row: ItemRow) -> ScoredItem:
    return ScoredItem(
        example_id=row["example_id"],
        figure_id=row["figure_id"],
        article_id=row["article_id"],
        task=row["task"],
        image_condition=row["image_condition"],
        scores=_scores_of(row["scores"]),
        said=tuple(row.get("said", ())),
    )


def identity_of(item: ScoredItem) -> dict[str, str]:
    """Which answer to which question it is, as columns of a file."""
    return {
        "example_id": item.example_id,
        "figure_id": item.figure_id,
        "article_id": item.article_id,
        "task": item.task,
        "image_condition": item.image_condition,
    }


def columns_of(scores: Scores) -> dict[str, float | None]:
    """The metrics, then the judges' points as `judge:NAME`."""
    return scores.metrics | {_JUDGE_COLUMN + judge: points for judge, points in scores.judges.items()}


def _scores_of(columns: dict[str, float | None]) -> Scores:
    scores = Scores({}, {})
    for column, value in columns.items():
        if column.startswith(_JUDGE_COLUMN):
            scores.judges[column.removeprefix(_JUDGE_COLUMN)] = value
        else:
            scores.metrics[column] = value
    return scores
