"""What a plan needs to know of a GPU, from the vendors' datasheets; and of a CPU, by assumption."""

import os
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Device:
    """The device that is planned for: numbers of its datasheet, or those given for it."""

    name: str
    memory_gib: float
    tflops: float  # TFLOP/s that training achieves
    link_gb_s: float  # one way, nominal, between two of them
    link_is_given: bool
    source: str


def choose_device(
    name: str, on_cpu: bool, memory_gib: float | None, tflops: float | None, link_gb_s: float | None
) -> Device:
    """The named GPU, or this machine's CPU, with what is given in place of the table's numbers.

    Raises ValueError for a GPU that is not in the table.
    """
    found = this_cpu() if on_cpu else find_gpu(name)
    return Device(
        name="CPU" if on_cpu else name,
        memory_gib=memory_gib or found.memory_gib,
        tflops=tflops or ACHIEVED_SHARE * found.peak_tflops,
        link_gb_s=link_gb_s or found.link_gb_s,
        link_is_given=link_gb_s is not None,
        source=found.source,
    )


def find_gpu(name: str) -> Gpu:
    """Raises ValueError for a GPU that is not in the table."""
    if name not in GPUS:
        raise ValueError(
            f"no GPU {name!r} in the table ({', '.join(GPUS)}): name the nearest and give --memory_gib, --tflops"
        )
    return GPUS[name]


def this_cpu() -> Gpu:
    """This machine's memory; what its cores do is assumed."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return Gpu(CPU_PEAK_TFLOPS, memory_gib, HOST_LINK_GB_S, "assumption for a CPU")
