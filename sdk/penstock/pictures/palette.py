"""Colours, for light and dark pages. Whatever the page, a picture brings its own paper, so that
its letters can be read: every pair below has the contrast that WCAG AA asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LIGHT: Final[Mapping[str, str]] = {
    "paper": "#ffffff", "box": "#f6f8fa", "ink": "#1f2328", "soft": "#57606a", "edge": "#7d8590",
    "good": "#1a7f37", "kept": "#0969da", "busy": "#8a5d00", "bad": "#cf222e", "odd": "#953800",
    "quiet": "#57606a",
}  # fmt: skip
DARK: Final[Mapping[str, str]] = {
    "paper": "#16191e", "box": "#22272e", "ink": "#e6edf3", "soft": "#a3adb8", "edge": "#7d8691",
    "good": "#4ac26b", "kept": "#6cb6ff", "busy": "#daaa3f", "bad": "#ff8a80", "odd": "#f69d50",
    "quiet": "#a3adb8",
}  # fmt: skip

TONES: Final = ("good", "kept", "busy", "bad", "odd", "quiet")

_LIGHT_PAGES: Final = ("[data-jp-theme-light=true]", ".vscode-light", "html[theme=light]")
_DARK_PAGES: Final = (
    "[data-jp-theme-light=false]", ".vscode-dark", "html[theme=dark]",
)  # fmt: skip
"""How JupyterLab, VS Code and Colab say which theme is on; it may be another than the system's."""


def variables(scope: str) -> str:
    """CSS that defines every colour, as `--ps-…`, for elements that `scope` selects."""
    light, dark = _defined(LIGHT), _defined(DARK)
    return (
        f"{scope}{{{light}}}"
        f"@media (prefers-color-scheme:dark){{{scope}{{{dark}}}}}"
        f"{_within(_LIGHT_PAGES, scope)}{{{light}}}"
        f"{_within(_DARK_PAGES, scope)}{{{dark}}}"
    )


def colour(property: str, name: str) -> str:
    """A declaration; what does not know of variables takes the light colour."""
    return f"{property}:{LIGHT[name]};{property}:var(--ps-{name})"


def _defined(colours: Mapping[str, str]) -> str:
    return ";".join(f"--ps-{name}:{value}" for name, value in colours.items())


def _within(pages: tuple[str, ...], scope: str) -> str:
    return ",".join(f"{page} {scope}" for page in pages)
