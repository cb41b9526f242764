"""One phase of training from options to checkpoint, whatever the script: what sft.py and dpo.py have in common."""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

import torch

from dataset_builder.files.errors import UsageError
from dataset_builder.files.jsonfiles import write_json
from dataset_builder.files.quiet import be_quiet
from recipes.launching.outcome import FAILED, WRONG_USAGE, tell
from recipes.project_files import read_template
from recipes.training import lineage
from recipes.training.command import describe_command
from recipes.training.examples import (
    COLUMNS,
    PAIR_COLUMNS,
    ExampleCollator,
    PairCollator,
    load_held_out_rows,
    load_training_rows,
)
from recipes.training.finite import check_weights
from recipes.training.model import (
    audit_trainable,
    choose_templates,
    describe_audit,
    load_model,
    load_processor,
    read_family,
)
from recipes.training.options import DPO, SFT, Script, parse
from recipes.training.processes import of_the_first
from recipes.training.results import (
    describe_error,
    describe_phase,
    launch,
    look_at,
    recipe_file,
    results,
    save,
    saved_by,
    timing,
    train,
)
from recipes.training.scan import describe_scan, limits_of, scan_rows, write_odd_rows
from recipes.training.trainer import (
    PhaseTrainer,
    PreferenceTrainer,
    StrictTrainer,
    build_trainer,
    describe_repeats,
    describe_step,
    lora_config,
)
from recipes.watching.questions import draw
from recipes.watching.watch import watch_answers
from trust.checkpoints import open_checkpoint
from trust.handovers import stamped


class Method(NamedTuple):
    """What one way to train does otherwise than another."""

    name: str  # of the script
    options: Script
    columns: tuple[str, ...]  # of its rows
    collator: type[ExampleCollator]
    trainer: type[StrictTrainer]
    watches_answers: bool  # generates some while it trains, where `eval_strategy` is set


ANSWERS = Method("sft", SFT, COLUMNS, ExampleCollator, PhaseTrainer, watches_answers=True)
PREFERENCES = Method("dpo", DPO, PAIR_COLUMNS, PairCollator, PreferenceTrainer, watches_answers=False)


def train_phase(argv: list[str], method: Method) -> int:
    """Train one phase, or go on with it; returns the exit status. Raises what went wrong."""
    recipe, args, model_args = parse(argv, script=method.options)
    output = Path(args.output_dir)
    is_first = args.process_index == 0  # of the processes: it alone prints and writes
    announce = (lambda line: print(f"{method.name}: {line}")) if is_first else (lambda _: None)

    # dataset, and whether the run is there already
    rows, source = load_training_rows(recipe, method.columns)
    held_out, held_out_source = None, None
    if args.eval_strategy != "no":
        held_out, held_out_source = load_held_out_rows(recipe, method.columns)
    start = open_checkpoint(model_args.model_name_or_path, model_args.model_revision)
    history = lineage.read(start)
    family = read_family(start)
    choose_templates(recipe, args, family)
    described = (recipe, args, model_args, start, source, held_out_source)
    entry = of_the_first(lambda: describe_phase(*described))
    held = of_the_first(lambda: look_at(output, entry, saved_by(args)))
    if held.refused is not None:
        raise ValueError(held.refused)
    if held.finished:
        announce(f"{output} holds this finished run already; remove it to train again")
        return 0

    # model
    model = load_model(start, model_args, family, recipe.trainable, announce)
    check_weights(model.named_parameters(), f"{start.name}, to start from,")
    processor = load_processor(start, model.config, args.chat_template_path, recipe.limits)
    template = read_template(recipe.train_template_path)
    collator = method.collator(processor, family, template, recipe.train_earlier_answers)

    # rows
    limits = limits_of(recipe, args.max_length)
    rows, scan, odd = scan_rows(rows, collator, limits, recipe.dataset_train_split)
    announce(describe_scan(scan, odd))
    if held_out is not None:
        held_out, _, odd_held_out = scan_rows(held_out, collator, limits, recipe.dataset_test_split)
        odd += odd_held_out
    for line in (describe_step(args), *describe_repeats(len(rows), args), *held.said):
        announce(line)

    # trainer
    adapter = lora_config(model_args, family, model.config, recipe.trainable) if recipe.with_lora else None
    trainer = build_trainer(
        model, collator, rows, held_out, args, adapter, recipe.projector_learning_rate, method.trainer
    )
    if held_out is not None and method.watches_answers:
        watch_answers(trainer, draw(held_out, recipe.eval_questions, collator))
    audit = audit_trainable(trainer.model, family, recipe.trainable)
    announce(describe_audit(audit, family))
    announce("{processes} process(es), {distributed}, backend {backend}".format(**launch(trainer)))
    entry |= {"recipe": recipe_file(argv), "command": describe_command(argv), "model_type": family.model_type}
    if is_first:
        write_odd_rows(output, odd)
        write_json(output / "trainable.json", stamped(audit))
        write_json(output / lineage.STARTED, stamped(entry | {"saved_by": saved_by(args)}))
    if held.checkpoint is not None:
        announce(f"continues from {held.checkpoint}")
    trained = train(trainer, held.checkpoint)

    # save
    if is_first:
        write_json(output / "timing.json", stamped(timing(trained, held.checkpoint, args.world_size)))
    history["phases"].append(entry | {"rows": scan} | results(trainer))
    save(trainer, processor, recipe.trainable, history, start)
    announce(f"{recipe.trainable} tuned, {trainer.state.global_step} steps, saved in {output}")
    return 0


def run_script(name: str, main: Callable[[list[str]], int]) -> NoReturn:
    """Run a script with the words of the command line, and end the process with its exit status."""
    debug = "--debug" in sys.argv
    if not debug:
        be_quiet()
    try:
        sys.exit(main([word for word in sys.argv[1:] if word != "--debug"]))
    except KeyboardInterrupt:
        print(f"{name}: stopped; run the same command again to continue", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if debug:
            traceback.print_exc()
        status = WRONG_USAGE if isinstance(error, UsageError) else FAILED
        if not tell(status, describe_error(error)):
            print(f"{name}: {describe_error(error)}", file=sys.stderr)
        sys.exit(status)
    finally:
        if torch.distributed.is_initialized() and os.environ.get("WORLD_SIZE"):
            torch.distributed.destroy_process_group()
