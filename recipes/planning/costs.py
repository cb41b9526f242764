"""What training a LLaVA costs: parameters, FLOPs, bytes per GPU, hours. Nothing here needs weights or a GPU.

Parameters are counted on PyTorch's meta device and activations on fake tensors, by running the very modules that are
trained; the rest is arithmetic that `recipes/plan.py` prints.
"""

import copy
import os
import weakref
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
import yaml
from torch._subclasses.fake_tensor import FakeTensorMode  # the one way to run shapes without memory; no public name yet
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import AutoModelForImageTextToText, PreTrainedConfig

GIB = 2**30
FP32, BF16 = 4, 2  # bytes a number
NF4 = 0.5 + 1 / 64 * 4  # bytes a number: 4 bits, and one fp32 scale for 64 (QLoRA, arXiv 2305.14314)
NF4_DOUBLE = 0.5 + 1 / 64 + 4 / (64 * 256)  # the scales in 8 bits, with one fp32 scale for 256 of them
CUDA_CONTEXT_GIB = 1.0  # assumption: CUDA context, NCCL and cuBLAS workspaces of one process; not measured here
# DeepSpeed's defaults in numbers (deepspeed/runtime/zero/config.py at 0.19.8)
REDUCE_BUCKET, ALLGATHER_BUCKET, MAX_LIVE_PARAMETERS = 5e8, 5e8, 1e9
CPU_TFLOPS = 0.05  # assumption: of a few cores, fp32
LOSS_TILE = (4096, 32768)  # tokens × vocabulary of TRL's fused head
HOST_LINK_GB_S = 32  # PCIe 4.0 x16 one way, between a GPU and CPU memory
LINK_SHARE = 0.6  # assumption: share of the link's nominal speed that NCCL's collectives reach on large messages


@dataclass(frozen=True)
class Gpu:
    """Peak is dense bf16 with fp32 accumulation; `link_gb_s` one direction of the nominal link between GPUs."""

    peak_tflops: float
    memory_gib: float
    link_gb_s: float
    source: str


# Memory as the driver shows it, ECC on where the card has it by default.
GPUS = {
    "A40": Gpu(149.7, 45.0, 32, "NVIDIA A40 datasheet; PCIe 4.0 x16"),
    "A100-80G": Gpu(312, 80.0, 300, "NVIDIA A100 datasheet; NVLink 600 GB/s both ways"),
    "H100": Gpu(989, 79.6, 450, "NVIDIA H100 SXM datasheet, half of the sparse 1,979; NVLink 900 GB/s both ways"),
    "H200": Gpu(989, 140.4, 450, "NVIDIA H200 datasheet, half of the sparse 1,979; NVLink 900 GB/s both ways"),
    "L40S": Gpu(362, 45.0, 32, "NVIDIA L40S datasheet, half of the sparse 733 rounded; PCIe 4.0 x16"),
    "A6000": Gpu(154.8, 48.0, 32, "NVIDIA RTX A6000 datasheet, half of the sparse 309.7; PCIe 4.0 x16"),
    "RTX4090": Gpu(165.2, 24.0, 32, "NVIDIA Ada GPU architecture whitepaper; PCIe 4.0 x16"),
    "RTX3090": Gpu(71, 24.0, 32, "NVIDIA GA102 whitepaper; PCIe 4.0 x16"),
    "L4": Gpu(121, 22.5, 32, "NVIDIA L4 datasheet, half of the sparse 242; PCIe 4.0 x16"),
}


def find_device(name: str, on_cpu: bool) -> Gpu:
    """Raises ValueError for a GPU that is not in the table."""
    if on_cpu:
        memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
        return Gpu(2 * CPU_TFLOPS, memory_gib, HOST_LINK_GB_S, "assumption for a CPU")
    if name not in GPUS:
        raise ValueError(
            f"no GPU {name!r} in the table ({', '.join(GPUS)}): name the nearest and give --memory_gib, --tflops"
        )
    return GPUS[name]


# --- launch ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Launch:
    """One file of accelerate_configs/. `kind`: single, ddp, zero or fsdp; `stage` is DeepSpeed's."""

    name: str
    kind: str
    processes: int
    machines: int = 1
    stage: int = 0
    offload_optimizer: bool = False
    offload_parameters: bool = False
    on_cpu: bool = False

    @property
    def shards_weights(self) -> bool:
        return self.kind == "fsdp" or self.stage == 3


def read_launch(path: Path) -> Launch:
    """Raises FileNotFoundError, and ValueError for a way to launch that is not planned for."""
    try:
        config = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    if not isinstance(config, dict) or "distributed_type" not in config:
        raise ValueError(f"{path} is no accelerate config: it has no distributed_type")
    common = {
        "name": Path(path).name,
        "processes": config.get("num_processes", 1),
        "machines": config.get("num_machines", 1),
        "on_cpu": bool(config.get("use_cpu", False)),
    }
    kind = str(config["distributed_type"])
    if kind == "NO" or (kind in ("MULTI_GPU", "MULTI_CPU") and common["processes"] == 1):
        return Launch(kind="single", **common)
    if kind in ("MULTI_GPU", "MULTI_CPU"):
        return Launch(kind="ddp", **common)
    if kind == "FSDP":
        fsdp = config.get("fsdp_config", {})
        return Launch(kind="fsdp", offload_parameters=bool(fsdp.get("fsdp_offload_params", False)), **common)
    if kind == "DEEPSPEED":
        return Launch(kind="zero", **_read_deepspeed(path, config.get("deepspeed_config", {})), **common)
    raise ValueError(f"{path}: distributed_type {kind} is not planned for; use NO, MULTI_GPU, DEEPSPEED or FSDP")


def _read_deepspeed(path: Path, deepspeed: dict) -> dict:
    if "deepspeed_config_file" in deepspeed:
        raise ValueError(f"{path}: a separate deepspeed_config_file is not read; put zero_stage and offload here")
    return {
        "stage": int(deepspeed.get("zero_stage", 2)),
        "offload_optimizer": deepspeed.get("offload_optimizer_device", "none") != "none",
        "offload_parameters": deepspeed.get("offload_param_device", "none") != "none",
    }


# --- parameters ------------------------------------------------------------------------------------------------------


def build_on_meta(config: PreTrainedConfig, trainable: str, adapter, layers: int | None = None) -> torch.nn.Module:
    """The model as the phase trains it, without memory. `adapter` is a LoraConfig or None, `layers` cuts the LLM."""
    from peft import get_peft_model

    config = copy.deepcopy(config)
    if layers is not None:
        config.text_config.num_hidden_layers = layers
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa")
        model.requires_grad_(False)
        if trainable == "projector":
            model.model.multi_modal_projector.requires_grad_(True)
        else:
            model = get_peft_model(model, adapter)
    return model.train()


def count_parameters(model: torch.nn.Module) -> dict[str, int]:
    """Numbers by part: vision_tower, projector, embeddings, layers, lm_head (frozen), and what is trained: lora,
    projector_trained. In phase 2 PEFT keeps the projector twice, the original and the trained copy."""
    parts = dict.fromkeys(
        ("vision_tower", "projector", "embeddings", "layers", "lm_head", "lora", "projector_trained"), 0
    )
    for name, parameter in model.named_parameters():
        parts[_part(name, parameter.requires_grad)] += parameter.numel()
    return parts


def _part(name: str, trained: bool) -> str:
    if "lora_" in name:
        return "lora"
    if "multi_modal_projector" in name:
        return "projector_trained" if trained else "projector"
    for part in ("vision_tower", "lm_head"):
        if part in name:
            return part
    if "embed_tokens" in name:
        return "embeddings"
    return "layers" if "language_model" in name else "projector"  # LLaVA-NeXT's image_newline


# --- FLOPs -----------------------------------------------------------------------------------------------------------


def tflop_per_row(
    config: PreTrainedConfig, counts: dict[str, int], tokens: np.ndarray | int, checkpointing: bool
) -> np.ndarray:
    """TFLOP to train on rows of `tokens` tokens, pictures included: a multiply-add is two FLOPs.

    The frozen parts of the language model cost their forward pass once more going backward (gradients of activations
    only), trained ones twice more, causal attention twice more; checkpointing repeats the layers' forward pass. The
    vision tower runs forward only. The head is counted for every token; TRL runs it on the trained ones (below 1 %).
    """
    tokens = np.asarray(tokens, dtype=np.float64)
    text, vision = config.text_config, config.vision_config
    width = text.num_attention_heads * head_width(text)
    layers = 2 * counts["layers"] * tokens
    lora = 2 * counts["lora"] * tokens
    attention = 2 * text.num_hidden_layers * width * tokens**2  # half of the square is masked
    head = 2 * counts["lm_head"] * tokens
    patches = (vision.image_size // vision.patch_size) ** 2
    n_tiles = tiles(config)
    tower = n_tiles * (patches + 1) * (2 * counts["vision_tower"] + _vision_attention(vision, patches + 1))
    projector = 3 * 2 * counts["projector_trained"] * n_tiles * patches
    total = 2 * (layers + head) + 3 * (attention + lora) + tower + projector
    if checkpointing:
        total = total + layers + attention + lora
    return total / 1e12


def _vision_attention(vision: PreTrainedConfig, tokens: int) -> int:
    return 4 * vision.num_hidden_layers * vision.hidden_size * tokens


def head_width(text: PreTrainedConfig) -> int:
    return text.hidden_size // text.num_attention_heads


def tiles(config: PreTrainedConfig) -> int:
    """Most tiles that a picture is cut to, the overview included: 1 for LLaVA, 5 for LLaVA-NeXT with its own grids."""
    if config.model_type == "llava":
        return 1
    side = config.vision_config.image_size
    return 1 + max((height // side) * (width // side) for height, width in config.image_grid_pinpoints)


# --- activations -----------------------------------------------------------------------------------------------------


class LiveBytes(TorchDispatchMode):
    """Bytes of the tensors made inside and still alive, and their highest sum. Works on real and on fake tensors."""

    def __init__(self):
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


def activation_bytes(
    config: PreTrainedConfig,
    trainable: str,
    adapter,
    *,
    batch: int,
    tokens: int,
    image_tokens: int,
    checkpointing: bool,
    weights: torch.dtype,
    trained: torch.dtype,
    autocast: bool,
    on_cpu: bool,
) -> int:
    """Peak bytes of activations and work space of one forward and backward pass over a batch of equal rows.

    The trained language model itself runs, with two and with three layers, on fake tensors that have a shape and no
    memory; each further layer adds what the third did. On top come the loss's buffers and the projector's outputs.
    Attention is SDPA's flash kernel, which keeps no square of scores, as on a GPU.
    """
    text, vision = config.text_config, config.vision_config
    run = {"batch": batch, "tokens": tokens, "checkpointing": checkpointing}
    run |= {"weights": weights, "trained": trained, "autocast": autocast}
    two, three = (_peak(build_on_meta(config, trainable, adapter, layers), **run) for layers in (2, 3))
    of_layers = two + (text.num_hidden_layers - 2) * (three - two)
    loss = _loss_bytes(text, batch * (tokens if on_cpu else tokens - image_tokens), weights, on_cpu)
    projector = batch * image_tokens * (vision.hidden_size + 3 * text.hidden_size) * trained.itemsize
    return int(of_layers + loss + projector)


def _loss_bytes(text: PreTrainedConfig, positions: int, weights: torch.dtype, on_cpu: bool) -> int:
    """TRL's fused head: a tile of logits as wide as LOSS_TILE whatever the vocabulary, and the gradient of `positions`
    hidden states in fp32. On a GPU these are the trained tokens alone, taken here as all text; on a CPU all tokens,
    and three copies of the tile for the steps of a softmax (trl/kernels/chunked_logprob.py at 1.16)."""
    rows, width = min(positions, LOSS_TILE[0]), LOSS_TILE[1]
    tile = rows * width * weights.itemsize
    copies = 3 * rows * min(text.vocab_size, width) * FP32 if on_cpu else 0
    return tile + copies + positions * text.hidden_size * (FP32 + weights.itemsize)


def _peak(model, batch: int, tokens: int, checkpointing: bool, weights, trained, autocast: bool) -> int:
    """Peak bytes of the language model's forward and backward pass, without its parameters and their gradients."""
    language_model = model.get_base_model() if hasattr(model, "peft_config") else model
    language_model = language_model.model.language_model
    if checkpointing:
        language_model.activation_checkpointing_enable({"use_reentrant": False})
    for module in language_model.modules():
        if isinstance(module, torch.nn.Dropout):  # the GPU's kernel keeps a mask of bytes, the CPU's one of numbers
            module.forward = partial(_dropout, share=module.p)
    with FakeTensorMode(), LiveBytes() as live:
        _give_fake_tensors(language_model, weights, trained)
        before = live.now
        width = language_model.config.hidden_size
        embeddings = torch.empty(batch, tokens, width, dtype=weights, requires_grad=True)  # as the projector makes them
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            hidden = language_model(inputs_embeds=embeddings, use_cache=False).last_hidden_state
        hidden.sum().backward()
        return live.peak - before


def _give_fake_tensors(model: torch.nn.Module, weights: torch.dtype, trained: torch.dtype) -> None:
    """Replace tensors of the meta device, on which autocast does nothing, by fake ones of the CPU."""
    for module in model.modules():
        for name, parameter in [*module.named_parameters(recurse=False)]:
            on = parameter.requires_grad
            fake = torch.nn.Parameter(torch.empty(parameter.shape, dtype=trained if on else weights), requires_grad=on)
            if on:  # gradients are counted elsewhere
                fake.register_post_accumulate_grad_hook(_drop_gradient)
            setattr(module, name, fake)
        for name, buffer in [*module.named_buffers(recurse=False)]:
            setattr(module, name, torch.empty(buffer.shape, dtype=buffer.dtype))


def _dropout(hidden: torch.Tensor, share: float) -> torch.Tensor:
    return torch.native_dropout(hidden, share, train=True)[0]


def _drop_gradient(parameter: torch.Tensor) -> None:
    parameter.grad = None


# --- memory of one GPU -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Precision:
    """How numbers are kept. `four_bit` holds bytes a number of the quantised layers, or None; `optimizer` bytes a
    trained number of AdamW's two moments."""

    weights: torch.dtype
    autocast: bool
    four_bit: float | None = None
    optimizer: int = 2 * FP32

    def trained(self, launch: Launch) -> torch.dtype:
        """DeepSpeed keeps fp32 copies of its own; everywhere else sft.py makes trained weights fp32."""
        return self.weights if launch.kind == "zero" else torch.float32

    def of(self, launch: Launch) -> "Precision":
        """accelerate starts no autocast under DeepSpeed, whose engine runs in the weights' own dtype."""
        return replace(self, autocast=self.autocast and launch.kind != "zero")


def state_bytes(counts: dict[str, int], precision: Precision, launch: Launch, n_layers: int) -> dict[str, int]:
    """Bytes on one GPU that stay for the whole run: weights, trained weights, gradients, optimizer (AdamW), buffers."""
    trained = counts["lora"] + counts["projector_trained"]
    of_layers = counts["layers"] * (precision.four_bit or precision.weights.itemsize)
    others = sum(counts[part] for part in ("vision_tower", "projector", "embeddings", "lm_head"))
    frozen = of_layers + others * precision.weights.itemsize
    size = precision.trained(launch).itemsize
    parts = {"frozen weights": frozen, "trained weights": trained * size, "gradients": trained * size}
    parts["optimizer"] = trained * precision.optimizer
    if launch.kind == "zero":
        parts["optimizer"] += trained * FP32  # the master copy
    return {
        name: int(value) for name, value in (_share(parts, launch) | _buffers(counts, frozen, launch, n_layers)).items()
    }


def _share(parts: dict[str, float], launch: Launch) -> dict[str, float]:
    """What each of the processes keeps of the parts, on its GPU."""
    shared = set()
    if launch.shards_weights:
        shared = set(parts)
    elif launch.stage == 2:
        shared = {"gradients", "optimizer"}
    elif launch.stage == 1:
        shared = {"optimizer"}
    parts = {name: value / launch.processes if name in shared else value for name, value in parts.items()}
    if launch.offload_optimizer or (launch.kind == "fsdp" and launch.offload_parameters):
        parts |= {"optimizer": 0, "gradients": 0}
    if launch.offload_parameters:
        parts |= {"frozen weights": 0, "trained weights": 0}
    return parts


def _buffers(counts: dict[str, int], frozen: float, launch: Launch, n_layers: int) -> dict[str, float]:
    """DDP's and DeepSpeed's communication buffers, and the weights gathered at one time under ZeRO-3 and FSDP."""
    trained = counts["lora"] + counts["projector_trained"]
    if launch.kind == "ddp":
        return {"buffers": trained * FP32}  # gradient buckets are a second copy
    if launch.kind == "fsdp":
        return {"buffers": 2 * frozen / n_layers}  # the layer at work and the one fetched ahead
    if launch.stage == 3:
        return {"buffers": REDUCE_BUCKET * BF16 + min(MAX_LIVE_PARAMETERS * BF16, frozen)}
    if launch.kind == "zero":
        return {"buffers": REDUCE_BUCKET * BF16 + min(ALLGATHER_BUCKET, trained) * BF16}
    return {"buffers": 0}


# --- time ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hours:
    """`compute`: arithmetic alone. `transfer`: weights and gradients between GPUs, were none of it hidden."""

    compute: float
    transfer: float

    @property
    def low(self) -> float:
        return max(self.compute, self.transfer)

    @property
    def high(self) -> float:
        return self.compute + self.transfer


def padded_lengths(lengths: np.ndarray, rows: int, batch: int, processes: int, by_length: bool) -> np.ndarray:
    """Tokens of each micro-batch's padded rows, (micro-steps, processes): `lengths` drawn anew to `rows` rows, each
    batch padded to its longest."""
    chance = np.random.default_rng(0)
    drawn = lengths if len(lengths) == rows else chance.choice(lengths, rows)
    drawn = np.sort(drawn) if by_length else chance.permutation(drawn)
    whole = -(-rows // (batch * processes)) * batch * processes
    drawn = np.concatenate([drawn, drawn[: whole - rows]]) if rows >= whole - rows else np.resize(drawn, whole)
    return drawn.reshape(-1, processes, batch).max(2)


def transfer_bytes(counts: dict[str, int], precision: Precision, launch: Launch, checkpointing: bool) -> dict:
    """Bytes that one GPU sends: {"micro": in each micro-step, "step": in each optimizer step, "host": to and from CPU
    memory in each micro-step}.

    ZeRO-3 gathers the weights for the forward and the backward pass, and once more to recompute under checkpointing;
    FSDP recomputes with the weights it has gathered for the backward pass. Gradients are reduced in a ring. Under
    offload the work of the CPU itself (its Adam) is not counted.
    """
    others = (launch.processes - 1) / launch.processes
    trained = counts["lora"] + counts["projector_trained"]
    gradients = 2 * others * trained * precision.trained(launch).itemsize
    host = 2 * trained * BF16 / launch.processes if launch.offload_optimizer or launch.offload_parameters else 0
    if not launch.shards_weights:
        # ZeRO-2 reduces in every micro-step, DDP once an optimizer step
        every = launch.stage == 2
        return {"micro": gradients if every else 0, "step": 0 if every else gradients, "host": host}
    frozen = sum(counts[part] for part in ("vision_tower", "projector", "embeddings", "layers", "lm_head"))
    passes = 3 if launch.kind == "zero" and checkpointing else 2
    weights = passes * frozen * precision.weights.itemsize
    host += weights / launch.processes if launch.offload_parameters else 0
    return {"micro": others * weights + gradients, "step": 0, "host": host}


def hours(
    config: PreTrainedConfig,
    counts: dict[str, int],
    padded: np.ndarray,
    *,
    batch: int,
    accumulation: int,
    checkpointing: bool,
    tflops: float,
    transfers: dict,
    link_gb_s: float,
) -> Hours:
    """Hours of one pass: in each micro-step all wait for the GPU with the longest batch."""
    longest = padded.max(1)
    compute_s = (batch * tflop_per_row(config, counts, longest, checkpointing)).sum() / tflops
    sent = transfers["micro"] * len(longest) + transfers["step"] * len(longest) / accumulation
    seconds = sent / link_gb_s + transfers["host"] * len(longest) / HOST_LINK_GB_S
    return Hours(compute_s / 3600, seconds / (1e9 * LINK_SHARE) / 3600)
