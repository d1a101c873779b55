"""Where a network runs, and in which precision."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from spinescrew.errors import InputError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda", "mps")

_PACKAGES = ("torch", "monai", "safetensors")
_SMALLEST_IN_HALF = 48


def missing_packages() -> list[str]:
    """The packages networks need that this Python does not have."""
    return [name for name in _PACKAGES if find_spec(name) is None]


def require_packages() -> None:
    """Raise :class:`InputError` if a package that networks need is not installed."""
    missing = missing_packages()
    if missing:
        raise InputError(f"{', '.join(missing)} not installed; install 'spinescrew[deep]', or PyTorch within Slicer")


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; ``auto`` takes CUDA where there is one, then MPS, then the CPU.

    Raises
    ------
    InputError
        If the name is none of ``DEVICES``, the device is not there, or torch is not installed.
    """
    if name not in DEVICES:
        raise InputError(f"'{name}' is not a device; choose one of {', '.join(DEVICES)}")
    require_packages()
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, found in there.items() if found)
    if not there[name]:
        raise InputError(f"this computer has no {name.upper()} device that torch can use; choose 'auto' or 'cpu'")
    return torch.device(name)


def mixed_precision(device: torch.device) -> torch.dtype | None:
    """The half precision that helps on ``device``; ``None`` where full precision is as quick.

    bfloat16 where a GPU or a CPU computes in it, as its range is that of float32 and nothing needs scaling; float16
    on other GPUs.
    """
    import torch

    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float16
    if device.type == "cpu":
        return torch.bfloat16 if _cpu_has_bfloat16() else None
    return torch.float16 if device.type == "mps" else None


def training_precision(device: torch.device, shape: Sequence[int], squeezes: bool = False) -> torch.dtype | None:
    """The half precision to train in with boxes of ``shape`` voxels; ``None`` for full precision.

    On a CPU small boxes are trained in full precision: the bfloat16 gradient of a convolution's weights is garbage
    where the convolution sees two voxels along an axis, as the lowest level does of boxes below 48 (torch 2.13). So are
    networks with convolutions that see a single value (``squeezes``: squeeze and excitation).
    """
    small = squeezes or min(shape) < _SMALLEST_IN_HALF
    return None if device.type == "cpu" and small else mixed_precision(device)


def _cpu_has_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 itself; torch versions that cannot tell are taken to say no."""
    import torch

    can: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))
