"""The commands: where each is, and what it does, in the order in which they are used."""

from typing import NamedTuple


class Stage(NamedTuple):
    """A module with a dataclass `Options` and a function `run(options) -> str`; imported only when it is asked for."""

    module: str
    summary: str


_GROUPS = {
    "articles to dataset": {
        "fetch": Stage("dataset_builder.fetch", "domain, ids or list -> folder of open-access articles, pictures, too"),
        "build": Stage("dataset_builder.build", "folder of PDFs and JATS packages -> dataset folder, config `pairs`"),
        "instruct": Stage("dataset_builder.instruct", "`pairs` -> configs `align`, `detail`, `reasoning`, `instruct`"),
        "retract": Stage("dataset_builder.retract", "an article or a figure out of a dataset folder, for good"),
        "rehydrate": Stage("dataset_builder.rehydrate", "published rows without pictures + your articles -> `pairs`"),
        "screen": Stage("dataset_builder.screen", "`pairs` -> what in the pictures looks like personal data"),
        "push": Stage("model_cards.push", "dataset folder -> Hub"),
        "export": Stage("model_cards.export", "dataset -> LLaVA JSON, ShareGPT JSON or WebDataset, for other trainers"),
    },
    "dataset to model": {
        "plan": Stage("recipes.plan", "recipe + dataset -> memory and time estimate, launch advice, two-step check"),
        "train": Stage("recipes.train", "recipe + dataset -> checkpoint: phase 1 the projector, phase 2 LoRA as well"),
        "sweep": Stage("recipes.sweep", "one recipe, several runs with changes -> quality against training time"),
        "merge": Stage("recipes.merge", "adapter -> merged checkpoint, with a parity check"),
        "ask": Stage("evaluation.ask", "checkpoint, a figure of yours and a question -> the answer, in the terminal"),
        "app": Stage("evaluation.app", "checkpoint, and its base model -> a page to drop figures on and ask"),
    },
    "model to numbers": {
        "generate": Stage("evaluation.generate", "checkpoint -> RUN/predictions.jsonl"),
        "judge": Stage("evaluation.judge", "predictions -> RUN/judgements.jsonl, graded by a language model"),
        "score": Stage("evaluation.score", "predictions -> RUN/scores.json"),
        "compare": Stage("evaluation.compare", "scored runs -> comparison.json, each against the base run"),
        "human": Stage("evaluation.human", "runs -> a blind rating page; its ratings -> agreement with the judges"),
        "prefer": Stage("evaluation.prefer", "two judged runs of training questions -> config `preference`, for DPO"),
    },
    "numbers to a published model": {
        "card": Stage("model_cards.card", "result files -> model card"),
        "publish": Stage("model_cards.publish", "checkpoint + card + predictions -> Hub"),
        "verify": Stage("verification.verify", "published model or dataset -> each number made again"),
    },
    "to begin with": {
        "demo": Stage("recipes.demo", "all of the above on the built-in sample corpus, on a CPU"),
        "doctor": Stage("ldrt.doctor", "what this machine has, what is missing, and the command that gets it"),
        "completion": Stage("ldrt.completion", "for your shell: commands, options and values by the Tab key"),
    },
}
STAGES: dict[str, Stage] = {name: stage for group in _GROUPS.values() for name, stage in group.items()}


def overview() -> str:
    """What `ldrt --help` prints."""
    lines = []
    for heading, stages in _GROUPS.items():
        lines += [f"{heading}:", *(f"  {name:<11} {stage.summary}" for name, stage in stages.items()), ""]
    return "\n".join(
        [
            "usage: ldrt COMMAND [options] [--config FILE.yaml] [--debug]",
            "       ldrt help COMMAND",
            "       ldrt --version",
            "",
            "Biomedical articles -> dataset -> instructions -> tuned LLaVA -> scores -> model card.",
            "",
            *lines,
            "`ldrt help COMMAND`, or `ldrt COMMAND --help`, has a command's options and examples.",
        ]
    )
