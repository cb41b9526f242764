"""Whether a merged checkpoint is the tuned model: its logits against the adapter's and against the base model's."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from transformers import BatchFeature, PreTrainedModel, ProcessorMixin

# Largest difference of a logit, in standard deviations of the logits: rounding of the merged weights, no more.
TOLERANCE = {"float32": 1e-3, "bfloat16": 0.2, "float16": 0.05}
MIN_CHANGE = 10  # the tuned model must differ from the base this many times more than merged from adapter


@dataclass(frozen=True)
class Parity:
    """Largest differences of a logit of the merged model, in standard deviations of the adapter's logits."""

    dtype: str
    error_std: float  # to the adapter
    change_std: float  # to the base model
    is_finite: bool

    def fault(self) -> str | None:
        """Why the merged model is not the tuned one, or None."""
        if not self.is_finite or self.error_std > TOLERANCE[self.dtype]:
            return f"the merged model is not the adapter's: logits differ by {self.error_std:.2g} std"
        if self.change_std <= MIN_CHANGE * self.error_std:
            return f"the merged model is the base model: logits differ by {self.change_std:.2g} std only"
        return None


def measure_parity(of_merged: torch.Tensor, of_adapter: torch.Tensor, of_base: torch.Tensor, dtype: str) -> Parity:
    """Compare logits, each (tokens, vocabulary)."""
    scale = of_adapter.std().item()
    return Parity(
        dtype=dtype,
        error_std=(of_merged - of_adapter).abs().max().item() / scale,
        change_std=(of_merged - of_base).abs().max().item() / scale,
        is_finite=bool(torch.isfinite(of_merged).all()),
    )


def sample_batch(processor: ProcessorMixin) -> BatchFeature:
    """One question about a picture with something to see, as generation would ask it."""
    rows, columns = np.mgrid[:300, :400]
    picture = np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=-1).astype(np.uint8)
    question = [{"type": "image"}, {"type": "text", "text": "Describe this figure in detail."}]
    text = processor.apply_chat_template([{"role": "user", "content": question}], add_generation_prompt=True)
    return processor(images=[Image.fromarray(picture)], text=[text], add_special_tokens=False, return_tensors="pt")


def logits(model: PreTrainedModel, batch: BatchFeature) -> torch.Tensor:
    """(tokens, vocabulary), float32, on the CPU."""
    with torch.no_grad():
        return model(**batch.to(model.device)).logits[0].float().cpu()
