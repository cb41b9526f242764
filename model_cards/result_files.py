"""The files that the cards read of other commands (by `trust/handovers.py`), with the keys that a card relies on."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from trust.handovers import Kind

Count = dict[str, int]  # name -> how many
Interval = list[float | None]  # low and high


class RougeSettings(TypedDict):
    tokenizer: str


class HedgingSettings(TypedDict):
    lexicon_version: str | int


class IntervalSettings(TypedDict):
    method: str
    min_articles: int


class Settings(TypedDict):
    """How a run was scored"""

    rouge: RougeSettings
    hedging: HedgingSettings
    interval: IntervalSettings


class Measured(TypedDict):
    """What rows of scores and of differences have"""

    metric: str
    label: NotRequired[str | None]  # the metric's name on the card; absent in files of before
    judge: str | None
    n: int
    ci_low: float | None
    ci_high: float | None
    no_interval: str | None  # why there is none


class Answers(TypedDict):
    """How many questions were asked, and how many of them have no answer"""

    asked: int
    failed: int


class ScoreRow(Measured):
    task: str
    image_condition: str
    value: float | None
    n_unscored: int
    settings: dict[str, Any]


class GapRow(Measured):
    task: str
    versus: str
    other: float | None
    true: float | None
    delta: float | None


class Control(TypedDict):
    mean: float | None
    n: int
    ok: bool | None


class Retest(TypedDict):
    n: int
    mean_abs_difference: float


class Injected(TypedDict):
    mean_difference: float
    n: int
    ok: bool


class Judge(TypedDict):
    judge: str
    revision: str | None
    backend: str
    statuses: Count
    controls: dict[str, Control]
    retest: Retest | None
    injected: NotRequired[Injected | None]  # like the next absent in runs of before
    unparsable: NotRequired[Count]
    length_slope: float | None
    teacher_family: str | None


class Agreement(TypedDict):
    kappa: float | None
    spearman: float | None
    mean_difference: float | None
    n: int


class PairAgreement(Agreement):
    first: str
    second: str


class JudgeAgreement(TypedDict):
    alpha: float | None
    n: int
    pairs: list[PairAgreement]


class Scores(TypedDict):
    """scores.json"""

    settings: Settings
    answers: dict[str, Answers]
    scores: list[ScoreRow]
    image_gaps: list[GapRow]
    judges: list[Judge]
    judge_agreement: JudgeAgreement | None


class Difference(Measured):
    base: float | None
    tuned: float | None
    delta: float | None
    p_value: float | None


class ComparisonRow(Difference):
    task: str
    image_condition: str
    base_ci: Interval
    tuned_ci: Interval


class DomainRow(Difference):
    dataset: str
    tasks: list[str]


class FrequencyRow(Difference):
    bin: Literal["never", "rare", "common"]
    reference_words: float | None


class OverviewRow(Measured):
    task: str
    run: str
    value: float | None


class Hedges(TypedDict):
    by_word: Count
    mentions: Count


class Asked(TypedDict):
    """What was asked under an image condition"""

    items: int
    options: NotRequired[dict[str, Any]]  # of `ldrt generate`, that are not its defaults


class Compared(TypedDict):
    """One of the two models"""

    image_conditions: NotRequired[dict[str, Asked]]

    model: str
    revision: str | None
    answers: Answers
    hedges: Hedges


class JudgedDelta(TypedDict):
    judge: str
    n: int
    ci_low: float | None
    ci_high: float | None
    delta: float | None
    no_interval: str | None
    effect_size: float | None
    no_effect_size: str | None
    length_adjusted_delta: float | None
    length_adjusted_ci: Interval
    no_length_adjusted_interval: str | None
    points_per_word: float | None
    detectable_difference: float | None


class JudgesOnDelta(TypedDict):
    judges: list[JudgedDelta]
    same_sign: bool | None


class Pairwise(TypedDict):
    judge: str
    tuned: int
    base: int
    tie: int
    consistent: float | None
    first: float | None
    n: int
    win_rate: float | None
    ci_low: float | None
    ci_high: float | None
    no_interval: str | None


class Cells(TypedDict):
    hedged_correct: int
    hedged_wrong: int
    plain_correct: int
    plain_wrong: int


class HedgeByCorrectness(TypedDict):
    judge: str | None
    threshold: float
    n: int
    n_left_out: int
    base: Cells
    tuned: Cells


class ByTermFrequency(TypedDict):
    n_training_answers: int
    n_without_terms: int
    rare_up_to: int
    rows: list[FrequencyRow]


class Comparison(TypedDict):
    """comparison.json"""

    headline: str | None
    settings: Settings
    options: NotRequired[dict[str, Any]]
    differences: dict[str, list[Any]]
    rows: list[ComparisonRow]
    n_items: int
    base: Compared
    tuned: Compared
    overview: list[OverviewRow]
    judges_on_delta: JudgesOnDelta | None
    pairwise: list[Pairwise] | None
    hedge_by_correctness: HedgeByCorrectness | None
    by_term_frequency: ByTermFrequency | None
    forgetting: list[DomainRow] | None
    transfer: list[DomainRow] | None


class Command(TypedDict):
    """How a phase was started"""

    launch: list[str] | None
    recipe: list[str]
    options: list[str]


class Reward(TypedDict):
    """Of a logged step of a preference phase"""

    margin: float
    accuracy: float


class Rewards(TypedDict):
    """By how much the chosen answers were ahead"""

    first: Reward
    last: Reward


class Phase(TypedDict):
    """A training phase in a lineage"""

    trainable: str
    dataset: str
    dataset_config: str
    dataset_split: str
    dataset_revision: str | None
    steps: int
    settings: dict[str, Any]
    train_loss: NotRequired[float | None]
    rows: NotRequired[Any]  # a count where the phase is of before
    recipe: NotRequired[str | None]
    command: NotRequired[Command]
    launch: NotRequired[dict[str, Any]]
    licenses: NotRequired[Count | None]
    tags: NotRequired[list[str] | None]
    rewards: NotRequired[Rewards]  # of a preference phase


class Lineage(TypedDict):
    base_model: str
    base_revision: NotRequired[str | None]
    phases: list[Phase]
    merge: NotRequired[dict[str, str]]  # where the adapter was merged


class Generation(TypedDict):
    max_new_tokens: int
    length_hint: int | None


class AdapterOf(TypedDict):
    model: str
    revision: str | None


class Manifest(TypedDict):
    """manifest.json of a run"""

    backend: str
    model: str
    revision: str | None
    adapter_of: AdapterOf | None
    dataset: str
    dataset_revision: str | None
    split: str
    tasks: list[str]
    image_conditions: dict[str, Asked]
    lineage: Lineage | None
    generation: Generation
    data_licenses: Count
    teachers: Count
    versions: dict[str, str]
    chat_template_sha256: str | None
    device: str | None
    model_type: NotRequired[str | None]  # of its config.json


class Human(TypedDict):
    """human.json"""

    packet: str
    n_raters: int
    n_ratings: int
    n_cannot_judge: int
    systems: list[dict[str, Any]]
    deltas: list[dict[str, Any]]
    judge_agreement: list[dict[str, Any]]
    intra_rater: list[dict[str, Any]]
    inter_rater: dict[str, Any]


class Prediction(TypedDict):
    """A row of predictions.jsonl"""

    example_id: str
    figure_id: str
    task: str
    image_condition: str
    license: str | None
    licenses: NotRequired[list[str | None] | None]
    question: str
    reference: str
    prediction: str | None
    article_id: NotRequired[str]
    finish_reason: NotRequired[str]
    error: NotRequired[str | None]
    image_figure_id: NotRequired[str | None]


class Here(TypedDict):
    """here.json: what is of this machine, and never published"""

    dataset: str  # the folder of the run's dataset


class Evidence(TypedDict):
    """A row of evidence.jsonl"""

    figure_id: str
    license: NotRequired[str | None]
    licenses: NotRequired[list[str | None] | None]
    rights: NotRequired[str | None]
    caption: NotRequired[str | None]
    doi: NotRequired[str | None]


class Thumbnail(TypedDict):
    """A row of thumbnails.jsonl"""

    example_ids: list[str]
    jpeg: str | None  # base64
    problem: str | None


class Said(TypedDict):
    """What a judge said of an answer"""

    judge: str
    status: str
    score: float | None
    reply: str | None


class Item(TypedDict):
    """A row of per_item_scores.jsonl"""

    example_id: NotRequired[str]
    image_condition: str
    scores: dict[str, float | None]
    said: NotRequired[list[Said]]


class Paired(TypedDict):
    """A row of paired_items.jsonl"""

    example_id: str
    image_condition: str
    base: dict[str, float | None]
    tuned: dict[str, float | None]
    base_answer: str | None
    base_finish_reason: NotRequired[str]
    base_error: NotRequired[str | None]
    base_said: NotRequired[list[Said]]
    tuned_said: NotRequired[list[Said]]


class JudgeReply(TypedDict):
    """A row of judgements.jsonl or pairwise.jsonl"""

    example_id: str
    image_condition: str
    reply: NotRequired[str | None]


SCORES = Kind(Scores, "ldrt score {folder}")
COMPARISON = Kind(Comparison, "ldrt compare BASE {folder}")
MANIFEST = Kind(Manifest, "ldrt generate --output {folder}")
HUMAN = Kind(Human, "ldrt human import")
PREDICTIONS = Kind(Prediction, "ldrt generate --output {folder}")
HERE = Kind(Here, "ldrt generate --output {folder}")
EVIDENCE = Kind(Evidence, "ldrt generate --output {folder}")
THUMBNAILS = Kind(Thumbnail, "ldrt generate --output {folder}")
ITEMS = Kind(Item, "ldrt score {folder}")
PAIRED = Kind(Paired, "ldrt compare BASE {folder}")
JUDGEMENTS = Kind(JudgeReply, "ldrt judge {folder}")
VERDICTS = Kind(JudgeReply, "ldrt judge {folder} --against RUN")
