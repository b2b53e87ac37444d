"""What a day with stacks looks like: on a terminal, and where nobody can be asked.

The same commands in the same order, each in a process of its own. What they print is compared to
`screens/stacks/NAME.txt`; where nobody can be asked, to `NAME.closed.txt` if it is not the same.
`REWRITE_SCREENS=1 pytest …` writes them anew.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest

SCREENS = Path(__file__).with_name("screens") / "stacks"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Typed:
    """A command, and what is answered when it asks."""

    name: str
    line: str
    answers: Sequence[tuple[str, str]] = ()


COMMANDS = (
    Typed("stack-help", "penstock stack --help"),
    Typed("stack-list", "penstock stack list"),
    Typed("orchestrator-list", "penstock orchestrator list"),
    Typed("orchestrator-flavor-list", "penstock orchestrator flavor list"),
    Typed(
        "artifact-store-register",
        "penstock artifact-store register shelf --flavor=local --path=artifacts/shelf",
    ),
    Typed(
        "artifact-store-register-asking",
        "penstock artifact-store register drawer --flavor=local -i",
        answers=(
            ("path [.penstock]: ", "artifacts/drawer"),
            ("allow_pickle [signed]: ", "never"),
            ("signing_key [nothing]: ", "env:TEAM_KEY"),
            ("compression [none]: ", "zip"),
            ("compression [none]: ", ""),
            ("warn_above [10GB]: ", ""),
            ("durability [process]: ", "power"),
            ("verify [once]: ", ""),
            ("Test it now? [y/N]: ", "n"),
        ),
    ),
    Typed("artifact-store-flavor-describe", "penstock artifact-store flavor describe local"),
    Typed("artifact-store-help", "penstock artifact-store --help"),
    Typed("artifact-store-list", "penstock artifact-store list"),
    Typed("orchestrator-register", "penstock orchestrator register wide --flavor=local"),
    Typed("stack-register-help", "penstock stack register --help"),
    Typed(
        "stack-register", "penstock stack register mine --orchestrator wide --artifact-store shelf"
    ),
    Typed("stack-set", "penstock stack set mine"),
    Typed("stack-get", "penstock stack get"),
    Typed("stack-up", "penstock stack up"),
    Typed("stack-delete-too-early", "penstock stack delete mine"),
    Typed("stack-down", "penstock stack down --force"),
    Typed("artifact-store-delete-too-early", "penstock artifact-store delete shelf"),
    Typed("stack-delete", "penstock stack delete mine"),
    Typed("artifact-store-delete", "penstock artifact-store delete shelf"),
    Typed("orchestrator-delete", "penstock orchestrator delete wide"),
)

Screen = Callable[[Typed], str]


def on_a_terminal(typed: Typed) -> str:
    """What stands on a terminal of 80 columns afterwards, answers included."""
    child = pexpect.spawn(
        sys.executable, _words(typed), env={**_variables(), "TERM": "xterm"}, encoding="utf-8",
        dimensions=(60, 80), timeout=60,
    )  # fmt: skip
    text = ""
    for question, answer in typed.answers:
        child.expect_exact(question)
        text += child.before + child.after
        child.sendline(answer)
    text += child.read()
    child.close()
    return _with_code(text.replace("\r\n", "\n"), child.exitstatus)


def with_closed_stdin(typed: Typed) -> str:
    """What comes through a pipe if nobody can be asked."""
    done = subprocess.run(
        ["bash", "-c", 'exec "$0" "$@" 2>&1 <&-', sys.executable, *_words(typed)],
        env=_variables(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return _with_code(done.stdout, done.returncode)


@pytest.mark.parametrize("screen", [on_a_terminal, with_closed_stdin])
def test_every_screen_is_as_it_is_kept(screen: Screen, tmp_path: Path) -> None:
    suffix = ".closed" if screen is with_closed_stdin else ""
    wrong = [
        text for typed in COMMANDS for text in differing(SCREENS, typed, screen(typed), suffix)
    ]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def differing(folder: Path, typed: Typed, text: str, suffix: str) -> Iterator[str]:
    """The screen that is kept and the one that is there, if they are not the same."""
    text = re.sub(re.escape(os.getcwd()), "HERE", text.replace(os.environ["HOME"], "HOME"))
    usual, special = folder / f"{typed.name}.txt", folder / f"{typed.name}{suffix}.txt"
    if os.environ.get("REWRITE_SCREENS"):
        _keep(text, usual, special)
    kept = (special if special.exists() else usual).read_text("utf-8")
    if text != kept:
        yield f"$ {typed.line}\n--- kept\n{kept}\n--- now\n{text}"


def test_another_screen_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REWRITE_SCREENS", raising=False)
    (tmp_path / "get.txt").write_text("default (the default)\n")
    (tmp_path / "get.closed.txt").write_text("default\n")
    get = Typed("get", "penstock stack get")
    assert [*differing(tmp_path, get, "default (the default)\n", "")] == []
    assert len([*differing(tmp_path, get, "default (the default) \n", "")]) == 1
    assert len([*differing(tmp_path, get, "default (the default)\n", ".closed")]) == 1


def test_no_screen_is_kept_of_what_nobody_types() -> None:
    names = {typed.name for typed in COMMANDS}
    assert {path.name.partition(".")[0] for path in SCREENS.iterdir()} == names


def _words(typed: Typed) -> list[str]:
    _, *words = shlex.split(typed.line)
    return ["-m", "penstock", *words]


def _variables() -> dict[str, str]:
    """Of a terminal that says how wide it is, and of people who like colours."""
    return {key: text for key, text in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")}


def _with_code(text: str, code: int | None) -> str:
    return text + (f"[exit code {code}]\n" if code else "")


def _keep(text: str, usual: Path, special: Path) -> None:
    """A screen is kept twice only if there are two."""
    usual.parent.mkdir(exist_ok=True)
    if special == usual or text != usual.read_text("utf-8"):
        special.write_text(text, "utf-8")
    else:
        special.unlink(missing_ok=True)
