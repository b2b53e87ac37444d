"""Tensors of torch, alone and inside of anything. Without torch these are skipped: it is large."""

from __future__ import annotations

import collections
import json
from dataclasses import dataclass
from typing import Any

import pytest
from there_and_back import OBJECTS, back, dumped, loaded, python

from penstock.artifacts.formats.pickle import Pickle
from penstock.artifacts.formats.torch import Torch
from penstock.errors import CorruptArtifact

torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")

DTYPES = [
    "bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16",
    "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2", "complex64", "complex128",
]  # fmt: skip


def raw(tensor: Any) -> list[int]:
    plain = tensor.detach().resolve_conj().resolve_neg().contiguous()
    numbers: list[int] = plain.reshape(-1).view(torch.uint8).tolist() if plain.numel() else []
    return numbers


def same(one: Any, other: Any) -> bool:
    return (
        (type(one), one.dtype, one.shape) == (type(other), other.dtype, other.shape)
        and one.requires_grad == other.requires_grad
        and raw(one) == raw(other)
    )


def inside(tensor: Any) -> Any:
    """The tensor after a trip as a part of something else."""
    id, found = back({"weights": tensor})
    assert id == "pickle/1"
    return found["weights"]


def address(buffer: Any) -> int:
    return int(torch.frombuffer(buffer, dtype=torch.uint8).data_ptr())


CASES = {
    **{name: lambda name=name: torch.arange(6).reshape(2, 3).to(getattr(torch, name))
       for name in DTYPES},
    "0-d": lambda: torch.tensor(5.0),
    "empty": lambda: torch.empty(0, 3, dtype=torch.bfloat16),
    "view": lambda: torch.arange(1000)[10:20],
    "gaps": lambda: torch.arange(1000)[::3],
    "transposed": lambda: torch.arange(6000.0).reshape(20, 300).t(),
    "channels last": lambda: torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "expanded": lambda: torch.arange(3).expand(4, 3),
    "conjugate": lambda: torch.complex(torch.ones(2), torch.ones(2)).conj(),
    "negative": lambda: torch.complex(torch.ones(2), torch.ones(2)).conj().imag,
    "needs a gradient": lambda: torch.ones(3, requires_grad=True),
    "computed": lambda: torch.ones(3, requires_grad=True) * 2,
    "parameter": lambda: torch.nn.Parameter(torch.ones(2, 3)),
    "frozen parameter": lambda: torch.nn.Parameter(torch.ones(2000), requires_grad=False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_tensor_comes_back(name: str) -> None:
    tensor = CASES[name]()

    id, found = back(tensor)

    assert id == "torch/1"
    assert same(found, tensor)
    assert same(inside(tensor), tensor)
    assert found.is_leaf


@pytest.mark.parametrize("name", ["transposed", "channels last"])
def test_the_order_of_the_axes_in_memory_is_kept(name: str) -> None:
    tensor = CASES[name]()

    assert back(tensor)[1].stride() == tensor.stride()
    assert inside(tensor).stride() == tensor.stride()


def test_only_the_own_elements_of_a_view_are_stored() -> None:
    view = torch.zeros(1_000_000)[:10]

    assert len(dumped(view)[1]) < 1000
    assert len(dumped([view, object])[1]) < 1000


@pytest.mark.parametrize("name", ["transposed", "frozen parameter"])
def test_dumping_copies_nothing(name: str) -> None:
    tensor = CASES[name]().detach()

    _, memory = Torch(None).dump(tensor)
    pieces = Pickle(None).dump([tensor], OBJECTS)

    assert address(memory) == tensor.data_ptr()
    assert tensor.data_ptr() in [address(piece) for piece in pieces if len(memoryview(piece)) > 999]


@pytest.mark.parametrize("wrap", [lambda tensor: tensor, lambda tensor: [tensor]])
def test_loading_copies_nothing_and_gives_what_may_be_written(wrap: Any) -> None:
    id, data = dumped(wrap(torch.ones(5000)))
    begin = address(data)

    found = loaded(id, data)
    tensor = found[0] if isinstance(found, list) else found
    tensor += 1

    assert begin < tensor.data_ptr() < begin + len(data)
    assert tensor.tolist() == [2.0] * 5000


def test_read_only_data_is_copied() -> None:
    id, data = dumped(torch.ones(5000))

    found = loaded(id, fixed := bytes(data))
    found += 1

    assert fixed == data


def test_the_same_tensor_in_two_places_is_the_same_afterwards() -> None:
    tensor = torch.ones(3)

    _, (one, other, inner) = back([tensor, tensor, {"again": tensor}])

    assert one is other is inner["again"]


def model() -> Any:
    torch.manual_seed(3)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.LSTM(4, 5)
    )
    layers.tied = torch.nn.Linear(5, 5)
    layers.tied_too = torch.nn.Linear(5, 5)
    layers.tied_too.weight = layers.tied.weight
    return layers


def equal_states(one: Any, other: Any) -> bool:
    return list(one) == list(other) and all(map(same, one.values(), other.values()))


def test_a_state_dict_comes_back_with_its_metadata() -> None:
    state = model().state_dict()

    id, found = back(state)

    assert id == "pickle/1"
    assert type(found) is collections.OrderedDict
    assert found._metadata == state._metadata
    assert equal_states(found, state)
    model().load_state_dict(found)


def test_a_whole_module_comes_back_with_its_tied_weights() -> None:
    before = model()

    _, found = back(before)

    assert equal_states(found.state_dict(), before.state_dict())
    assert found.tied.weight is found.tied_too.weight
    assert all(isinstance(each, torch.nn.Parameter) for each in found.parameters())


def test_an_optimizer_goes_on_where_it_was() -> None:
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(3)).sum().backward()
    optimizer.step()

    _, (found, steps, whole) = back((layer, optimizer.state_dict(), (layer, optimizer)))

    again = torch.optim.Adam(found.parameters())
    again.load_state_dict(steps)
    for (_, one), (_, other) in zip(
        sorted(again.state_dict()["state"].items()),
        sorted(optimizer.state_dict()["state"].items()),
        strict=True,
    ):
        assert all(same(one[key], other[key]) for key in other)
    assert whole[1].param_groups[0]["params"][0] is whole[0].weight


@dataclass
class Batch:
    rows: Any
    labels: list[Any]


def test_a_dataclass_with_tensors_comes_back() -> None:
    batch = Batch(torch.randn(50, 100), [torch.tensor([1, 2]), None])

    id, found = back(batch)

    assert id == "pickle/1"
    assert same(found.rows, batch.rows)
    assert same(found.labels[0], batch.labels[0])


def test_attributes_of_a_tensor_come_back() -> None:
    tensor = torch.ones(3)
    tensor.unit = "m"

    id, found = back(tensor)

    assert (id, found.unit) == ("pickle/1", "m")
    assert same(found, tensor)


def test_what_is_more_than_elements_is_pickled_in_torchs_own_way_but_not_with_its_loader() -> None:
    sparse = torch.eye(3000).to_sparse()

    id, data = dumped(sparse)
    found = loaded(id, data)

    assert id == "pickle/1"
    assert b"load_from_bytes" not in data
    assert torch.equal(found.coalesce().values(), sparse.coalesce().values())
    assert torch.equal(found.coalesce().indices(), sparse.coalesce().indices())


class Tagged(torch.Tensor):  # type: ignore[misc, name-defined] # torch is not always there
    pass


def test_a_tensor_of_a_class_of_its_own_stays_one() -> None:
    tensor = torch.ones(5000).as_subclass(Tagged)

    id, data = dumped(tensor)
    found = loaded(id, data)

    assert (id, type(found)) == ("pickle/1", Tagged)
    assert b"load_from_bytes" not in data
    assert raw(found) == raw(tensor)


def test_a_storage_comes_back() -> None:
    storage = torch.arange(3000).untyped_storage()

    _, found = back(storage)

    assert type(found) is torch.UntypedStorage
    assert list(found) == list(storage)


def test_a_tensor_without_memory_keeps_its_shape() -> None:
    id, found = back(torch.empty(3, 4, device="meta"))

    assert (id, found.shape, found.is_meta) == ("pickle/1", (3, 4), True)


def test_a_hook_is_not_stored_and_torch_says_so() -> None:
    tensor = torch.ones(3, requires_grad=True)
    tensor.register_hook(print)

    with pytest.warns(UserWarning, match="will not be serialized"):
        id, found = back(tensor)

    assert id == "pickle/1"
    assert same(found, tensor)


def test_the_header_is_the_same_everywhere() -> None:
    _, data = dumped(torch.ones(2, 3))

    text = '{"__metadata__":{},"tensor":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}'
    assert data[:8] == (120).to_bytes(8, "little")
    assert data[8:128] == text.ljust(120).encode()


def test_safetensors_reads_the_bytes() -> None:
    library = pytest.importorskip(
        "safetensors.torch", reason="safetensors is not installed: pip install safetensors"
    )
    whole, turned = torch.randn(3, 4, 5).bfloat16(), CASES["transposed"]()

    assert torch.equal(library.load(bytes(dumped(whole)[1]))["tensor"], whole)
    assert torch.equal(library.load(bytes(dumped(turned)[1]))["memory"], turned.t().reshape(-1))


@pytest.mark.parametrize(
    "change",
    [
        {"tensor": {"dtype": "F99", "shape": [6], "data_offsets": [0, 24]}},
        {"tensor": {"dtype": "F32", "shape": [7], "data_offsets": [0, 24]}},
        {"tensor": {"dtype": "F32", "shape": [-6], "data_offsets": [0, 24]}},
        {"tensor": {"dtype": "F32", "shape": [6], "data_offsets": [0, 25]}},
        {"other": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24]}},
        {"memory": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24]},
         "__metadata__": {"shape": "[3]", "strides": "[3]"}},
        {"memory": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24]},
         "__metadata__": {"shape": "[2]", "strides": "[-1]"}},
        {"tensor": {"dtype": "I32", "shape": [6], "data_offsets": [0, 24]},
         "__metadata__": {"requires_grad": "true"}},
        {},
    ],
)  # fmt: skip
def test_a_header_that_is_none_is_corrupt(change: dict[str, Any]) -> None:
    text = json.dumps({"__metadata__": {}} | change).ljust(120).encode()
    data = bytearray((120).to_bytes(8, "little") + text + bytes(24))
    whole = dumped(torch.zeros(2, 3))[1]

    assert same(loaded("torch/1", whole), torch.zeros(2, 3))
    with pytest.raises(CorruptArtifact):
        loaded("torch/1", data)


def test_tensors_are_loaded_without_numpy() -> None:
    here = __file__.rpartition("/")[0]
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        f"import warnings; warnings.simplefilter('ignore'); sys.path.append({here!r})\n"
        "import torch; from there_and_back import back\n"
        "print(back(torch.ones(2)), back([torch.ones(2)]))"
    )

    found = python(code)

    assert found == "('torch/1', tensor([1., 1.])) ('pickle/1', [tensor([1., 1.])])"
