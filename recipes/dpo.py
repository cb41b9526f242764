"""Tune a model that answers already on pairs of answers, of which a judge prefers one: DPO, with pictures.

    ldrt prefer runs/first runs/second dataset                    # judged answers -> config `preference`
    accelerate launch --config_file accelerate_configs/ddp.yaml recipes/dpo.py --config recipes/llava-v1.5-13b/dpo.yaml
    ldrt merge runs/llava-v1.5-13b/dpo --output runs/llava-v1.5-13b/preferred

It starts from a whole checkpoint: the merged one of phase 2. LoRA on the language model is trained; projector and
vision tower are frozen. The reference is the start model itself, with the adapter switched off, so that memory holds
one model. Keys of the YAML are those of `PreferenceRecipe` (keys/recipe.py) and of TRL's `DPOConfig` and
`ModelConfig`; all else is as in sft.py: run again to go on, refused where the folder holds another run, exit status 0
done, 1 training failed, 2 wrong usage, a traceback only with `--debug`.
"""

from recipes.methods import PREFERENCES
from recipes.phase import run_script, train_phase


def main(argv: list[str]) -> int:
    """Train the phase, or go on with it (`recipes/phase.py`); returns the exit status. Raises what went wrong."""
    return train_phase(argv, PREFERENCES)


if __name__ == "__main__":
    run_script("dpo", main)
