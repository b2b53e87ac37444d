"""Tensors of torch: their own elements as bytes of this machine's memory, and back.

Without a device: what was computed on a GPU is read on machines that have none, too. Nothing here
needs numpy, which torch can do without, and nothing calls `torch.load`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import torch

NAMES: Final[Mapping[str, str]] = {
    "bool": "BOOL",
    **{f"{kind}int{bits}": f"{kind.upper() or 'I'}{bits}"
       for kind in ("", "u") for bits in (8, 16, 32, 64)},
    "float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e8m0fnu": "F8_E8M0",
    "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "complex32": "C32", "complex64": "C64", "complex128": "C128",
}  # fmt: skip
"""Types of elements by their names in torch, and the names that safetensors files have for them."""


class Elements(NamedTuple):
    """What a tensor is made of."""

    dtype: str
    """torch's name for it."""
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None
    """In elements, unless the memory is in C order."""
    memory: memoryview


def elements(tensor: torch.Tensor) -> Elements | None:
    """Those of a tensor; None if there is more to it than elements in memory.

    Elements with gaps between them are copied once, and so is what lies on a device.
    """
    import torch  # optional: here because the value is torch's

    dtype = str(tensor.dtype).removeprefix("torch.")
    if dtype not in NAMES or tensor.layout is not torch.strided:
        return None
    named = getattr(tensor, "has_names", bool)()  # which later versions of torch do not have
    if named or tensor.is_meta or tensor.is_quantized or tensor.is_nested:
        return None
    plain = tensor.detach().resolve_conj().resolve_neg().cpu()
    strides = None if plain.is_contiguous() else tuple(plain.stride())
    if strides and not _in_memory_order(plain).is_contiguous():
        plain, strides = plain.contiguous(), None
    return Elements(dtype, tuple(plain.shape), strides, _memory(plain))


def restored(
    dtype: str, shape: Sequence[int], strides: Sequence[int] | None, memory: Any
) -> torch.Tensor:
    """A tensor in this memory, which is its own, and never read-only."""
    import torch  # optional: the value is torch's

    if dtype not in NAMES:
        raise ValueError(f"{dtype!r} is no type of elements")
    kind = getattr(torch, dtype)
    if not memoryview(memory).nbytes:
        return torch.empty(tuple(shape), dtype=kind)
    flat = torch.frombuffer(memory, dtype=kind)
    if strides is None:
        return flat.view(tuple(shape))
    return flat.as_strided(tuple(shape), tuple(strides))


def _in_memory_order(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.permute(sorted(range(tensor.ndim), key=lambda axis: -tensor.stride(axis)))


def _memory(tensor: torch.Tensor) -> memoryview:
    """The memory of a tensor without gaps. The view keeps the tensor."""
    size = tensor.numel() * tensor.element_size()
    if not size:
        return memoryview(b"")
    held = (ctypes.c_char * size).from_address(tensor.data_ptr())
    held.tensor = tensor
    return memoryview(held).cast("B")
