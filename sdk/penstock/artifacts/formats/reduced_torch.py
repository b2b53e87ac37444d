"""Tensors of torch in pickles: in state dicts, modules, optimizers, and anything else.

Their elements lie beside the stream, without a device. The same object in two places is the same
afterwards; two tensors that only share their memory come back with memory of their own each.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from penstock.artifacts.formats.tensors import elements, restored

if TYPE_CHECKING:
    import torch


def tensor(value: torch.Tensor) -> Any:
    """A tensor or a parameter. torch's own way would store all memory that it is a view of."""
    import torch  # optional: here because the value is torch's

    kind = type(value)
    if kind not in (torch.Tensor, torch.nn.Parameter) or value._backward_hooks:
        return NotImplemented
    if (found := elements(value)) is None:
        return NotImplemented
    memory = pickle.PickleBuffer(found.memory)
    what = (found.dtype, found.shape, found.strides, memory)
    is_parameter = kind is torch.nn.Parameter
    return tensored, (*what, value.requires_grad, is_parameter, value.__dict__ or None)


def tensored(
    dtype: str,
    shape: tuple[int, ...],
    strides: tuple[int, ...] | None,
    memory: Any,
    needs_grad: bool,
    is_parameter: bool,
    attributes: dict[str, Any] | None,
) -> torch.Tensor:
    """A tensor in this memory, with the attributes that Python code has given it."""
    import torch  # optional: the value is torch's

    made = restored(dtype, shape, strides, memory)
    if is_parameter:
        made = torch.nn.Parameter(made, needs_grad)
    else:
        made.requires_grad_(needs_grad)
    made.__dict__.update(attributes or {})
    return made


def untyped(value: torch.UntypedStorage) -> Any:
    """The memory of tensors that torch pickles in its own way, as of sparse ones."""
    import torch  # optional: here because the value is torch's

    found = elements(torch.empty(0, dtype=torch.uint8).set_(value.cpu()))
    assert found is not None
    return storage, (pickle.PickleBuffer(found.memory),)


def typed(value: torch.TypedStorage) -> Any:
    return typed_storage, (value._untyped_storage, value.dtype)


def storage(memory: Any) -> torch.UntypedStorage:
    """A storage in this memory."""
    return restored("uint8", (memoryview(memory).nbytes,), None, memory).untyped_storage()


def typed_storage(memory: torch.UntypedStorage, dtype: torch.dtype) -> torch.TypedStorage:
    """What torch's own functions expect."""
    import torch  # optional: the value is torch's

    return torch.TypedStorage(wrap_storage=memory, dtype=dtype, _internal=True)
