"""The compiled steps as containers of a strict cluster: see `narrow_pods`."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from docker_daemon import docker
from narrow_pods import containers
from team import Found, Team

PROJECT: Final = """\
import errno, json, os, pwd, socket, sys, tempfile, time
from pathlib import Path

from penstock import Resources, pipeline, step


def tried(act, *words):
    try:
        act(*words)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "done"


@step
def squared(number: int) -> int:
    return number * number


@step
def surroundings(squares: list[int]) -> dict[str, str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    status = dict(line.split(":\\t", 1) for line in lines)
    print("It is narrow here.")
    return {
        "user": f"{os.getuid()}:{os.getgid()}",
        "is known": str(os.getuid() in [each.pw_uid for each in pwd.getpwall()]),
        "capabilities": status["CapEff"],
        "most capabilities": status["CapBnd"],
        "no new privileges": status["NoNewPrivs"],
        "root": tried(Path("/made").touch),
        "temporary": tried(tempfile.mkdtemp),
        "elsewhere": tried(socket.create_connection, ("198.51.100.1", 80), 8),
    }


@pipeline
def looking() -> dict[str, str]:
    return surroundings(squared.map([1, 2, 3]))


@step(resources=Resources(memory="300Mi"))
def greedy() -> int:
    print("This gets large.", flush=True)
    time.sleep(6)  # what is said reaches the store within seconds
    return len(bytearray(600 << 20))


@pipeline
def eating() -> int:
    return greedy()


@step
def patient() -> int:
    time.sleep(600)
    return 1


@pipeline
def waiting() -> int:
    return patient()


if __name__ == "__main__":
    name, *no_wait = sys.argv[1:]
    run = globals()[name].with_options(wait=not no_wait).run()
    if not no_wait:
        print(json.dumps(run.result()))
"""
UNREACHABLE: Final = ("EHOSTUNREACH", "ENETUNREACH")


@pytest.fixture(scope="module")
def strict(found: Found, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with found.team(tmp_path_factory.mktemp("strict")) as team:
        yield with_project(team)


def with_project(team: Team) -> Team:
    (team.folder / "narrow.py").write_text(PROJECT)
    return team


def seen(team: Team) -> dict[str, str]:
    """What the step has seen of its surroundings."""
    done = team.typed("python", "narrow.py", "looking")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_pipeline_runs_to_its_end(strict: Team) -> None:
    found = seen(strict)
    assert found.pop("elsewhere") in UNREACHABLE
    assert found == {
        "user": "12345:12345",
        "is known": "False",
        "capabilities": "0" * 16,
        "most capabilities": "0" * 16,
        "no new privileges": "1",
        "root": "EROFS",
        "temporary": "done",
    }
    assert strict.json("run", "show", "last", stack="prod")["status"] == "completed"
    logs = strict.typed("penstock", "run", "logs", "last", "surroundings")
    assert "It is narrow here." in logs.stdout
    assert containers() == []


def test_a_container_that_is_not_so_narrow_is_told_from_one_that_is(
    found: Found, tmp_path: Path
) -> None:
    with found.team(tmp_path, flags=["--network=host"]) as team:
        said = seen(with_project(team))
    assert (said["user"], said["root"], said["no new privileges"]) == ("0:0", "done", "0")
    assert int(said["capabilities"], 16) > 0
    assert said["elsewhere"] not in UNREACHABLE


def test_too_much_memory_is_the_end_of_the_pod_and_is_said(strict: Team) -> None:
    done = strict.typed("python", "narrow.py", "eating")
    assert done.returncode != 0
    assert "note: kf says of step greedy: OOMKilled (exit code 137)" in done.stderr
    assert strict.json("run", "show", "last", stack="prod")["status"] == "lost"
    assert (137, "OOMKilled (exit code 137)") in strict.ends
    logs = strict.typed("penstock", "run", "logs", "last", "greedy")
    assert "This gets large." in logs.stdout


def test_another_minor_version_of_python_is_refused_before_a_step_begins(
    found: Found, tmp_path: Path
) -> None:
    said = docker("run", "--rm", "--network=none", found.images["other"], "python", "--version")
    version = re.sub(r"Python (\d+\.\d+).*", r"\1", said)
    with found.team(tmp_path, image="other") as team:
        done = with_project(team).typed("python", "narrow.py", "eating")
        assert done.returncode != 0
        assert {code for code, _ in team.ends} == {3}
        assert f"The image has Python {version}, and the run was made with" in done.stderr
        assert team.json("run", "show", "last", stack="prod")["status"] == "failed"


def test_a_run_that_is_cancelled_leaves_no_container(strict: Team) -> None:
    begun = strict.typed("python", "narrow.py", "waiting", "--no-wait")
    assert begun.returncode == 0, begun.stderr
    until = time.monotonic() + 60
    while not containers() and time.monotonic() < until:
        time.sleep(0.1)
    assert len(containers()) == 1
    done = strict.typed("penstock", "run", "cancel", "last")
    assert done.returncode == 0, done.stderr
    assert strict.json("run", "show", "last", stack="prod")["status"] == "stopped"
    assert containers() == []


def test_a_pod_without_a_place_for_temporary_files_says_what_it_needs(
    found: Found, tmp_path: Path
) -> None:
    flags = [flag for flag in found.network.strict if flag != "--tmpfs=/tmp"]
    with found.team(tmp_path, flags=flags) as team:
        done = with_project(team).typed("python", "narrow.py", "waiting")
        assert done.returncode != 0
    assert "CannotRun: The project's code cannot be unpacked in the pod: No usable" in done.stderr
    assert "None" not in done.stderr
    assert "an empty directory at /tmp" in done.stderr
