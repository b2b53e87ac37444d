"""Questions on a terminal, and what there is without one."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import pexpect
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cli.component import group
from penstock.cli.questions.values import value, worded
from penstock.stack.categories import KNOWN
from penstock.stack.changing.spelling import OURS
from penstock.stack.file import read
from penstock.stack.project import Project
from penstock.stack.registry import Registry

FLAVOR = '''\
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from penstock.errors import BadConfiguration
from penstock.stack import Secret, StackComponent
from penstock.model.component import Finding


@dataclass(frozen=True, kw_only=True)
class Board(StackComponent):
    """Keeps metrics."""

    category: ClassVar[str] = "experiment-tracker"
    flavor: ClassVar[str] = "board"

    retries: int = 3
    """How often it is tried."""
    url: str
    """Where it is."""
    verify: bool = True
    token: Secret | None = None
    user: str = ""
    headers: Mapping[str, Secret] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    def __post_init__(self):
        super().__post_init__()
        if self.retries < 0:
            raise BadConfiguration("It cannot be tried less than never.")
        if (self.token is None) != (self.user == ""):
            raise BadConfiguration("It has one of token and user.", hint="Give both.")

    def check(self):
        if self.token is None:
            yield Finding("reach", False, "Nobody is let in.", "Give a token.")
        else:
            known = self.token.reveal().split() == ["t0p", "secret"]
            yield Finding("reach", known, "" if known else "Another token is needed.")
'''
YAML = 'flavors: {experiment-tracker: {board: "boards:Board"}}\n'
BUT_SECRETS = ("--url=x", "--retries=1", "--verify=true", "--tags=[]", "-i", "--", "--user=me")
"""All but `token` and `headers`. One option is called as an option of ours."""
PENSTOCK = (sys.executable, "-m", "penstock")
REGISTER = ("experiment-tracker", "register")
BOARD = (*REGISTER, "main", "--flavor=board")


class Dialogue:
    """A command on a terminal of its own. `prompts` end with a colon and a space."""

    def __init__(self, words: Sequence[str], columns: int, variables: Mapping[str, str]) -> None:
        env = {**os.environ, "TERM": "xterm", "PYTHONPATH": ".", **variables}
        self.child = pexpect.spawn(
            words[0], list(words[1:]), env=env, encoding="utf-8", codec_errors="replace",
            dimensions=(50, columns), timeout=60,
        )  # fmt: skip
        self.screen = ""

    def answer(self, prompt: str, text: str = "") -> None:
        self.asked(prompt)
        self.child.sendline(text)

    def asked(self, prompt: str) -> None:
        self.child.expect(rf"\n{prompt}( \[[^\n]*\])?: ")
        self.screen += self.child.before + self.child.after

    def defaults(self, *prompts: str) -> None:
        for prompt in prompts:
            self.answer(prompt)

    def end(self, code: int = 0) -> str:
        self.screen = (self.screen + self.child.read()).replace("\r\n", "\n")
        self.child.close()
        assert self.child.exitstatus == code, self.screen
        assert "\x1b" not in self.screen  # no colour, on any terminal
        return self.screen

    @property
    def line(self) -> list[str]:
        """The words of the command that does the same without questions."""
        found = re.search(r"The same without questions:\n  penstock (.*)\n", self.screen)
        assert found, self.screen
        return shlex.split(found[1])


Begin = Callable[..., Dialogue]


@pytest.fixture(autouse=True)
def board(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "penstock.yaml").write_text(YAML)
    (project / "boards.py").write_text(FLAVOR)
    monkeypatch.syspath_prepend(str(project))


@pytest.fixture
def begin() -> Begin:
    def begin(*words: str, columns: int = 80, program: Sequence[str] = PENSTOCK,
              **variables: str) -> Dialogue:  # fmt: skip
        return Dialogue([*program, *words], columns, variables)

    return begin


def written(project: Path) -> dict[str, Any]:
    """The options of what stands in the file, by name."""
    found = read(project / "penstock.yaml").components
    return {spec.name: spec.options for spec in found}


def kept() -> dict[str, str]:
    """The files with secrets of this user."""
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "penstock" / "secrets"
    return {each.name: each.read_text() for each in folder.glob("*")}


def everything(folder: Path) -> str:
    return "".join(each.read_text(errors="replace") for each in folder.rglob("*") if each.is_file())


def test_each_option_is_asked_for_what_is_needed_first(begin: Begin, project: Path) -> None:
    talk = begin(*BOARD, "-i")
    talk.answer("url", "https://board.example")
    talk.answer("retries", "5")
    talk.answer("verify", "no")
    talk.defaults("token", "user", "headers")
    talk.answer("tags", "[a, b c]")
    talk.answer("Test it now\\?")
    assert "How often it is tried. A whole number.\nretries [3]: 5" in talk.end()
    assert written(project) == {
        "main": {
            "url": "https://board.example", "retries": 5, "verify": False, "tags": ["a", "b c"]
        }
    }  # fmt: skip


def test_what_was_given_is_not_asked_for(begin: Begin, project: Path) -> None:
    talk = begin(*BOARD, "--url=x", "--verify=false", "--retries=1", "--tags=[]", "-i")
    talk.defaults("token", "user", "headers", "Test it now\\?")
    talk.end()
    assert written(project)["main"]["url"] == "x"


def test_on_a_terminal_what_is_missing_is_asked_for_and_no_more(
    begin: Begin, project: Path
) -> None:
    talk = begin(*BOARD, "--retries=2")
    talk.answer("url", "x")
    talk.end()
    assert written(project) == {"main": {"retries": 2, "url": "x"}}


def test_name_and_flavor_are_asked_for(begin: Begin, project: Path) -> None:
    talk = begin(*REGISTER)
    talk.answer("flavor", "bord")
    talk.answer("flavor")
    talk.answer("name", "Main Board")
    talk.answer("name", "main")
    talk.answer("url", "x")
    screen = talk.end()
    assert "Did you mean 'board'?" in screen
    assert "Take 'main-board', for example." in screen
    assert written(project) == {"main": {"url": "x"}}


def test_an_answer_that_does_not_fit_is_asked_for_again_at_once(begin: Begin) -> None:
    talk = begin(*BOARD, "-i")
    talk.answer("url")
    talk.answer("url", "x")
    talk.answer("retries", "many")
    talk.answer("retries", "-1")
    talk.answer("retries", "[")
    talk.answer("retries")
    talk.answer("verify", "\x1b[D")
    talk.asked("verify")
    talk.child.sendintr()
    screen = talk.end(130)
    assert "There is no default: an answer is needed." in screen
    assert "'many' does not fit: a whole number is needed." in screen
    assert "It cannot be tried less than never." in screen
    assert "your answer:1:2: This is not YAML" in screen
    assert "There is a character in it that is no text" in screen


def test_what_a_later_answer_can_put_right_is_said_and_asked_for_again_in_the_end(
    begin: Begin, project: Path
) -> None:
    talk = begin(*BOARD, "--url=x", "-i")
    talk.defaults("retries", "verify")
    talk.answer("token", "env:TOKEN")
    talk.defaults("user", "headers", "tags")
    talk.defaults("retries", "verify", "token")
    talk.answer("user", "me")
    talk.defaults("headers", "tags", "Test it now\\?")
    screen = talk.end()
    assert "So far: It has one of token and user. Give both." in screen
    assert "token [${env:TOKEN}]: " in screen
    assert written(project) == {"main": {"url": "x", "token": "${env:TOKEN}", "user": "me"}}


def test_an_answer_can_be_taken_back(begin: Begin, project: Path) -> None:
    talk = begin(*BOARD, "--url=x", "--headers={}", "--tags=[]", "-i", "--", "--user=me")
    talk.answer("retries", "7")
    talk.defaults("verify")
    talk.answer("token", "wrong")
    talk.answer("Test it now\\?", "y")
    talk.answer("Register it nevertheless\\?")
    talk.answer("retries", "-")
    talk.defaults("verify", "token", "Test it now\\?")
    talk.end()
    assert "retries" not in written(project)["main"]


def test_a_secret_is_seen_nowhere_and_kept_for_its_user_alone(begin: Begin, project: Path) -> None:
    talk = begin(*BOARD, *BUT_SECRETS)
    talk.answer("token", "t0p secret")
    talk.answer("headers", "X-Auth")
    talk.answer("headers X-Auth", "s3cond one")
    talk.defaults("headers", "Test it now\\?")
    screen = talk.end()
    for secret in ("t0p secret", "s3cond one"):
        assert secret not in screen
        assert secret not in everything(project)
    names = {each: f"experiment-tracker.main.{each}" for each in ("token", "headers.X-Auth")}
    assert kept() == {names["token"]: "t0p secret", names["headers.X-Auth"]: "s3cond one"}
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "penstock" / "secrets"
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    found = Registry(Project(project)).ready("experiment-tracker", "main")
    assert found.token.reveal() == "t0p secret"
    assert found.headers["X-Auth"].reveal() == "s3cond one"


def test_a_secret_never_takes_the_file_of_another(begin: Begin) -> None:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "penstock" / "secrets"
    folder.mkdir(parents=True)
    (folder / "experiment-tracker.main.token").write_text("of somebody else")
    talk = begin(*BOARD, *BUT_SECRETS)
    talk.answer("token", "mine")
    talk.defaults("headers", "Test it now\\?")
    talk.end()
    assert kept() == {
        "experiment-tracker.main.token": "of somebody else",
        "experiment-tracker.main.token.2": "mine",
    }


def test_what_looks_like_a_reference_and_is_none_is_no_secret(begin: Begin) -> None:
    talk = begin(*BOARD, *BUT_SECRETS)
    talk.answer("token", "${evn:TOKEN}")
    talk.asked("token")
    talk.child.sendintr()
    assert "That is no reference.\n  Type env:NAME or file:PATH." in talk.end(130)


def test_it_can_be_tested_before_anything_is_written(begin: Begin, project: Path) -> None:
    before = (project / "penstock.yaml").read_text()
    talk = begin(*BOARD, *BUT_SECRETS)
    talk.answer("token", "wrong")
    talk.defaults("headers")
    talk.answer("Test it now\\?", "y")
    talk.answer("Register it nevertheless\\?", "n")
    assert "WRONG  experiment tracker main: reach: Another token is needed." in talk.screen
    talk.answer("token", "t0p secret")
    talk.asked("headers")
    assert not kept()
    assert (project / "penstock.yaml").read_text() == before
    talk.child.sendline()
    talk.answer("Test it now\\?", "y")
    assert "ok     experiment tracker main: reach" in talk.end()


@pytest.mark.parametrize("key", ["c", "d"])
def test_who_breaks_it_off_has_written_nothing(key: str, begin: Begin, project: Path) -> None:
    talk = begin(*BOARD, *BUT_SECRETS)
    talk.answer("token", "t0p secret")
    talk.asked("headers")
    talk.child.sendcontrol(key)
    assert "Nothing was written." in talk.end(130)
    assert written(project) == {}
    assert kept() == {}


def test_a_terminal_shows_what_is_typed_again_after_a_secret_was_broken_off(begin: Begin) -> None:
    talk = begin(*BOARD, *BUT_SECRETS)
    talk.asked("token")
    assert not talk.child.getecho()
    talk.child.sendintr()
    talk.child.expect("Nothing was written")
    assert talk.child.getecho()
    talk.end(130)


def test_a_file_that_was_changed_meanwhile_stays_and_no_answer_is_lost(
    begin: Begin, project: Path, penstock: Any
) -> None:
    talk = begin(*BOARD, *BUT_SECRETS[1:])  # fmt: skip
    talk.answer("url", "it's here")
    talk.answer("token", "t0p secret")
    (project / "penstock.yaml").write_text(f"{YAML}# by somebody else\n")
    talk.defaults("headers", "Test it now\\?")
    screen = talk.end(3)
    assert "penstock.yaml was changed by somebody else in the meantime." in screen
    assert "Nothing was written to it.\nLook at penstock.yaml, and type the line above.\n" in screen
    assert (
        "Secrets were kept for that line; if you do not type it, delete "
        "~/.config/penstock/secrets/experiment-tracker.main.token\n"
    ) in screen
    assert (project / "penstock.yaml").read_text() == f"{YAML}# by somebody else\n"
    assert penstock(*talk.line).code == 0
    found = Registry(Project(project)).ready("experiment-tracker", "main")
    assert found.token.reveal() == "t0p secret"
    assert found.url == "it's here"


def test_a_file_that_was_removed_meanwhile_is_not_replaced_by_another(
    begin: Begin, project: Path
) -> None:
    talk = begin(*BOARD, "-i")
    talk.answer("url", "x")
    (project / "penstock.yaml").unlink()
    talk.defaults("retries", "verify", "token", "user", "headers", "tags", "Test it now\\?")
    assert "penstock.yaml was changed by somebody else in the meantime." in talk.end(3)
    assert not (Path(os.environ["XDG_CONFIG_HOME"]) / "penstock" / "penstock.yaml").exists()


def test_a_file_that_appears_meanwhile_does_not_take_what_goes_to_another(
    begin: Begin, project: Path
) -> None:
    (project / "penstock.yaml").unlink()
    talk = begin("artifact-store", "register", "mine", "--flavor=fsspec")
    talk.asked("path")
    (project / "penstock.yaml").write_text(YAML)
    talk.child.sendline("memory://x")
    assert "--user\n" in talk.end()
    assert (project / "penstock.yaml").read_text() == YAML
    assert list(written(Path(os.environ["XDG_CONFIG_HOME"]) / "penstock")) == ["mine"]


def test_a_file_that_cannot_be_written_is_told_before_the_first_question(
    begin: Begin, project: Path
) -> None:
    (project / "penstock.yaml").chmod(0o444)
    screen = begin(*BOARD, "-i").end(3)
    assert "penstock.yaml cannot be written: it is read-only." in screen
    assert "url" not in screen


def test_a_broken_file_is_told_before_the_first_question(begin: Begin, project: Path) -> None:
    (project / "penstock.yaml").write_text("stacks: [\n")
    screen = begin(*BOARD, "-i").end(3)
    assert "penstock.yaml:" in screen
    assert "url" not in screen


def test_what_was_given_and_is_wrong_is_told_before_the_first_question(begin: Begin) -> None:
    for words, said in (
        (["a b", "--retries=1"], "'a b' cannot be the name"),
        (["main", "--retries=x"], "'x' does not fit: a whole number is needed."),
        (["main", "--retires=1"], "Did you mean 'retries'?"),
    ):
        screen = begin(*REGISTER, *words, "--flavor=board", "-i").end(3)
        assert said in screen
        assert "url: " not in screen


@pytest.mark.parametrize(("words", "said"), [
    (["default"], "is built in"),
    (["taken", "-i"], "is taken: penstock.yaml:2:"),
    (["a b"], "Take 'a-b'"),
])  # fmt: skip
def test_a_name_that_was_given_is_checked_before_the_first_question(
    words: list[str], said: str, begin: Begin, project: Path
) -> None:
    (project / "penstock.yaml").write_text(f"{YAML}artifact_stores: {{taken: {{flavor: local}}}}\n")
    screen = begin("artifact-store", "register", *words).end(3)
    assert said in screen
    assert "flavor: " not in screen


def test_results_go_to_stdout_and_questions_to_stderr(begin: Begin, project: Path) -> None:
    command = f"{shlex.quote(sys.executable)} -m penstock {shlex.join(BOARD)} --json > out.json"
    talk = begin(program=["sh", "-c", command])
    talk.answer("url", "x")
    talk.end()
    told = json.loads((project / "out.json").read_text())
    assert told["changes"][0]["what"] == "experiment tracker main"


def test_the_line_that_is_shown_does_the_same(begin: Begin, project: Path, penstock: Any) -> None:
    own = Path(os.environ["XDG_CONFIG_HOME"]) / "penstock" / "penstock.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(YAML)
    talk = begin(*BOARD, "--user", "--url=x", "-i", "--", "--user=it's me")
    talk.answer("retries", "5")
    talk.answer("verify", "n")
    talk.answer("token", "env:TOKEN")
    talk.defaults("headers")
    talk.answer("tags", "[\"it's\", 'a: b', $HOME]")
    talk.defaults("Test it now\\?")
    talk.end()
    once = written(own.parent)
    own.write_text(YAML)
    assert penstock(*talk.line).code == 0
    assert written(own.parent) == once
    assert once["main"]["user"] == "it's me"


def test_nothing_is_cut_on_a_narrow_terminal(begin: Begin) -> None:
    talk = begin("artifact-store", "register", "cloud", "--flavor=fsspec", columns=40, NO_COLOR="1")
    talk.answer("path", "nowhere")
    talk.asked("path")
    talk.child.sendintr()
    screen = talk.end(130)
    assert max(map(len, screen.splitlines())) <= 40
    said = " ".join(screen.split())
    assert (
        "An empty answer takes what is in brackets. Ctrl-C ends it, and nothing is written." in said
    )
    assert "A URL, for example gs://bucket/penstock. Text. path: nowhere" in said


@pytest.mark.parametrize(
    ("variables", "typed", "kept"),
    [
        ({"PYTHONIOENCODING": "latin-1"}, "é".encode("latin-1"), "é"),
        ({"LC_ALL": "C"}, "é".encode(), "é"),
    ],
)
def test_any_encoding_will_do(
    variables: dict[str, str], typed: bytes, kept: str, begin: Begin, project: Path
) -> None:
    talk = begin(*BOARD, **variables)
    talk.asked("url")
    os.write(talk.child.child_fd, typed + b"\n")
    talk.end()
    assert written(project)["main"]["url"] == kept


def test_what_is_no_text_in_the_encoding_is_asked_for_again(begin: Begin) -> None:
    talk = begin(*BOARD, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    talk.asked("url")
    os.write(talk.child.child_fd, b"\xff\n")
    talk.answer("url", "x")
    assert "That is no text in the encoding of this terminal, ascii." in talk.end()


@pytest.mark.parametrize("verb", ["register", "update"])
def test_what_our_commands_are_told_is_known_where_lines_are_spelled(verb: str) -> None:
    command = group(KNOWN["artifact-store"]).get_command(click.Context(click.Command("")), verb)
    assert command
    flags = {flag for each in command.params for flag in each.opts}
    assert {flag[2:] for flag in flags if flag.startswith("--")} <= OURS


def test_without_a_terminal_the_flags_are_named(penstock: Any) -> None:
    said = penstock(*REGISTER)
    assert said.code == 2
    assert "NAME\n  --flavor=…, one of 'board'" in said.err
    said = penstock(*BOARD)
    assert said.code == 2
    assert "--url=…, text. Where it is.\nThere is no terminal" in said.err


def test_without_a_terminal_nobody_is_asked_though_they_say_so(penstock: Any) -> None:
    said = penstock(*BOARD, "--url=x", "-i")
    assert (said.code, said.out) == (2, "")
    assert "Leave -i out: nothing is missing." in said.err


def test_a_closed_stdin_is_no_terminal(project: Path) -> None:
    command = f"{shlex.quote(sys.executable)} -m penstock {shlex.join(BOARD)} <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--url=…" in done.stderr
    assert written(project) == {}


def test_a_stack_is_asked_for_part_by_part(begin: Begin, project: Path, penstock: Any) -> None:
    penstock("orchestrator", "register", "fast", "--flavor=local")
    penstock("step-operator", "register", "gpu", "--flavor=subprocess")
    penstock("step-operator", "register", "big", "--flavor=subprocess")
    talk = begin("stack", "register", "-i", "--set")
    talk.answer("name", "default")
    talk.answer("name", "prod")
    talk.answer("orchestrator", "fst")
    talk.answer("orchestrator", "fast")
    talk.answer("artifact store")
    talk.answer("step operators", "gpu, big")
    talk.answer("steps", "{train: {step_operator: bg}}")
    talk.answer("steps", "{train: {step_operator: big}}")
    talk.answer("secret", "1X")
    talk.answer("secret", "DB_URL")
    talk.answer("secret DB_URL", "postgres://me:pw@host")
    talk.answer("secret")
    talk.answer("Test it now\\?", "y")
    screen = talk.end()
    assert "The stack 'default' is built in." in screen
    assert "Did you mean 'fast'?" in screen
    assert "'bg' is not among the stack's step operators" in screen
    assert "cannot be a variable of the environment" in screen
    assert "ok     stack prod: secret DB_URL" in screen
    assert "postgres" not in screen
    assert re.search(r"penstock stack register prod [^\n]* --set\r?\n", screen)
    assert kept() == {"stack.prod.DB_URL": "postgres://me:pw@host"}
    assert read(project / "penstock.yaml").stacks["prod"].entry() == {
        "orchestrator": "fast",
        "artifact_store": "default",
        "step_operators": ["gpu", "big"],
        "steps": {"train": {"step_operator": "big"}},
        "secrets": {"DB_URL": "${file:~/.config/penstock/secrets/stack.prod.DB_URL}"},
    }


def test_of_a_stack_only_what_is_missing_is_asked_for(begin: Begin, project: Path) -> None:
    talk = begin("stack", "register", "prod", "-o", "default")
    talk.answer("artifact store")
    talk.end()
    assert "prod" in read(project / "penstock.yaml").stacks


def test_without_a_terminal_the_flags_of_a_stack_are_named(penstock: Any) -> None:
    said = penstock("stack", "register", "-o", "default")
    assert said.code == 2
    assert "NAME\n  --artifact-store=…" in said.err


PLAIN = st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(min_size=1)


@given(st.lists(PLAIN, min_size=1) | st.dictionaries(st.text(), PLAIN, min_size=1))
@settings(max_examples=25)
def test_a_default_in_brackets_is_understood_as_an_answer(default: Any) -> None:
    assert value(worded(default), dict[str, Any]) == default
