"""click 8.1, which pyproject.toml allows, has no type parameters: they are for type checkers."""

import ast
from pathlib import Path

import penstock

SOURCES = Path(penstock.__file__).parent.glob("**/*.py")


def generic(path: Path) -> list[str]:
    """Classes whose base is something of click's with brackets behind it."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [
        f"{path.name}:{node.lineno}"
        for node in nodes
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Subscript) and ast.unparse(base).startswith("click.")
    ]


def test_no_class_needs_a_later_click() -> None:
    assert [found for path in SOURCES for found in generic(path)] == []


def test_one_that_does_is_found(tmp_path: Path) -> None:
    path = tmp_path / "words.py"
    path.write_text("class OneOf(click.Choice[str]):\n    pass\n")
    assert generic(path) == ["words.py:1"]
