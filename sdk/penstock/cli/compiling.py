"""`penstock pipeline compile`: what an engine elsewhere would be handed, as a file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from penstock.api import asked, commands
from penstock.api.asked import Asked
from penstock.api.ending import remark, say
from penstock.api.flags import OURS
from penstock.api.pipeline import Pipeline
from penstock.cli.of_pipeline import OfPipeline
from penstock.errors import PenstockError
from penstock.lazy import lazy
from penstock.model import credentials
from penstock.runtime import whole_file
from penstock.stack.orchestrator import MARK

if TYPE_CHECKING:
    from penstock.runtime import dockerfile
    from penstock.runtime.compiling import Compilation
else:
    dockerfile = lazy("penstock.runtime.dockerfile")  # only for who writes a file

TAKEN: Final = {
    "output": "names the file",
    "all": "leaves no step out",
    "no_upload": "sends nothing",
    "upload": "and --no-upload say whether anything is sent",
    "dockerfile": "prints an image",
}
"""Names that flags of `compile` have besides those of a run."""


def _compiling(pipeline: Pipeline[..., Any]) -> click.Command:
    """The command for the flags of a pipeline that is to be compiled."""
    options = [
        click.Option(["-o", "--output"], metavar="FILE", help="Write there, not to stdout."),
        click.Option(["--stack"], help="Compile for this stack instead of the active one."),
        click.Option(
            ["--all", "everything"], is_flag=True,
            help="Leave no step out: each looks in the cache when it starts. For schedules, and "
            "for a file that is used again and again.",
        ),
        click.Option(
            ["--no-upload", "upload"], is_flag=True, flag_value=False, default=True,
            help="Send nothing to the artifact store: the file is the same, and cannot run until "
            "it is compiled without this.",
        ),
        click.Option(
            ["--dockerfile"], is_flag=True, help="Write the lines of an image for it instead."
        ),
    ]  # fmt: skip
    return asked.command(pipeline, options, OURS | TAKEN)


@click.group(name="compile", cls=OfPipeline, make=_compiling)
def compile() -> None:
    """Compile a pipeline for an engine elsewhere, and run nothing.

    Steps whose results are in the cache are left out. What the file needs goes into the artifact
    store: wherever that can be reached, the file can run.

    FILE alone will do if it has one pipeline; package.module:NAME names one in a module. Its own
    flags come after it: type --help there.
    """


@compile.result_callback()
def write(said: Asked) -> None:
    given = said.ours["output"]
    path = None if given in (None, "-") else Path(given)
    if path is not None:
        _check(path)
    if said.ours["dockerfile"]:
        _give(commands.image_for(said), path)
        return
    made = commands.compiled(said)
    for note in made.notes:
        remark(f"note: {note}")
    remark(_told(said, made))
    if made.text:
        _give(made.text, path)
    elif path is not None and path.is_file():
        path.unlink()  # who goes on with that file would run the pipeline of another day
        remark(f"Removed: {path}, which an earlier one had written")


def _told(said: Asked, made: Compilation) -> str:
    name, stack = repr(said.pipeline.name), f"the stack {made.stack.name!r} ({made.stack.origin})"
    store = credentials.hidden(made.stack.artifact_store.path)
    if not made.text:
        return (
            f"Pipeline {name} has nothing to do on {stack}: the cache has {_all(made.calls)}. "
            "Nothing was written; --all leaves none out."
        )
    left_out = f", {made.hits} left out (in the cache)" if made.hits else ""
    place = (
        f"What it needs is in {store}; it can run wherever that can be reached."
        if said.ours["upload"]
        else f"Nothing was sent to {store}: it cannot run before that."
    )
    todo = _steps(made.calls - made.hits)
    return f"Pipeline {name} for {stack}: {todo}{left_out}.\n{place}"


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _all(count: int) -> str:
    return "its step" if count == 1 else f"all {count} steps"


def _check(path: Path) -> None:
    """Raise `PenstockError` before anything is done for a file that can never be written."""
    if path.is_dir():
        raise PenstockError(f"{path} is a folder, and cannot be written as a file.")
    if path.is_file() and not _is_ours(path):
        raise PenstockError(
            f"{path} is there, and was not written by this command: it is left as it is.",
            hint=f"Choose another name, or type: rm {shlex.quote(str(path))}",
        )
    if not path.parent.is_dir():
        hint = f"Type: mkdir -p {path.parent}"
        raise PenstockError(f"{path} cannot be written: there is no such folder.", hint=hint)


def _is_ours(path: Path) -> bool:
    """Whether a file is empty, or what was compiled here before."""
    try:
        with open(path, "rb") as file:
            line = file.readline(200)
    except OSError:  # then it cannot be written either, and that is told
        return True
    return not line or line.startswith((MARK.encode(), dockerfile.MARK.encode()))


def _give(text: str, path: Path | None) -> None:
    """The result: on stdout, or in a file, which is written whole or not at all."""
    if path is None:
        say(text.removesuffix("\n"))
        return
    try:
        if path.exists() and not path.is_file():  # a pipe, or /dev/stdout
            path.write_text(text, encoding="utf-8")
        else:
            whole_file.write(path.resolve(), [text])
    except OSError as error:
        raise PenstockError(f"{path} cannot be written: {error.strerror or error}.") from error
    remark(f"Written: {path}")
