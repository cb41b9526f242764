"""Tune LLaVA on one config of the dataset: phase 1 aligns the projector, phase 2 tunes LoRA and the projector.

    ldrt train --launch accelerate_configs/cpu.yaml --config recipes/tiny-llava/phase1.yaml
    accelerate launch --config_file accelerate_configs/cpu.yaml recipes/sft.py --config recipes/tiny-llava/phase1.yaml
    python recipes/sft.py --config recipes/tiny-llava/phase1.yaml --output_dir runs/phase1

Keys of the YAML (and options of the command line, which win) are those of `Recipe` (training/options.py) and of TRL's
`SFTConfig` and `ModelConfig`. Run the same command again after any interruption: it continues from the last complete
checkpoint, a finished run is left alone, a folder with another run is refused (recipes/README.md, What makes a run).
Exit status: 0 done, 1 training failed, 2 wrong usage; a traceback, and warnings of other people's libraries, only with
`--debug`. `ldrt train` starts it for any number of processes, and says last what went wrong.

`report_to: tensorboard` writes its curves to OUTPUT_DIR/runs (or $TENSORBOARD_LOGGING_DIR), `trackio` to its local
database (`trackio show`), `wandb` to its server; `run_name` names the run, `project` or $WANDB_PROJECT the project.
They are the extra `trackers`.
"""

import os
import sys
import traceback
from pathlib import Path

import torch

from dataset_builder.files.errors import UsageError
from dataset_builder.files.jsonfiles import write_json
from recipes.launching.outcome import FAILED, WRONG_USAGE, tell
from recipes.launching.quiet import be_quiet
from recipes.project_files import read_template
from recipes.training import lineage
from recipes.training.command import describe_command
from recipes.training.examples import ExampleCollator, load_held_out_rows, load_training_rows
from recipes.training.finite import check_weights
from recipes.training.model import (
    audit_trainable,
    choose_templates,
    describe_audit,
    load_model,
    load_processor,
    read_family,
)
from recipes.training.options import parse
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
from recipes.training.trainer import build_trainer, describe_repeats, lora_config
from recipes.watching.questions import draw
from recipes.watching.watch import WatchAnswers
from trust.checkpoints import open_checkpoint
from trust.handovers import stamped


def main(argv: list[str]) -> int:
    """Train one phase, or go on with it; returns the exit status. Raises what went wrong."""
    recipe, args, model_args = parse(argv)
    output = Path(args.output_dir)
    with_lora = recipe.trainable == "lora"
    is_first = args.process_index == 0  # of the processes: it alone prints and writes
    announce = (lambda line: print(f"sft: {line}")) if is_first else (lambda _: None)

    # dataset, and whether the run is there already
    rows, source = load_training_rows(recipe)
    held_out, held_out_source = load_held_out_rows(recipe) if args.eval_strategy != "no" else (None, None)
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
    collator = ExampleCollator(processor, family, template, recipe.train_earlier_answers)

    # rows
    limits = limits_of(recipe, args.max_length)
    rows, scan, odd = scan_rows(rows, collator, limits, recipe.dataset_train_split)
    announce(describe_scan(scan, odd))
    if held_out is not None:
        held_out, _, odd_held_out = scan_rows(held_out, collator, limits, recipe.dataset_test_split)
        odd += odd_held_out
    for line in (*describe_repeats(len(rows), args), *held.said):
        announce(line)

    # trainer
    adapter = lora_config(model_args, family, model.config) if with_lora else None
    trainer = build_trainer(model, collator, rows, held_out, args, adapter, recipe.projector_learning_rate)
    if held_out is not None and (watched := draw(held_out, recipe.eval_questions, collator)):
        trainer.add_callback(WatchAnswers(trainer, watched))
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


if __name__ == "__main__":
    debug = "--debug" in sys.argv
    if not debug:
        be_quiet()
    try:
        sys.exit(main([word for word in sys.argv[1:] if word != "--debug"]))
    except KeyboardInterrupt:
        print("sft: stopped; run the same command again to continue", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if debug:
            traceback.print_exc()
        status = WRONG_USAGE if isinstance(error, UsageError) else FAILED
        if not tell(status, describe_error(error)):
            print(f"sft: {describe_error(error)}", file=sys.stderr)
        sys.exit(status)
    finally:
        if torch.distributed.is_initialized() and os.environ.get("WORLD_SIZE"):
            torch.distributed.destroy_process_group()
