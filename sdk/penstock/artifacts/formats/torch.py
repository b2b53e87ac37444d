"""A tensor of torch as a safetensors file: a header in JSON, then the elements.

https://huggingface.co/docs/safetensors: eight bytes with the length of the header, the header,
padded with blanks, and the memory. A tensor whose axes are permuted in memory is stored as it lies,
under another name than one in C order, and with its strides among the metadata.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from penstock.artifacts.formats.data import private, reading
from penstock.artifacts.formats.tensors import NAMES, Elements, elements, restored
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer

if TYPE_CHECKING:
    import torch

_dump: Final = json.JSONEncoder().encode
_dump_compact: Final = json.JSONEncoder(separators=(",", ":")).encode

ALIGNED: Final = 64
LENGTH: Final = struct.Struct("<Q")

WHOLE: Final = "tensor"
MEMORY: Final = "memory"
"""The one tensor in the file: as it is, or the elements in the order of the memory."""

_TORCHS: Final = {name: dtype for dtype, name in NAMES.items()}


class Torch(Materializer["torch.Tensor"]):
    """A tensor or a parameter, back on the CPU, a view of the data, and its own.

    Only its own elements are stored, also of a view. It comes back as a leaf that requires a
    gradient if it did; the gradient itself is no part of the value, as for torch.
    """

    format: ClassVar[str] = "torch/1"
    suffix: ClassVar[str] = ".safetensors"

    def dump(self, value: torch.Tensor) -> Sequence[Buffer]:
        import torch  # optional: here because the value is torch's

        if type(value) not in (torch.Tensor, torch.nn.Parameter) or value.__dict__:
            raise NotThisFormat("it would come back as a plain tensor")
        if value._backward_hooks or (found := elements(value)) is None:
            raise NotThisFormat("there is more to it than elements")
        notes = {}
        if value.requires_grad:
            notes["requires_grad"] = "true"
        if type(value) is torch.nn.Parameter:
            notes["class"] = "Parameter"
        return [_header(found, notes), found.memory]

    def load(self, data: Buffer) -> torch.Tensor:
        import torch  # optional: the registry has made sure of it

        view = private(data)
        with reading(self.format):
            tensor, notes = _parsed(view)
            needs_grad = notes.get("requires_grad") == "true"
            if notes.get("class") == "Parameter":
                return torch.nn.Parameter(tensor, needs_grad)
            return tensor.requires_grad_(needs_grad)


def _header(found: Elements, notes: dict[str, str]) -> bytes:
    size = found.memory.nbytes
    name, shape = WHOLE, found.shape
    if found.strides is not None:
        notes |= {"shape": _dump(found.shape), "strides": _dump(found.strides)}
        name, shape = MEMORY, (math.prod(found.shape),)
    entry = {"dtype": NAMES[found.dtype], "shape": shape, "data_offsets": [0, size]}
    text = _dump_compact({"__metadata__": notes, name: entry})
    end = -(-(LENGTH.size + len(text)) // ALIGNED) * ALIGNED
    return LENGTH.pack(end - LENGTH.size) + text.ljust(end - LENGTH.size).encode("ascii")


def _parsed(view: memoryview) -> tuple[torch.Tensor, dict[str, Any]]:
    """The tensor, and what else is known of it. Raises all kinds of errors."""
    (length,) = LENGTH.unpack_from(view)
    start = LENGTH.size + length
    header = json.loads(bytes(view[LENGTH.size : start]))
    notes = header.pop("__metadata__")
    ((name, entry),) = header.items()
    if entry["data_offsets"] != [0, len(view) - start] or name not in (WHOLE, MEMORY):
        raise ValueError("the length or the name is wrong")
    shape, strides = entry["shape"], None
    if name == MEMORY:
        shape, strides = json.loads(notes["shape"]), json.loads(notes["strides"])
    memory = view[start:]
    if any(type(n) is not int or n < 0 for n in (*shape, *(strides or ()))):
        raise ValueError("the shape is not one")
    return restored(_TORCHS[entry["dtype"]], shape, strides, memory), notes
