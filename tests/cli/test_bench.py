"""`artifact-store bench`: what it says, and that it leaves nothing, however it ends."""

import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest
from sampling import takes_all

from penstock import Client, LocalArtifactStore
from penstock.artifacts.draft import Draft
from penstock.artifacts.source import Buffers, Source
from penstock.runtime.bench.report import Report
from penstock.testing.memory import MemoryArtifactStore

PROGRAM = """\
import signal, sys
from penstock.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a shell
sys.exit(main(["artifact-store", "bench", *sys.argv[1:]]))
"""

LIMITED = """\
import resource, sys
from penstock import Client
from penstock.cli.main import ended

def told(part, doing):
    if doing.startswith("1 x") and doing.endswith(sys.argv[1]):
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, resource.RLIM_INFINITY))

sys.exit(ended(lambda: Client().bench(size="8MiB", told=told)))
"""
"""From a moment on, no file may grow beyond 3 MB: as on a disk that has become full."""


def tree(folder: Path) -> dict[str, int]:
    """Every file and folder, and when it was changed."""
    return {
        str(each.relative_to(folder)): 0 if each.is_dir() else each.stat().st_mtime_ns
        for each in sorted(folder.rglob("*"))
    }


def benching(*words: str) -> "subprocess.Popen[str]":
    """A bench in a process of its own, which is at work."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    while not left():
        assert time.monotonic() < end
        time.sleep(0.01)
    return process


def left() -> list[Path]:
    """What benches have in the store."""
    return list(Path(".penstock/tmp").glob("bench-*"))


@dataclass(frozen=True, kw_only=True)
class Copying(LocalArtifactStore):
    """What a store must not do."""

    def draft(self, source: Source) -> Draft:
        return super().draft(Buffers([b"".join(source.buffers())]))


@dataclass
class Done:
    """A bench as a user has it, and what it has changed."""

    out: str
    err: str
    changed: bool


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A whole one, in a project whose store is not there yet."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "penstock.yaml").touch()
    env = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": ""}
    env.pop("PENSTOCK_STACK", None)
    before = tree(folder)
    command = [sys.executable, "-m", "penstock", "artifact-store", "bench", "--size", "2MiB"]
    said = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=True, timeout=100
    )
    return Done(said.stdout, said.stderr, tree(folder) != before)


@pytest.fixture
def quick(project: Path) -> None:
    """The active stack keeps everything in memory, also in other processes."""
    (project / "penstock.yaml").write_text(
        """
flavors: {artifact-store: {memory: "penstock.testing.memory:MemoryArtifactStore"}}
artifact_stores: {memory: {flavor: memory}}
stacks: {quick: {orchestrator: default, artifact_store: memory}}
active: quick
"""
    )


def figures(data: Any) -> dict[str, Any]:
    return {figure["measure"]: figure for figure in data["figures"]}


def test_the_table_has_a_line_for_each_measure(done: Done) -> None:
    lines = [re.split("  +", line) for line in done.out.splitlines()]
    assert lines[0] == ["MEASURE", "MEDIAN", "BEST", "RAW", "OF RAW", "MEMORY"]
    assert [re.sub(r"[\d,]+ ×", "N ×", line[0]) for line in lines[1:]] == [
        "write 2.0 MiB", "read 2.0 MiB, for the first time", "read 2.0 MiB",
        "write N × 8.0 KiB", "read N × 8.0 KiB",
    ]  # fmt: skip


def test_large_objects_are_measured_by_bytes_and_small_ones_by_number(done: Done) -> None:
    speeds = [re.findall(r"[\d,.]+ (MB/s|ms)\b", line) for line in done.out.splitlines()[1:]]
    assert speeds == [*[["MB/s"] * 3] * 3, *[["ms"] * 3] * 2]


def test_what_was_measured_is_told_beside_the_table(done: Done) -> None:
    assert "Artifact store default (local) at " in done.err
    assert "Raw: plain files in the same folder." in done.err


def test_of_a_distant_store_it_is_told_that_the_read_cache_is_not_used(
    penstock: Callable[..., Any], project: Path
) -> None:
    (project / "penstock.yaml").write_text(
        "flavors: {artifact-store: {distant: 'penstock.testing.distant:DistantArtifactStore'}}\n"
        "artifact_stores: {far: {flavor: distant}}\n"
    )
    said = penstock("artifact-store", "bench", "far", "--size", "1MiB").err
    assert "Without the read cache, hashing included." in said
    assert "Page cache" not in said


def test_without_a_terminal_there_is_no_bar(done: Done) -> None:
    assert done.err.startswith("\nArtifact store")
    assert "\x1b" not in done.err
    assert "\r" not in done.err


def test_no_file_is_there_afterwards_that_was_not_there_before(done: Done) -> None:
    """Neither in the project nor in the user's own folders."""
    assert not done.changed


def test_json_has_the_same_with_units_in_the_names(
    penstock: Callable[..., Any], quick: None
) -> None:
    data = penstock("artifact-store", "bench", "--size", "2MiB", "--json").data
    one = figures(data)["write_large"]
    assert (one["objects"], one["object_bytes"]) == (1, 2 << 20)
    assert len(one["seconds_per_object"]) == data["rounds"]
    fastest = min(one["seconds_per_object"])
    assert one["best_megabytes_per_second"] == pytest.approx((2 << 20) / fastest / 1e6, rel=1e-3)
    assert figures(data)["write_small"]["objects"] == 1000


def test_it_measures_the_store_that_is_named(project: Path) -> None:
    (project / "penstock.yaml").write_text("artifact_stores: {other: {flavor: local, path: o}}")
    report = Client().bench("other", size="1MiB", objects=9)
    assert (report.store, report.path) == ("other", f"{project}/o")


def test_it_measures_the_store_of_a_stack(penstock: Callable[..., Any], quick: None) -> None:
    words = ("artifact-store", "bench", "--size", "1MiB", "--json")
    assert penstock(*words, "--stack", "quick").data["artifact_store"] == "memory"


def test_it_measures_a_store_that_was_registered_in_code(project: Path) -> None:
    Client().register(LocalArtifactStore(name="third", path="third"))
    assert Client().bench("third", size="1MiB", objects=9).path == f"{project}/third"


def test_an_unknown_store_is_an_error_with_the_name_that_is_near(
    penstock: Callable[..., Any],
) -> None:
    said = penstock("artifact-store", "bench", "defualt")
    assert (said.code, said.out) == (3, "")
    assert said.err == (
        "Error: There is no artifact store 'defualt'. Artifact stores: 'default'.\n"
        "Did you mean 'default'?\n"
    )


def test_a_name_and_a_stack_are_one_too_many(penstock: Callable[..., Any]) -> None:
    said = penstock("artifact-store", "bench", "default", "--stack", "default")
    assert said.code == 2
    assert "give one of them" in said.err


@pytest.mark.parametrize(
    "size",
    ["0", "0MiB", "-5MiB", "1KiB", "many", "", "MiB", "inf", "nan", "1e9", "9" * 400, "9TiB"],
)
def test_a_size_that_cannot_be_is_one_error(
    penstock: Callable[..., Any], project: Path, size: str
) -> None:
    said = penstock("artifact-store", "bench", f"--size={size}")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Error: ")
    assert not (project / ".penstock").exists()


def test_a_store_with_runs_is_afterwards_as_it_was(trained: Any, project: Path) -> None:
    before = tree(project)
    Client().bench(size="2MiB", objects=100)
    assert tree(project) == before


def test_the_memory_of_a_store_that_copies_is_seen() -> None:
    Client().register(Copying(name="copying", path="copying"))
    assert written(Client().bench("copying", size="64MiB", objects=9)) >= 64 << 20
    assert written(Client().bench(size="64MiB", objects=9)) < 8 << 20


def written(report: Report) -> int:
    """The memory that it took to write the large object."""
    assert report.figures[0].memory is not None
    return report.figures[0].memory


def test_a_store_without_files_has_no_raw_figures(penstock: Callable[..., Any]) -> None:
    store = MemoryArtifactStore(name="memory", path="bench")
    Client().register(store)
    said = penstock("artifact-store", "bench", "memory", "--size", "1MiB")
    assert said.code == 0
    assert "Raw: none" in said.err
    rows = [re.split("  +", line) for line in said.out.splitlines()]
    assert {(row[3], row[4]) for row in rows[1:]} == {("-", "-")}
    assert list(store.keys()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("attempt", range(2 if takes_all() else 1))
def test_a_signal_at_any_moment_leaves_nothing(
    project: Path, trained: Any, number: int, attempt: int
) -> None:
    before = tree(project)
    process = benching("--size", "96MiB")
    time.sleep(random.uniform(0, 1.2))
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.strip()) == (130 if number == 2 else 128 + number, ""), err
    assert "Traceback" not in err
    assert tree(project) == before


def test_what_a_killed_bench_leaves_is_removed_by_the_next(project: Path, trained: Any) -> None:
    before = tree(project)
    process = benching("--size", "96MiB")
    time.sleep(random.uniform(0, 1.2))
    process.kill()
    process.communicate()
    (folder,) = left()
    new = set(tree(project)) - set(before)
    assert all(Path(project, name).is_relative_to(folder.absolute()) for name in new)

    Client().bench(size="1MiB", objects=9)
    assert tree(project) == before


def test_a_bench_leaves_another_one_alone() -> None:
    process = benching("--size", "1GiB")
    process.send_signal(signal.SIGSTOP)
    Client().bench(size="1MiB", objects=9)
    there = left()
    process.kill()
    process.communicate()
    assert len(there) == 1


@pytest.mark.parametrize("moment", ["for the memory", "raw", "penstock"])
def test_a_disk_that_becomes_full_is_one_error_and_nothing_is_left(
    project: Path, moment: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, moment], capture_output=True, text=True, check=False
    )
    assert done.returncode == 5, done.stderr
    assert re.fullmatch(r"Error: The artifact store 'default' .*File too large\.\n", done.stderr)
    assert not (project / ".penstock").exists()


def test_whoever_reads_the_result_may_leave(quick: None) -> None:
    command = (
        f"{shlex.quote(sys.executable)} -m penstock artifact-store bench --size 2MiB; echo $? >&2"
    )
    done = subprocess.run(
        ["bash", "-c", f"({command}) | true"], capture_output=True, text=True, check=True
    )
    assert done.stderr == "0\n"


def on_a_terminal(*words: str, columns: int = 120, **variables: str) -> str:
    env = {**os.environ, "TERM": "xterm", **variables}
    child = pexpect.spawn(
        sys.executable, ["-m", "penstock", "artifact-store", "bench", *words],
        env=env, encoding="utf-8", dimensions=(50, columns), timeout=60,
    )  # fmt: skip
    text: str = child.read()
    child.close()
    assert child.exitstatus == 0, text
    return text


def test_on_a_terminal_there_is_a_bar_of_which_nothing_remains(quick: None) -> None:
    text = on_a_terminal("--size", "32MiB")
    screen = pyte.Screen(120, 50)
    pyte.Stream(screen).feed(text)
    shown = "\n".join(screen.display)
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert re.search(r"\d% .*: round \d, (raw|penstock)", plain)
    assert shown.lstrip().startswith("MEASURE")
    assert ": round" not in shown


def test_no_color_is_heeded(quick: None) -> None:
    text = on_a_terminal("--size", "8MiB", NO_COLOR="1")
    assert "round" in text
    assert not re.search(r"\x1b\[[\d;]*m", text.replace("\x1b[0m", ""))


def test_on_a_narrow_terminal_nothing_is_cut_short(quick: None) -> None:
    text = on_a_terminal("--size", "1MiB", columns=40)
    assert "write 1,000 × 8.0 KiB\r\n" in text


def test_json_on_a_terminal_is_json(quick: None) -> None:
    text = on_a_terminal("--size", "1MiB", "--json")
    assert json.loads(text[text.index("{\r\n") :])["rounds"] >= 1


def test_from_python_it_gives_the_figures_themselves() -> None:
    heard: list[float] = []
    report = Client().bench(size="1MiB", objects=9, told=lambda part, doing: heard.append(part))
    assert [figure.count for figure in report.figures] == [1, 1, 1, 9, 9]
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0, 1)
