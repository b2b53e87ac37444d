"""Components: configured parts of a stack. A component is its configuration and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from penstock.errors import PenstockError, StoreError
from penstock.model.immutable import immutable
from penstock.model.names import check_name
from penstock.model.references import REFERENCE, resolve

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

CATEGORIES: Final = (
    "orchestrator", "artifact-store", "step-operator", "experiment-tracker", "model-deployer",
)  # fmt: skip
"""What a stack is made of, as users write it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a component was tried at, and how that went."""

    what: str
    """What was tried, in a word or two: "write"."""
    ok: bool
    message: str = ""
    """What is wrong; or what one should know, though nothing is."""
    hint: str = ""
    """What to type or to do."""
    exit_code: int = StoreError.exit_code
    """That of a command which fails of this."""

    @property
    def mark(self) -> str:
        """In a word: `ok`, `WRONG`, or `note` for what is fine and has something to be known."""
        if not self.ok:
            return "WRONG"
        return "note" if self.message else "ok"

    @classmethod
    def of(cls, what: str, error: PenstockError) -> Self:
        """It does not work, and this is why."""
        return cls(what, False, error.message, error.hint or "", error.exit_code)


class Left(str):
    """What `up` could not make, or has left as it is, and why: among what it says, and nothing that
    `down` could take away."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class StackComponent:
    """A part of a stack. Subclasses are frozen, keyword-only dataclasses; a field is an option.

    Making one does nothing: connections, files and imports come with the first use.
    """

    category: ClassVar[str]
    flavor: ClassVar[str]
    foreign: ClassVar[Mapping[str, str]] = {}
    """What other tools call its options, and what they are here."""
    public: ClassVar[Collection[str]] = ()
    """Options that have names in them which sound like secrets, and hold none: the component itself
    refuses what is one."""
    makes: ClassVar[str] = ""
    """What `up` makes and `down --force` removes, in words; nothing if it needs no place."""

    name: str = ""
    """The name that it is registered under; by default its flavor's."""

    def __post_init__(self) -> None:
        immutable(type(self))
        if not self.name:
            object.__setattr__(self, "name", self.flavor)
        check_name(self.name, self.category.replace("-", " "))

    def placed(self, root: Path) -> Self:
        """The same component with relative paths taken from `root`, the project's folder."""
        return self

    def options(self) -> dict[str, Any]:
        """The options that differ from their defaults, as they were written."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.init and field.name != "name" and getattr(self, field.name) != _default(field)
        }

    def check(self) -> Iterator[Finding]:
        """Try it out, one thing after the other. What an error stops is a finding as well; nothing
        is left behind."""
        yield from ()

    @property
    def site(self) -> str:
        """The place that `up` makes, by its own name: it is the same place as long as this is the
        same text. No secret is in it."""
        return ""

    def up(self) -> Sequence[str]:
        """Make the place that it needs. What was made now, in words: "made the folder store"; and
        what should be known of the rest, each a `Left`.

        Nothing if it was there; then it is left as it is.
        """
        return ()

    def down(self, *, force: bool = False) -> Sequence[str]:
        """Stop what runs for it, and with `force` remove the place; what was done now, in words,
        and what was left, and why.

        Only who has seen `up` make the place asks for that with `force`. Nothing is removed that
        anything is in: no artifact is ever touched.
        """
        return ()


class Secret:
    """Text that shows itself as `***`. It may be a reference, `${env:NAME}` or `${file:PATH}`."""

    __slots__ = ("_written",)

    def __init__(self, written: str) -> None:
        self._written = written

    @property
    def is_reference(self) -> bool:
        """Whether it names a variable or file instead of holding the secret."""
        return REFERENCE.fullmatch(self._written) is not None

    @property
    def written(self) -> str:
        """As it was written if that is a reference, else `***`."""
        return self._written if self.is_reference else "***"

    def reveal(self) -> str:
        """The secret itself. Raises `MissingReference`."""
        return resolve(self._written)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._written == other._written

    def __hash__(self) -> int:
        return hash(self._written)

    def __repr__(self) -> str:
        return f"Secret({self.written!r})"

    __str__ = __repr__

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> CoreSchema:
        """How pydantic makes one: from text. Only pydantic calls this, so it is loaded already."""
        from pydantic_core import core_schema

        from_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema(
                [core_schema.is_instance_schema(cls), from_text]
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda secret: secret.written, return_schema=core_schema.str_schema()
            ),
        )


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
