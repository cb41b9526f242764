"""Tune LLaVA on one config of the dataset: phase 1 aligns the projector, phase 2 tunes LoRA and the projector.

    ldrt train --launch accelerate_configs/cpu.yaml --config recipes/tiny-llava/phase1.yaml
    accelerate launch --config_file accelerate_configs/cpu.yaml recipes/sft.py --config recipes/tiny-llava/phase1.yaml
    python recipes/sft.py --config recipes/tiny-llava/phase1.yaml --output_dir runs/phase1

Keys of the YAML (and options of the command line, which win) are those of `Recipe` (keys/recipe.py) and of TRL's
`SFTConfig` and `ModelConfig`. Run the same command again after any interruption: it continues from the last complete
checkpoint, a finished run is left alone, a folder with another run is refused (recipes/README.md, What makes a run).
Exit status: 0 done, 1 training failed, 2 wrong usage; a traceback, and warnings of other people's libraries, only with
`--debug`. `ldrt train` starts it for any number of processes, and says last what went wrong.

`report_to: tensorboard` writes its curves to OUTPUT_DIR/runs (or $TENSORBOARD_LOGGING_DIR), `trackio` to its local
database (`trackio show`), `wandb` to its server; `run_name` names the run, `project` or $WANDB_PROJECT the project.
They are the extra `trackers`.
"""

from recipes.methods import ANSWERS
from recipes.phase import run_script, train_phase


def main(argv: list[str]) -> int:
    """Train one phase, or go on with it (`recipes/phase.py`); returns the exit status. Raises what went wrong."""
    return train_phase(argv, ANSWERS)


if __name__ == "__main__":
    run_script("sft", main)
