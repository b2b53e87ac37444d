import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from there_and_back import back, dumped, loaded, python

from penstock.artifacts.formats import installed, registry
from penstock.artifacts.formats.registry import candidates, declared, for_format, materializer
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.errors import BadConfiguration, MissingExtra, NameTaken, UnsupportedValue


class Image:
    def __init__(self, pixels: bytes) -> None:
        self.pixels = pixels

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Image) and other.pixels == self.pixels

    __hash__ = None  # type: ignore[assignment]


class Photo(Image):
    pass


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    tables: Any = (registry._by_type, registry._by_format, registry._simple)
    before = [dict(table) for table in tables]
    yield
    for table, old in zip(tables, before, strict=True):
        table.clear()
        table.update(old)


def as_raw(name: str = "AsRaw", id: Any = "raw/1", **namespace: Any) -> Any:
    class AsRaw(Materializer[Image]):
        format: ClassVar[str] = id

        def dump(self, value: Image) -> Sequence[bytes]:
            return [value.pixels]

        def load(self, data: Any) -> Image:
            return (self.kind or Image)(bytes(data))

    AsRaw.__qualname__ = name
    for key, value in namespace.items():
        setattr(AsRaw, key, value)
    return AsRaw


def ids(value: object, hint: Any = None) -> list[str]:
    return [format.format for format in candidates(value, hint)]


@pytest.mark.parametrize(
    ("value", "first"),
    [
        (None, "json/1"), (True, "json/1"), (1, "json/1"), (1.5, "json/1"), ("x", "text/1"),
        ([], "json/1"), ({}, "json/1"), ((), "json/1"), (set(), "json/1"), (b"", "bytes/1"),
        (bytearray(), "bytearray/1"), (memoryview(b""), "memoryview/1"), (1j, "pickle/1"),
        (np.zeros(1), "npy/1"), (np.ma.masked_array([1]), "npy/1"), (np.int8(1), "npy-scalar/1"),
        (Path(), "path/1"), (Image(b""), "pickle/1"), (Image, "pickle/1"),
    ],
    ids=lambda item: item if isinstance(item, str) else type(item).__name__,
)  # fmt: skip
def test_each_value_has_its_first_format(value: object, first: str) -> None:
    assert ids(value)[0] == first
    assert next(candidates(value)).kind is type(value)


def test_a_users_format_comes_before_all_others() -> None:
    materializer(Image)(as_raw())

    assert back(Image(b"x")) == ("raw/1", Image(b"x"))
    assert ids(Photo(b"x")) == ["raw/1", "pickle/1", "cloudpickle/1"]
    assert type(loaded("raw/1", b"x", Photo)) is Photo


def test_a_users_format_for_pythons_own_types_comes_first_too() -> None:
    materializer(int, dict)(as_raw())

    assert ids(1) == ids(True) == ["raw/1", "json/1"]
    assert ids({})[:2] == ["raw/1", "json/1"]
    assert ids(1.5) == ["json/1"]


def test_a_users_format_for_object_takes_everything() -> None:
    materializer(object)(as_raw())

    assert ids(None)[0] == ids(np.zeros(1))[0] == ids(Image(b""))[0] == "raw/1"


def test_the_format_of_the_nearest_class_comes_first() -> None:
    materializer(Image)(as_raw())
    materializer(Photo)(as_raw("AsPhoto", "photo/1"))

    assert ids(Photo(b""))[:2] == ["photo/1", "raw/1"]


def test_what_a_users_format_does_not_take_goes_on() -> None:
    def dump(self: object, value: object) -> Sequence[bytes]:
        raise NotThisFormat("never")

    materializer(Image)(as_raw(dump=dump))

    assert dumped(Image(b""))[0] == "pickle/1"


def test_the_decorator_gives_back_the_class() -> None:
    format = as_raw()

    assert materializer(Image)(format) is format


def test_a_cell_that_runs_again_replaces_its_format() -> None:
    materializer(Image, Photo)(as_raw(id="old/1"))
    again = as_raw()
    materializer(Image)(again)

    assert type(next(candidates(Image(b"")))) is again
    assert ids(Photo(b""))[0] == "raw/1"
    with pytest.raises(UnsupportedValue):
        for_format("old/1", None)


def test_another_format_for_the_same_class_is_refused() -> None:
    materializer(Image)(as_raw())

    with pytest.raises(
        NameTaken, match=r"Other cannot be the format for values of 'Image': .*AsRaw"
    ):
        materializer(Image)(as_raw("Other", "other/1"))
    assert ids(Image(b""))[0] == "raw/1"


def test_another_class_for_the_same_id_is_refused() -> None:
    materializer(Image)(as_raw())

    with pytest.raises(NameTaken, match="Other cannot be the format for 'raw/1'"):
        materializer(Photo)(as_raw("Other"))


def test_an_id_of_penstocks_own_is_refused() -> None:
    with pytest.raises(NameTaken, match="'npy/1' of 'AsRaw' is one of penstock's own"):
        materializer(Image)(as_raw(id="npy/1"))


@pytest.mark.parametrize("id", ["png", "png/", "/1", "png/x", "PNG/1", "a b/1", "png/1\n", 3, None])
def test_an_id_is_a_name_and_a_number(id: Any) -> None:
    with pytest.raises(BadConfiguration, match="not a name and a number"):
        materializer(Image)(as_raw(id=id))


def test_only_formats_are_registered_and_only_for_classes() -> None:
    with pytest.raises(BadConfiguration, match="neither a Materializer nor a Composite"):
        materializer(Image)(Image)  # type: ignore[type-var]
    with pytest.raises(BadConfiguration, match="is registered for none"):
        materializer()(as_raw())
    with pytest.raises(BadConfiguration, match="is registered for 'x'"):
        materializer("x")(as_raw())  # type: ignore[arg-type]


def test_declared_is_the_users_format_for_an_annotation() -> None:
    assert declared(Image) == ""
    materializer(Image)(as_raw())

    assert declared(Image) == declared(Photo) == declared(Photo | None) == "raw/1"
    assert declared(None) == declared(int) == declared(np.ndarray) == declared("Image") == ""


def test_an_unknown_format_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(UnsupportedValue) as caught:
        for_format("png/1", None)

    assert caught.value.message.startswith(
        "No format named 'png/1' is known here. Known: 'arrow/1'"
    )
    assert "@materializer" in str(caught.value.hint)


def test_a_missing_library_is_an_error_with_the_line_to_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(
        MissingExtra, match=r"'arrow/1' are loaded with 'pyarrow'(?s:.*)pip install"
    ):
        for_format("arrow/1", None)


def test_of_an_unknown_format_the_worst_is_believed() -> None:
    assert registry.runs_code("pickle/1")
    assert registry.runs_code("nobody/1")
    assert not registry.runs_code("npy/1")
    assert registry.is_composite("path/1")
    assert not registry.is_composite("nobody/1")


def test_every_built_in_format_has_its_id() -> None:
    for id in registry.BUILT_IN:
        assert registry._built_in(id).format == id


def test_pandas_and_polars_without_pyarrow_are_pickled() -> None:
    code = f"""
import sys; sys.path.append({str(Path(__file__).parent)!r})
sys.modules["pyarrow"] = None
import warnings; warnings.simplefilter("ignore")
import pandas as pd, polars as pl
from there_and_back import dumped
print(dumped(pd.DataFrame({{"a": [1]}}))[0], dumped(pd.Series([1]))[0])
print(dumped(pl.DataFrame({{"a": [1]}}))[0])
"""
    assert python(code).split() == ["pickle/1"] * 3


PLUGIN = """
from typing import ClassVar
from penstock.artifacts.materializer import Materializer

class AsImage(Materializer):
    format: ClassVar[str] = "images.raw/1"
    def dump(self, value): return [value.pixels]
    def load(self, data):
        import images
        return images.Image(bytes(data))

class Nameless(AsImage):
    format: ClassVar[str] = "nowhere/1"
"""

ENTRIES = """
[penstock.materializers]
images.raw/1 = images_format:AsImage
images.Image = images_format:AsImage
images.Broken = not_there:X
images.Wrong = images_format:ClassVar
images.Nameless = images_format:Nameless
images.Raising = images_raising:X
raising/1 = images_raising:X
other/1 = images_format:AsImage
twice/1 = images_format:AsImage
"""

IMAGES = """
from dataclasses import dataclass

class Image:
    def __init__(self, pixels): self.pixels = pixels

class Photo(Image): pass

@dataclass
class Sized(Image):
    pixels: bytes

class Broken: pass
class Wrong: pass
class Nameless: pass
class Raising: pass
"""


def distribution(folder: Path, name: str, entries: str) -> None:
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(entries)


@pytest.fixture
def installed_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that brings a format, and a number of others that are wrong."""
    distribution(tmp_path, "images", ENTRIES)
    rival = "[penstock.materializers]\ntwice/1 = rival:Raw\nimages.raw/1 = images_format:AsImage\n"
    distribution(tmp_path, "a-rival", rival)
    (tmp_path / "images.py").write_text(IMAGES)
    (tmp_path / "images_format.py").write_text(PLUGIN)
    (tmp_path / "images_raising.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    caches: Any = (installed.find, installed._entries)
    for cache in caches:
        cache.cache_clear()
    yield tmp_path
    for cache in caches:
        cache.cache_clear()
    for name in ("images", "images_format"):
        sys.modules.pop(name, None)


def test_an_installed_package_brings_a_format(installed_images: Path) -> None:
    images: Any = import_module("images")

    assert ids(images.Image(b"x")) == ["images.raw/1", "pickle/1", "cloudpickle/1"]
    assert ids(images.Photo(b"x"))[0] == "images.raw/1"
    assert loaded("images.raw/1", b"abc").pixels == b"abc"


def test_an_installed_format_comes_before_those_for_every_dataclass(installed_images: Path) -> None:
    images: Any = import_module("images")

    assert ids(images.Sized(b"x"), images.Sized)[:2] == ["images.raw/1", "dataclass/1"]


def test_an_installed_format_is_loaded_when_it_is_needed(installed_images: Path) -> None:
    ids(Image(b"")), ids([1]), ids(np.zeros(1))
    assert "images_format" not in sys.modules

    for_format("images.raw/1", None)
    assert "images_format" in sys.modules


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("Broken", MissingExtra, ("'images.Broken', not_there:X of the package 'images', needs the "
         "library 'not_there', which is not installed.")),
        ("Wrong", BadConfiguration, "is neither a Materializer nor a Composite."),
        ("Nameless", BadConfiguration, ("has the format 'nowhere/1', and no entry point of that "
         "name says who loads it. There are 'images.raw/1', ")),
        ("Raising", BadConfiguration, "cannot be loaded: ZeroDivisionError: division by zero ("),
    ],
)  # fmt: skip
def test_a_broken_format_is_an_error_for_values_of_its_class_only(
    installed_images: Path, name: str, error: type[Exception], message: str
) -> None:
    images: Any = import_module("images")
    assert ids(images.Image(b""))

    with pytest.raises(error) as caught:
        ids(getattr(images, name)())
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("raising/1", r"images_raising:X of the package 'images', .* \(.*images_raising.py:1\)"),
        ("other/1", "has the format 'images.raw/1'.\nWrite there: format = \"other/1\""),
        ("twice/1", ("Several packages bring a format for 'twice/1': images_format:AsImage of the "
         "package 'images', rival:Raw of the package 'a-rival'.")),
    ],
)  # fmt: skip
def test_a_broken_format_is_an_error_when_it_is_loaded(
    installed_images: Path, id: str, message: str
) -> None:
    with pytest.raises((BadConfiguration, NameTaken), match=message):
        for_format(id, None)


def test_a_format_that_is_gone_is_looked_for_by_its_name() -> None:
    with pytest.raises(UnsupportedValue) as caught:
        for_format("acme-images.raw/1", None)

    assert str(caught.value).endswith(
        "or install the package that brings it (by its name: 'acme-images')."
    )


HEAVY = ["numpy", "pandas", "pyarrow", "polars", "pydantic", "cloudpickle", "importlib.metadata"]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "[f.dump(v) for v in (1, 'x', [1], {'a': b'x'}, None) for f in [next(candidates(v))]]",
        "for_format('json/1', None).load(b'[1]')",
        "next(candidates(Path())).format",
    ],
)
def test_nothing_heavy_is_imported_for_plain_values(code: str) -> None:
    code = f"""
import sys
from pathlib import Path
before = set(sys.modules)
from penstock.artifacts.formats.registry import candidates, for_format
{code}
print(sorted((set(sys.modules) - before) & set({[*HEAVY, "pickle"]!r})))
"""
    assert python(code) == "[]"


def test_formats_of_libraries_import_no_other_library() -> None:
    code = f"""
import sys, numpy
before = set(sys.modules)
from penstock.artifacts.formats.registry import candidates
next(candidates(numpy.ones(3))).dump(numpy.ones(3))
print(sorted((set(sys.modules) - before) & set({HEAVY!r})))
"""
    assert python(code) == "[]"
