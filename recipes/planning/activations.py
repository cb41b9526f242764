"""Peak bytes of activations, by running the very modules that are trained on fake tensors. No weights, no GPU."""

import weakref
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch._subclasses.fake_tensor import FakeTensorMode  # the one way to run shapes without memory; no public name yet
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import PreTrainedConfig, PreTrainedModel, SiglipVisionConfig, SiglipVisionModel
from transformers.models.siglip.modeling_siglip import SiglipEncoder

from recipes.planning.arithmetic import Shape, build_on_meta
from recipes.planning.memory import FP32, Precision

LOSS_TILE = (4096, 32768)  # tokens × vocabulary of TRL's fused head


@dataclass(frozen=True)
class Batch:
    """Rows of one length on one device."""

    rows: int  # that go through the model: of pairs twice as many
    tokens: int  # of each row, its picture's included
    image_tokens: int  # of each row
    checkpointing: bool


def batch_of(shape: Shape, rows: int, tokens: int, checkpointing: bool) -> Batch:
    """A batch of `rows` of the dataset, each with the picture of most image tokens that goes in."""
    return Batch(rows * shape.answers, tokens, min(tokens, shape.picture.image_tokens), checkpointing)


def activation_bytes(shape: Shape, batch: Batch, precision: Precision, on_cpu: bool) -> int:
    """Peak bytes of activations and work space of one forward and backward pass.

    The trained language model itself runs, with two and with three layers, on fake tensors that have a shape and no
    memory; each further layer adds what the third did. On top come the loss's buffers and the projector's outputs.
    Attention is SDPA's flash kernel, which keeps no square of scores, as on a GPU. What a trained vision tower keeps
    stays until the language model has gone backward; only then does the tower.
    """
    two = peak_bytes(shape, build_on_meta(shape, layers=2), batch, precision)
    three = peak_bytes(shape, build_on_meta(shape, layers=3), batch, precision)
    text = shape.config.text_config
    of_layers = two + (text.num_hidden_layers - 2) * (three - two)
    in_loss = batch.rows * (batch.tokens if on_cpu else batch.tokens - batch.image_tokens)
    loss = _loss_bytes(text, in_loss, precision.weights, on_cpu)
    of_model = of_layers + loss
    if shape.trainable == "preference":
        # the projector is frozen; the reference keeps nothing, and has worked before the way back
        return int(of_model)
    kept_of_token = shape.family.projector_numbers(shape.config) * precision.trained.itemsize
    of_model += batch.rows * batch.image_tokens * kept_of_token
    if shape.trainable != "full-vision":
        return int(of_model)
    tower = tower_bytes(shape, batch, precision)
    return int(max(of_model + tower.kept, tower.peak))


class TowerBytes(NamedTuple):
    """Of a vision tower that is trained."""

    kept: int  # between its forward and its backward pass
    peak: int


def tower_bytes(shape: Shape, batch: Batch, precision: Precision) -> TowerBytes:
    """What the tower's layers take of the largest picture of each row: run with two and with three, as the language
    model is. Those of SigLIP, of this tower's widths, stand for any family's."""
    two, three = (_run_tower(shape, batch, precision, layers) for layers in (2, 3))
    vision, picture = shape.config.vision_config, shape.picture
    layers = getattr(vision, shape.family.vision_layers)
    kept, peak = (of_two + (layers - 2) * (of_three - of_two) for of_two, of_three in zip(two, three, strict=True))
    rotated = batch.rows * picture.tower_tokens_in_all * vision.hidden_size * FP32 * shape.family.tower_layer.rotated
    if batch.checkpointing:
        return TowerBytes(kept, peak + rotated)  # of the layer at work
    return TowerBytes(kept + layers * rotated, peak + layers * rotated)


def _run_tower(shape: Shape, batch: Batch, precision: Precision, layers: int) -> TowerBytes:
    vision, family, picture = shape.config.vision_config, shape.family, shape.picture
    config = SiglipVisionConfig(
        hidden_size=vision.hidden_size,
        intermediate_size=vision.intermediate_size * family.tower_layer.mlp_outputs // 2,
        num_attention_heads=getattr(vision, family.vision_heads),
        num_hidden_layers=layers,
        vision_use_head=False,
    )
    with torch.device("meta"):
        tower = SiglipVisionModel._from_config(config, attn_implementation="sdpa").train()
    if batch.checkpointing:
        recompute_layers(tower)
    (encoder,) = (module for module in tower.modules() if isinstance(module, SiglipEncoder))
    size = (batch.rows * picture.tiles, picture.tower_tokens, vision.hidden_size)
    with FakeTensorMode(), LiveBytes() as live:
        _give_fake_tensors(encoder, precision)
        before = live.now
        embedded = torch.empty(size, dtype=precision.trained, requires_grad=True)  # (tiles, patches, width)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision.autocast):
            seen = encoder(inputs_embeds=embedded).last_hidden_state
        kept = live.now - before
        seen.sum().backward()
        return TowerBytes(kept, live.peak - before)


def _loss_bytes(text: PreTrainedConfig, positions: int, weights: torch.dtype, on_cpu: bool) -> int:
    """TRL's fused head: a tile of logits as wide as LOSS_TILE whatever the vocabulary, and the gradient of `positions`
    hidden states in fp32. On a GPU these are the trained tokens alone, taken here as all text; on a CPU all tokens,
    and three copies of the tile for the steps of a softmax (trl/kernels/chunked_logprob.py at 1.16)."""
    rows, width = min(positions, LOSS_TILE[0]), LOSS_TILE[1]
    tile = rows * width * weights.itemsize
    copies = 3 * rows * min(text.vocab_size, width) * FP32 if on_cpu else 0
    return tile + copies + positions * text.hidden_size * (FP32 + weights.itemsize)


def peak_bytes(shape: Shape, model: torch.nn.Module, batch: Batch, precision: Precision) -> int:
    """Peak bytes of the language model's forward and backward pass, without its parameters and their gradients.

    `model` comes from `build_on_meta`; its language model is changed to run on fake tensors.
    """
    base = model if shape.adapter is None else model.get_base_model()
    language_model = shape.family.part(base, shape.family.language_model)
    if batch.checkpointing:
        recompute_layers(language_model)
    for module in language_model.modules():
        if isinstance(module, torch.nn.Dropout):  # the GPU's kernel keeps a mask of bytes, the CPU's one of numbers
            module.forward = partial(_dropout, share=module.p)
    with FakeTensorMode(), LiveBytes() as live:
        _give_fake_tensors(language_model, precision)
        before = live.now
        width = language_model.config.hidden_size
        # (rows, tokens, width), as the projector and the embeddings make them
        embedded = torch.empty(batch.rows, batch.tokens, width, dtype=precision.weights, requires_grad=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision.autocast):
            hidden = language_model(inputs_embeds=embedded, use_cache=False).last_hidden_state
        hidden.sum().backward()
        return live.peak - before


def recompute_layers(model: PreTrainedModel) -> None:
    """Keep only what goes into each layer. By either name: the new one is that of transformers 5.23 (`NEW_NAMES` in
    recipes/keys/recipe.py); can go with that."""
    is_renamed = hasattr(model, "activation_checkpointing_enable")
    enable = model.activation_checkpointing_enable if is_renamed else model.gradient_checkpointing_enable
    enable({"use_reentrant": False})


def _give_fake_tensors(model: torch.nn.Module, precision: Precision) -> None:
    """Replace tensors of the meta device, on which autocast does nothing, by fake ones of the CPU."""
    for module in model.modules():
        for name, parameter in [*module.named_parameters(recurse=False)]:
            setattr(module, name, _fake(parameter, precision))
        for name, buffer in [*module.named_buffers(recurse=False)]:
            setattr(module, name, torch.empty(buffer.shape, dtype=buffer.dtype))


def _fake(parameter: torch.nn.Parameter, precision: Precision) -> torch.nn.Parameter:
    on = parameter.requires_grad
    dtype = precision.trained if on else precision.weights
    fake = torch.nn.Parameter(torch.empty(parameter.shape, dtype=dtype), requires_grad=on)
    if on:  # gradients are counted elsewhere
        fake.register_post_accumulate_grad_hook(drop_gradient)
    return fake


def _dropout(hidden: torch.Tensor, share: float) -> torch.Tensor:
    return torch.native_dropout(hidden, share, train=True)[0]


def drop_gradient(parameter: torch.Tensor) -> None:
    parameter.grad = None


class LiveBytes(TorchDispatchMode):
    """Bytes of the tensors made inside and still alive, and their highest sum. Works on real and on fake tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: set[int] = set()

    def ignore(self, tensors) -> None:
        """Tensors that were there before, such as parameters: their views are not counted."""
        self._seen |= {tensor.untyped_storage()._cdata for tensor in tensors}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._add(tensor.untyped_storage())
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        if storage._cdata in self._seen:
            return
        self._seen.add(storage._cdata)
        size = storage.nbytes()
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._free, storage._cdata, size)

    def _free(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size
