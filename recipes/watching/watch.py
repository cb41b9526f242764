"""At each evaluation: answers to the fixed questions, scores of them into the log, all into OUTPUT/samples.jsonl."""

from pathlib import Path

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from dataset_builder.files.jsonfiles import read_jsonl, write_jsonl
from recipes.training.trainer import PhaseTrainer
from recipes.watching.answers import Sample, answer, scores, undisturbed
from recipes.watching.questions import Watched
from recipes.watching.trackers import show

FILE = "samples.jsonl"  # in the output folder


def watch_answers(trainer: PhaseTrainer, watched: list[Watched]) -> None:
    """Generate answers to these questions at every evaluation; none: none."""
    if watched:
        trainer.add_callback(WatchAnswers(trainer, watched))


class WatchAnswers(TrainerCallback):
    """Trainer asks it after the loss of the held-out rows is known; every process takes part."""

    def __init__(self, trainer: PhaseTrainer, watched: list[Watched]):
        self.trainer, self.watched = trainer, watched

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **_,
    ) -> None:
        """Ask, and add the scores to `metrics`, by which the best checkpoint may be chosen."""
        trainer = self.trainer
        model = trainer.model  # without DDP's or DeepSpeed's wrapper, whose forward pass is for training
        with undisturbed(model), trainer.accelerator.autocast():
            samples = answer(
                model, trainer.processing_class, self.watched, args.per_device_eval_batch_size, state.global_step
            )
        found = scores(samples)
        if metrics is not None:
            metrics.update(found)
        trainer.log(found)
        if state.is_world_process_zero:
            keep(Path(args.output_dir) / FILE, samples, state.global_step)
            show(trainer.callback_handler.callbacks, self.watched, samples, state.global_step)


def keep(path: Path, samples: list[Sample], step: int) -> None:
    """Add the answers of a step; those of this step and later are of a run that was killed, and goes on."""
    before = [row for row in read_jsonl(path) if row["step"] < step]
    write_jsonl(path, [*before, *samples])
