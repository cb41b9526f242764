"""Parameters of a model by part, and TFLOP of a row. Counted on PyTorch's meta device: no weights, no memory."""

import copy
from dataclasses import dataclass, fields

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForImageTextToText, PreTrainedConfig

from recipes.families.family import Family, Limits, PictureWork
from recipes.training.trainer import freeze_unread


@dataclass(frozen=True)
class Shape:
    """What is trained: the model's configuration, and the phase."""

    family: Family
    config: PreTrainedConfig
    trainable: str  # projector, lora, full-vision or preference
    adapter: LoraConfig | None  # of all but projector

    limits: Limits = Limits()

    @property
    def answers(self) -> int:
        """Rows that go through the model for one of the dataset: of a pair two."""
        return 2 if self.trainable == "preference" else 1

    @property
    def picture(self) -> PictureWork:
        """The largest picture that goes in."""
        return self.family.picture_work(self.config, self.limits)


@dataclass(frozen=True)
class Parameters:
    """Numbers of a model by part: frozen ones first. In phase 2 PEFT keeps the projector twice, the original and the
    trained copy, and a vision tower that is trained, too."""

    vision_tower: int = 0
    projector: int = 0
    embeddings: int = 0
    layers: int = 0
    lm_head: int = 0
    lora: int = 0
    projector_trained: int = 0
    vision_tower_trained: int = 0

    @property
    def trained(self) -> int:
        return self.lora + self.projector_trained + self.vision_tower_trained

    @property
    def total(self) -> int:
        return self.frozen + self.trained

    @property
    def frozen(self) -> int:
        return self.vision_tower + self.projector + self.embeddings + self.layers + self.lm_head


def build_on_meta(shape: Shape, layers: int | None = None) -> torch.nn.Module:
    """The model as the phase trains it, without memory. `layers` cuts the language model."""
    config = copy.deepcopy(shape.config)
    if layers is not None:
        config.text_config.num_hidden_layers = layers
        shape.family.refit(config)
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa")
        model.requires_grad_(False)
        if shape.trainable == "projector":
            for projector in shape.family.projectors(model):
                projector.requires_grad_(True)
        else:
            model = get_peft_model(model, shape.adapter)
            freeze_unread(model, shape.family)
    return model.train()


def count_parameters(model: torch.nn.Module, family: Family) -> Parameters:
    """Parameters by part, of the model as it is trained."""
    counts = dict.fromkeys((field.name for field in fields(Parameters)), 0)
    for name, parameter in model.named_parameters():
        counts[_part(name, family, parameter.requires_grad)] += parameter.numel()
    return Parameters(**counts)


def _part(name: str, family: Family, trained: bool) -> str:
    if "lora_" in name:
        return "lora"
    if family.is_projector(name):
        return "projector_trained" if trained else "projector"
    if family.is_vision_tower(name):
        return "vision_tower_trained" if trained else "vision_tower"
    if family.lm_head in name:
        return "lm_head"
    if "embed_tokens" in name:
        return "embeddings"
    return "layers" if family.language_model in name else "projector"  # LLaVA-NeXT's image_newline


def tflop_per_row(shape: Shape, parameters: Parameters, tokens: np.ndarray | int, checkpointing: bool) -> np.ndarray:
    """TFLOP to train on rows of `tokens` tokens, pictures included: a multiply-add is two FLOPs.

    The frozen parts of the language model cost their forward pass once more going backward (gradients of activations
    only), trained ones twice more, causal attention twice more; checkpointing repeats the layers' forward pass. A
    frozen vision tower runs forward only. The head is counted for every token; TRL runs it on the trained ones (below
    1 %). Of a preference phase both answers go through the model, and once more, forward only, through the reference.
    """
    tokens = np.asarray(tokens, dtype=np.float64)
    text = shape.config.text_config
    width = text.num_attention_heads * head_width(text)
    layers = 2 * parameters.layers * tokens
    lora = 2 * parameters.lora * tokens
    attention = 2 * text.num_hidden_layers * width * tokens**2  # half of the square is masked
    head = 2 * text.vocab_size * text.hidden_size * tokens  # also where it is the embeddings
    projector = 3 * 2 * parameters.projector_trained * shape.picture.image_tokens
    total = 2 * (layers + head) + 3 * (attention + lora) + projector
    total = total + _tower_flop(shape, parameters, checkpointing)
    if checkpointing:
        total = total + layers + attention + lora
    if shape.trainable == "preference":
        frozen_projector = 2 * parameters.projector * shape.picture.image_tokens
        reference = layers + attention + head + frozen_projector + _tower_flop(shape, parameters, checkpointing)
        total = shape.answers * (total + frozen_projector + reference)
    return total / 1e12


def _tower_flop(shape: Shape, parameters: Parameters, checkpointing: bool) -> int:
    """FLOP of the vision tower over all tiles of a picture: forward, and where it is trained twice more backward; what
    of a trained tower is not read is left out (below 1 % of a row)."""
    vision = shape.config.vision_config
    picture, layers = shape.picture, getattr(vision, shape.family.vision_layers)
    attention_of_token = 4 * layers * vision.hidden_size * picture.tower_tokens
    numbers, passes = parameters.vision_tower, 1
    if parameters.vision_tower_trained:
        numbers, passes = parameters.vision_tower_trained, 4 if checkpointing else 3
    return passes * picture.tower_tokens_in_all * (2 * numbers + attention_of_token)


def head_width(text: PreTrainedConfig) -> int:
    """Numbers of an attention head: some families say it, with others the heads share the width."""
    return getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
