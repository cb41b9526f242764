"""Tune LLaVA on one config of the dataset: phase 1 aligns the projector, phase 2 tunes LoRA and the projector.

    accelerate launch --config_file accelerate_configs/cpu.yaml recipes/sft.py --config recipes/tiny-llava/phase1.yaml
    python recipes/sft.py --config recipes/tiny-llava/phase1.yaml --output_dir runs/phase1

Keys of the YAML (and options of the command line, which win) are those of `Recipe` (training/options.py) and of TRL's
`SFTConfig` and `ModelConfig`. Run the same command again after any interruption: it continues from the last complete
checkpoint, and a finished run is left alone. Exit status: 0 done, 1 training failed, 2 wrong usage; a traceback only
with `--debug`.

`report_to: tensorboard` writes its curves to OUTPUT_DIR/runs (or $TENSORBOARD_LOGGING_DIR), `trackio` to its local
database (`trackio show`), `wandb` to its server; `run_name` names the run, `project` or $WANDB_PROJECT the project.
They are the extra `trackers`.
"""

import os
import sys
import traceback
from pathlib import Path

import torch
import transformers

from dataset_builder.files.errors import UsageError
from dataset_builder.files.jsonfiles import write_json
from recipes.project_files import read_template
from recipes.training import lineage
from recipes.training.command import describe_command
from recipes.training.examples import ExampleCollator, load_held_out_rows, load_training_rows, scan_lengths
from recipes.training.model import audit_trainable, describe_audit, load_model, load_processor, read_family
from recipes.training.options import parse
from recipes.training.results import (
    describe_error,
    describe_phase,
    describe_scan,
    is_finished,
    launch,
    recipe_file,
    results,
    save,
    timing,
)
from recipes.training.trainer import build_trainer, last_complete_checkpoint, lora_config
from trust.checkpoints import open_checkpoint
from trust.handovers import stamped


def main(argv: list[str]) -> int:
    """Train one phase, or go on with it; returns the exit status. Raises what went wrong."""
    recipe, args, model_args = parse(argv)
    output = Path(args.output_dir)
    with_lora = recipe.trainable == "lora"
    is_first = args.process_index == 0  # of the processes: it alone prints and writes
    announce = print if is_first else (lambda _: None)

    # dataset
    rows, source = load_training_rows(recipe)
    start = open_checkpoint(model_args.model_name_or_path, model_args.model_revision)
    history = lineage.read(start)
    started = {"recipe": recipe_file(argv), "command": describe_command(argv)}
    entry = describe_phase(recipe, args, model_args, source) | started
    if is_finished(output, entry):
        announce(f"sft: {output} holds this finished run already; remove it to train again")
        return 0

    # model
    family = read_family(start)
    model = load_model(start, model_args, family, recipe.trainable, announce)
    processor = load_processor(start, model.config, args.chat_template_path, recipe.max_grid_tiles)
    template = read_template(recipe.train_template_path)
    rows, scan = scan_lengths(rows, processor, template, args.max_length, keep_text_only=with_lora)
    announce(f"sft: {describe_scan(scan)}")
    held_out = None
    if args.eval_strategy != "no":
        held_out, _ = scan_lengths(load_held_out_rows(recipe), processor, template, args.max_length, with_lora)

    # trainer
    collator = ExampleCollator(processor, family, template)
    adapter = lora_config(model_args, family) if with_lora else None
    trainer = build_trainer(model, collator, rows, held_out, args, adapter, recipe.projector_learning_rate)
    audit = audit_trainable(trainer.model, family, recipe.trainable)
    announce(f"sft: {describe_audit(audit, family)}")
    announce("sft: {processes} process(es), {distributed}, backend {backend}".format(**launch(trainer)))
    if is_first:
        write_json(output / "trainable.json", stamped(audit))
        write_json(output / lineage.STARTED, stamped(entry))
    checkpoint = last_complete_checkpoint(output)
    if checkpoint is not None:
        announce(f"sft: continues from {checkpoint}")
    trained = trainer.train(resume_from_checkpoint=checkpoint)

    # save
    if is_first:
        write_json(output / "timing.json", stamped(timing(trained, checkpoint, args.world_size)))
    origin = {"start_revision": start.revision} if is_first else {}  # of a folder its hash: one process reads it
    history["phases"].append(entry | {"rows": scan} | results(trainer) | origin)
    save(trainer, processor, recipe.trainable, history, start)
    announce(f"sft: {recipe.trainable} tuned, {trainer.state.global_step} steps, saved in {output}")
    return 0


if __name__ == "__main__":
    debug = "--debug" in sys.argv
    transformers.logging.set_verbosity_warning()
    try:
        sys.exit(main([word for word in sys.argv[1:] if word != "--debug"]))
    except Exception as error:
        if debug:
            traceback.print_exc()
        print(f"sft: {describe_error(error)}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    finally:
        if torch.distributed.is_initialized() and os.environ.get("WORLD_SIZE"):
            torch.distributed.destroy_process_group()
