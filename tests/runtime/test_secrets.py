"""Secrets of steps: found before anything runs, given to those that ask, and never written down."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from penstock import (
    LocalArtifactStore,
    LocalOrchestrator,
    RunFailed,
    Secret,
    Stack,
    SubprocessStepOperator,
    context,
    pipeline,
    step,
)
from penstock.errors import CannotRun
from penstock.runtime.secrets import outside

CANARY = "canary/of 'the' \"mine\" & co?é"
"""Every way to spell it differs from the others."""

STEPS = """
import json, logging, os, sys, threading
from urllib.parse import quote, quote_plus
from penstock import context, step

@step(secrets=["CANARY"], cache=False)
def sing() -> int:
    song = os.environ["CANARY"]
    print(song)
    print(repr(song), json.dumps({"song": song}), ascii(song))
    print(quote(song), quote_plus(song), quote(song, safe=""), file=sys.stderr)
    for letter in song:
        print(letter, end="", flush=True)
    print()
    logging.getLogger("work").warning("as a log: %s", song)
    os.write(1, song.encode())
    thread = threading.Thread(target=print, args=(song,))
    thread.start()
    thread.join()
    context().log_metadata(song=song, inside=[{song: f"x{song}x"}])
    return len(song)

@step(secrets=["CANARY"], retries=1)
def burst() -> None:
    song = os.environ["CANARY"]
    try:
        raise KeyError(song)
    except KeyError as error:
        raise ValueError(f"cannot open db://{quote(song)}") from error

@step(secrets=["CANARY"])
def hard_coded() -> None:
    raise ValueError("canary/of 'the' \\"mine\\" & co?é")

@step(secrets=["CANARY"])
def vanish() -> None:
    print(os.environ["CANARY"], file=sys.stderr, flush=True)
    os._exit(3)

@step
def innocent() -> str:
    return os.environ.get("CANARY", "nothing")[::-1]
"""


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "singing.py").write_text(STEPS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("singing")
    del sys.modules["singing"]


@pytest.fixture
def stack(tmp_path: Path) -> Callable[..., Stack]:
    def made(**secrets: Any) -> Stack:
        return Stack(
            "here",
            orchestrator=LocalOrchestrator(failure="finish"),
            artifact_store=LocalArtifactStore(path=str(tmp_path / "store")),
            step_operators=[SubprocessStepOperator()],
            secrets=secrets,
        )

    return made


@step(secrets=["DB_URL"], cache=False)
def connect() -> str:
    return os.environ["DB_URL"][::-1]


@pipeline(progress=False)
def connecting() -> str:
    return connect()


def test_a_secret_of_the_stack_reaches_its_step(
    stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROD_DB_URL", "sesame")
    (tmp_path / "secret").write_text("from a file\n")

    assert connecting.on(stack(DB_URL=Secret("${env:PROD_DB_URL}"))).run().result() == "emases"
    assert connecting.on(stack(DB_URL="${file:secret}")).run().result() == "elif a morf"
    assert connecting.on(stack(DB_URL="written out")).run().result() == "tuo nettirw"


def test_the_stacks_secret_counts_before_the_environments(
    stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_URL", "of the shell")
    monkeypatch.setenv("OTHER", "of the stack")

    assert connecting.on(stack(DB_URL="${env:OTHER}")).run().result() == "kcats eht fo"
    assert connecting.on(stack()).run().result() == "llehs eht fo"


@pytest.mark.parametrize("before", ["as it was", None])
def test_the_environment_is_as_it_was(
    stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    if before is not None:
        monkeypatch.setenv("DB_URL", before)

    @step(secrets=["DB_URL"], cache=False)
    def meddle() -> None:
        assert os.environ["DB_URL"] == "of the stack"
        assert outside().get("DB_URL") == before
        os.environ["DB_URL"] = "of the step"
        raise ValueError("stop here")

    @pipeline(progress=False)
    def meddling() -> None:
        meddle()

    with pytest.raises(RunFailed, match="stop here"):
        meddling.on(stack(DB_URL="of the stack")).run()
    assert os.environ.get("DB_URL") == before


def test_two_runs_of_one_process_cannot_have_two_values(stack: Callable[..., Stack]) -> None:
    @step(secrets=["DB_URL"], cache=False)
    def nest() -> None:
        connecting.on(stack(DB_URL="one value")).run()
        with pytest.raises(CannotRun, match="another value for the secret 'DB_URL'"):
            connecting.on(stack(DB_URL="other value")).run()

    @pipeline(progress=False)
    def nesting() -> None:
        nest()

    nesting.on(stack(DB_URL="one value")).run()
    assert "DB_URL" not in os.environ


def test_all_missing_secrets_are_named_before_anything_runs(
    stack: Callable[..., Stack], tmp_path: Path
) -> None:
    @step(secrets=["ONE_THAT_IS_MISSING", "DB_URL"])
    def ask() -> None: ...

    @pipeline(progress=False)
    def asking() -> None:
        ask()
        ask()
        connect()

    with pytest.raises(CannotRun) as caught:
        asking.on(stack(DB_URL="${env:NOT_SET}")).run()

    lines = str(caught.value).splitlines()[1:]
    assert len(lines) == 3
    assert "test_secrets.py:" in lines[0]
    assert "needs the secret 'ONE_THAT_IS_MISSING': it is neither in the environment" in lines[0]
    assert "secrets of the stack 'here'. Type: export ONE_THAT_IS_MISSING=…" in lines[0]
    assert "'NOT_SET' is not set (${env:NOT_SET} needs it). export NOT_SET=…" in lines[1]
    assert "step connect (" in lines[2]
    assert not (tmp_path / "store" / "runs").exists()


def test_a_step_in_a_process_of_its_own_has_its_own_secrets_only(
    steps: Any, stack: Callable[..., Stack]
) -> None:
    sing, innocent = (
        each.with_options(step_operator="subprocess") for each in (steps.sing, steps.innocent)
    )

    @pipeline(progress=False)
    def both() -> Any:
        return sing(), innocent()

    assert both.on(stack(CANARY=CANARY)).run().result() == (len(CANARY), "gnihton")


# Nothing of it is ever written down.


def leaked(folder: Path, secret: str = CANARY) -> list[str]:
    """Files that hold any spelling of the secret."""
    spellings = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret)}
    found = []
    for file in filter(Path.is_file, folder.rglob("*")):
        data = file.read_bytes().decode("utf-8", "replace")
        found += [f"{file}: {data}" for each in spellings if each in data or each[4:-4] in data]
    return found


@pytest.mark.parametrize("operator", [None, "subprocess"])
@pytest.mark.parametrize("where", ["stack", "environment"])
def test_no_log_and_no_record_holds_a_secret(
    steps: Any, stack: Callable[..., Stack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str], operator: str | None, where: str,
) -> None:  # fmt: skip
    if where == "environment":
        monkeypatch.setenv("CANARY", CANARY)
    asked = [steps.sing, steps.burst, steps.hard_coded, *([steps.vanish] if operator else ())]

    @pipeline
    def singing(song: str) -> None:
        for each in asked:
            each.with_options(step_operator=operator)()

    mine = stack(CANARY=CANARY) if where == "stack" else stack()
    with pytest.raises(RunFailed) as caught:
        singing.on(mine).run(CANARY)

    run = caught.value.run
    assert run["sing"].logs().count("***") >= 8
    assert run["sing"].record.metadata == {"song": "***", "inside": [{"***": "x***x"}]}
    assert run.record.parameters == {"song": '"***"'}
    assert run["burst"].record.failure.message == "cannot open db://***"
    assert leaked(tmp_path / "store") == []
    assert CANARY not in capfd.readouterr().err.replace("as a log", "")


def test_a_leak_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(json.dumps({"a": CANARY}))
    assert leaked(tmp_path) != []


def test_a_secret_among_the_parameters_of_a_step_is_refused(
    stack: Callable[..., Stack], tmp_path: Path
) -> None:
    @step(secrets=["CANARY"])
    def take(urls: dict[str, Any]) -> None: ...

    @pipeline(progress=False)
    def giving() -> None:
        take({"first": ["x", CANARY]})

    with pytest.raises(CannotRun) as caught:
        giving.on(stack(CANARY=CANARY)).run()

    assert str(caught.value).startswith("Parameter 'urls' of step take (")
    assert "holds the secret 'CANARY', and parameters are written down." in str(caught.value)
    assert "In the step, write os.environ['CANARY'] instead." in str(caught.value)
    assert leaked(tmp_path / "store") == []


def test_a_secret_of_the_cache_key_is_a_digest_in_the_record(
    stack: Callable[..., Stack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @step(secrets=["CANARY"], cache_env=["CANARY"])
    def depend() -> int:
        return 1

    @pipeline(progress=False)
    def depending() -> int:
        return depend()

    first = depending.on(stack(CANARY=CANARY)).run()
    again = depending.on(stack(CANARY=CANARY)).run()
    other = depending.on(stack(CANARY="another one")).run()

    assert [run["depend"].status for run in (first, again, other)] == [
        "completed", "cached", "completed",
    ]  # fmt: skip
    assert leaked(tmp_path / "store") == []


def test_numbers_in_metadata_are_masked_too(
    stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    @step(secrets=["PIN"], cache=False)
    def tell() -> None:
        context().log_metadata(pin=int(os.environ["PIN"]), other=(1, 2.5))

    @pipeline(progress=False)
    def telling() -> None:
        tell()

    run = telling.on(stack(PIN="271828")).run()
    assert run["tell"].record.metadata == {"pin": "***", "other": (1, 2.5)}
