"""What a plan needs to know of a GPU, from the vendors' datasheets; and of a CPU, by assumption."""

import os
import re
from dataclasses import dataclass

from dataset_builder.files.nearest import nearest
from trust.errors import UsageError

GIB = 2**30
HOST_LINK_GB_S = 32  # PCIe 4.0 x16 one way, between a GPU and CPU memory
CPU_PEAK_TFLOPS = 0.1  # assumption: of a few cores, fp32
ACHIEVED_SHARE = 0.5  # assumption: of the dense peak; give --tflops once it is measured


@dataclass(frozen=True)
class Gpu:
    """Peak is dense bf16 with fp32 accumulation; `link_gb_s` one direction of the nominal link between GPUs."""

    peak_tflops: float
    memory_gib: float
    link_gb_s: float
    source: str
    has_bf16: bool = True


# Memory as the driver shows it, ECC on where the card has it by default.
GPUS = {
    "A40": Gpu(149.7, 45.0, 32, "NVIDIA A40 datasheet; PCIe 4.0 x16"),
    "A100-80G": Gpu(312, 80.0, 300, "NVIDIA A100 datasheet; NVLink 600 GB/s both ways"),
    "A100-40G": Gpu(312, 40.0, 300, "NVIDIA A100 datasheet; NVLink 600 GB/s both ways"),
    "H100": Gpu(989, 79.6, 450, "NVIDIA H100 SXM datasheet, half of the sparse 1,979; NVLink 900 GB/s both ways"),
    "H200": Gpu(989, 140.4, 450, "NVIDIA H200 datasheet, half of the sparse 1,979; NVLink 900 GB/s both ways"),
    "B200": Gpu(2250, 179.0, 900, "NVIDIA HGX B200 datasheet, half of the sparse 4,500; NVLink 1,800 GB/s both ways"),
    "B300": Gpu(2250, 244.0, 900, "NVIDIA HGX B300 datasheet, half of the sparse 4,500; NVLink 1,800 GB/s both ways"),
    "MI300X": Gpu(1307, 191.9, 448, "AMD MI300X datasheet, dense; seven Infinity Fabric links of 64 GB/s one way"),
    "L40S": Gpu(362, 45.0, 32, "NVIDIA L40S datasheet, half of the sparse 733 rounded; PCIe 4.0 x16"),
    "A6000": Gpu(154.8, 48.0, 32, "NVIDIA RTX A6000 datasheet, half of the sparse 309.7; PCIe 4.0 x16"),
    "RTX5090": Gpu(209.5, 31.8, 64, "NVIDIA RTX Blackwell whitepaper; PCIe 5.0 x16"),
    "RTX4090": Gpu(165.2, 24.0, 32, "NVIDIA Ada GPU architecture whitepaper; PCIe 4.0 x16"),
    "RTX3090": Gpu(71, 24.0, 32, "NVIDIA GA102 whitepaper; PCIe 4.0 x16"),
    "L4": Gpu(121, 22.5, 32, "NVIDIA L4 datasheet, half of the sparse 242; PCIe 4.0 x16"),
    "V100-32G": Gpu(125, 32.0, 150, "NVIDIA V100 datasheet, fp16; NVLink 300 GB/s both ways", has_bf16=False),
    "V100-16G": Gpu(125, 16.0, 150, "NVIDIA V100 datasheet, fp16; NVLink 300 GB/s both ways", has_bf16=False),
    "T4": Gpu(65, 15.0, 16, "NVIDIA T4 datasheet, fp16; PCIe 3.0 x16", has_bf16=False),
}
# Names that several cards have: the one that is taken, which the plan says
TAKEN_AS = {"A100": "A100-80G", "V100": "V100-32G"}


@dataclass(frozen=True)
class Device:
    """The device that is planned for: numbers of its datasheet, or those given for it."""

    name: str
    memory_gib: float
    tflops: float  # TFLOP/s that training achieves
    link_gb_s: float  # one way, nominal, between two of them
    link_is_given: bool
    source: str
    has_bf16: bool
    taken_for: str | None = None  # the name asked for, where several cards have it


def choose_device(
    name: str, on_cpu: bool, memory_gib: float | None, tflops: float | None, link_gb_s: float | None
) -> Device:
    """The named GPU, or this machine's CPU, with what is given in place of the table's numbers.

    Raises UsageError for a GPU that is not in the table.
    """
    known, found = ("CPU", this_cpu()) if on_cpu else find_gpu(name)
    return Device(
        name=known,
        memory_gib=memory_gib or found.memory_gib,
        tflops=tflops or ACHIEVED_SHARE * found.peak_tflops,
        link_gb_s=link_gb_s or found.link_gb_s,
        link_is_given=link_gb_s is not None,
        source=found.source,
        has_bf16=found.has_bf16,
        taken_for=name if not on_cpu and _plain(name) in map(_plain, TAKEN_AS) else None,
    )


def find_gpu(name: str) -> tuple[str, Gpu]:
    """(its name in the table, what is known of it), however it is spelt: `a100-80g`, `RTX 4090`.

    Raises UsageError for a GPU that is not in the table.
    """
    taken_as = {_plain(short): full for short, full in TAKEN_AS.items()} | {_plain(full): full for full in GPUS}
    full = taken_as.get(_plain(name))
    if full is None:
        raise UsageError(
            f"no GPU {name!r}{nearest(name.upper(), GPUS)}; in the table are {', '.join(GPUS)}: "
            "name the nearest and give --gpu_memory, --tflops"
        )
    return full, GPUS[full]


def _plain(name: str) -> str:
    """Without case, spaces, hyphens and the maker's name; 80GB is 80G."""
    letters = re.sub(r"[^a-z0-9]", "", name.casefold()).removeprefix("nvidia").removeprefix("amd")
    return re.sub(r"gb$", "g", letters)


def this_cpu() -> Gpu:
    """This machine's memory; what its cores do is assumed."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return Gpu(CPU_PEAK_TFLOPS, memory_gib, HOST_LINK_GB_S, "assumption for a CPU")
