"""A benchmark's questions as rows that can be asked, beside those of the project's own datasets."""

from dataclasses import replace

from datasets import Dataset, concatenate_datasets

from dataset_builder.benchmarks.benchmark import OPEN, Benchmark, Columns, of_columns, read_benchmark
from dataset_builder.benchmarks.rows import BenchmarkQuestion, load
from evaluation.answering.questions import Items

DEFAULT_COLUMNS = Columns(image="image", question="question", answer="answer")


def chosen_benchmark(
    name: str | None, dataset: str | None, split: str | None, config: str | None, columns: dict[str, str | None]
) -> Benchmark:
    """The benchmark `name`, read from `dataset` where that is a copy of it; or any VQA dataset by its columns.

    `columns` (name of a field of `Columns` -> column) are those that the user named; the others are the benchmark's, or
    `DEFAULT_COLUMNS`. Raises ValueError for an unknown name.
    """
    given = {field: column for field, column in columns.items() if column is not None}
    if name is None:
        return of_columns(str(dataset), split or "test", config, replace(DEFAULT_COLUMNS, **given))
    benchmark = read_benchmark(name)
    benchmark = replace(benchmark, columns=replace(benchmark.columns, **given), split=split or benchmark.split)
    return replace(benchmark, hub_id=dataset, revision=None) if dataset else benchmark


def load_benchmark(benchmark: Benchmark, revision: str | None) -> Items:
    """Its questions; `revision`: a Hub commit instead of the one that is pinned. Raises as `rows.load` does."""
    loaded = load(replace(benchmark, revision=revision) if revision else benchmark)
    texts = Dataset.from_list([_row(question, benchmark) for question in loaded.questions])
    rows = concatenate_datasets([loaded.pictures, texts], axis=1)
    left_out = ", ".join(f"{n} with {why}" for why, n in sorted(loaded.left_out.items()))
    return Items(
        rows=rows,
        dataset=benchmark.hub_id,
        revision=loaded.revision,
        licenses={benchmark.license or "not stated": len(rows)},
        teachers={benchmark.title: len(rows)},
        split=benchmark.split,
        tasks=sorted(set(rows["task"])),
        benchmark=_about(benchmark),
        left_out=f"left out: {left_out}" if left_out else "",
    )


def _row(question: BenchmarkQuestion, benchmark: Benchmark) -> dict:
    """As a row of the config `detail` has it, without the picture: questions about one picture are one article's."""
    kind = "open" if question.kind == OPEN else "closed"
    return {
        "prompt": [{"role": "user", "content": question.text}],
        "completion": [{"role": "assistant", "content": question.answer}],
        "task": question.group or kind,
        "example_id": question.id,
        "figure_id": question.image_id,
        "article_id": question.image_id,
        "license": benchmark.license,
        "licenses": [benchmark.license],
        "teacher": benchmark.title,
        "answer_kind": kind,
        "options": list(question.options) if question.options else None,
    }


def _about(benchmark: Benchmark) -> dict:
    """What a run's manifest says of it."""
    return {"title": benchmark.title, "prompts": benchmark.prompts}
