"""recipes/sft.py, or dpo.py for its recipe, that kills each of its processes (SIGKILL) in the middle of saving the
checkpoint of a step.

    accelerate launch --config_file accelerate_configs/ddp_cpu.yaml tests/recipes/killed.py STEP OPTIONS OF sft.py

The checkpoint's files are there by then, its mark is not.
"""

import os
import signal
import sys

from recipes import dpo, sft
from recipes.training.checkpoints import MarkComplete

STEP = int(sys.argv[1])
mark = MarkComplete.on_save


def on_save(self, args, state, control, **kwargs):
    if state.global_step == STEP:
        os.kill(os.getpid(), signal.SIGKILL)
    mark(self, args, state, control, **kwargs)


MarkComplete.on_save = on_save
main = dpo.main if any(word.endswith("dpo.yaml") for word in sys.argv) else sft.main
sys.exit(main(sys.argv[2:]))
