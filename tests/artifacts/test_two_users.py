"""Two users of one machine, one folder that both may write to, and a pipeline of both's."""

import os
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import children
import pytest

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.errors import UntrustedArtifact

ONE, OTHER = 64_101, 64_102


@step
def rows() -> list[int]:
    return [1, 2, 3]


@step
def model(rows: list[int]) -> object:
    return slice(*rows)  # which only pickle takes


@pipeline
def training() -> Any:
    return model(rows())


class Desk:
    """What one user does, each time in a process of their own."""

    def __init__(self, uid: int, home: Path, store: Path) -> None:
        self.uid = uid
        self.home = home
        local = LocalArtifactStore(path=str(store))
        self.stack = Stack("shared", orchestrator=LocalOrchestrator(), artifact_store=local)

    def do(self, work: Callable[[], Any]) -> Any:
        def at_home() -> Any:
            os.environ["XDG_CONFIG_HOME"] = str(self.home)
            os.chdir(self.home)
            return work()

        return children.child(at_home, self.uid, umask=0o002)

    def run(self) -> Any:
        """Id, the status of both steps, and what was said."""

        def work() -> tuple[str, list[str], str]:
            with redirect_stderr(StringIO()) as said:
                run = training.on(self.stack).run()
            return run.id, [str(view.status) for view in run], said.getvalue()

        return self.do(work)

    def look(self, look: Callable[[Client], Any]) -> Any:
        return self.do(lambda: look(Client(self.stack)))


@pytest.fixture
def shared() -> Iterator[tuple[Desk, Desk]]:
    if os.getuid():
        pytest.skip("NOT TESTED: only root can be two users")
    with children.open_folder() as folder:
        (folder / "store").mkdir()
        os.chown(folder / "store", -1, children.GROUP)
        (folder / "store").chmod(0o2775)
        desks = []
        for uid in (ONE, OTHER):
            home = folder / str(uid)
            home.mkdir()
            os.chown(home, uid, -1)
            home.chmod(0o700)
            desks.append(Desk(uid, home, folder / "store"))
        _warm(folder)
        yield desks[0], desks[1]


def _warm(folder: Path) -> None:
    """Load what the children need: they may not enter where it lies."""
    here = Desk(0, folder, folder / "warm")
    with redirect_stderr(StringIO()):
        training.on(here.stack).run().result()
        Client(here.stack).runs()
    children.child(lambda: None)


def test_the_second_user_reuses_what_the_first_one_made(shared: tuple[Desk, Desk]) -> None:
    one, other = shared
    one.run()

    assert other.run()[1][0] == "cached"


def test_a_pickle_of_the_other_user_is_a_miss_that_says_so(shared: tuple[Desk, Desk]) -> None:
    one, other = shared
    one.run()
    _, statuses, said = other.run()

    assert statuses == ["cached", "completed"]
    assert " s  output 'output' is a pickle signed with key " in said
    assert "which is not here" in said


def test_from_the_second_run_on_each_has_hits_only(shared: tuple[Desk, Desk]) -> None:
    one, other = shared
    for desk in (one, other):
        desk.run()

    assert [desk.run()[1] for desk in (one, other, one, other)] == [["cached", "cached"]] * 4


def test_last_is_the_last_one_of_ones_own(shared: tuple[Desk, Desk]) -> None:
    one, other = shared
    mine, theirs = one.run()[0], other.run()[0]

    assert one.look(lambda client: client.run("last").id) == mine
    assert other.look(lambda client: client.run("last").id) == theirs


def test_each_sees_the_runs_of_both(shared: tuple[Desk, Desk]) -> None:
    one, other = shared
    ids = [other.run()[0], one.run()[0]]
    users = {f"uid-{ONE}", f"uid-{OTHER}"}

    for desk in shared:
        assert desk.look(lambda client: [run.id for run in client.runs()]) == ids[::-1]
        assert desk.look(lambda client: {run.record.user for run in client.runs()}) == users


def test_each_reads_the_other_ones_data_but_no_pickle(shared: tuple[Desk, Desk]) -> None:
    one, other = shared
    run = one.run()[0]

    def load(client: Client) -> tuple[object, str]:
        with pytest.raises(UntrustedArtifact) as caught:
            client.run(run)["model"].output.load()
        return client.run(run)["rows"].output.load(), str(caught.value)

    value, said = other.look(load)
    assert value == [1, 2, 3]
    assert said.startswith(
        f"Output 'output' of step model in run {run} is a pickle (pickle/1), signed with key "
    )


def test_everything_belongs_to_the_group(shared: tuple[Desk, Desk]) -> None:
    one, other = shared
    one.run()
    other.run()

    store = Path(one.stack.artifact_store.path)
    assert {file.stat().st_gid for file in store.rglob("*")} == {children.GROUP}
    assert all(file.stat().st_mode & 0o020 for file in store.rglob("*"))
    assert {file.stat().st_uid for file in store.rglob("*")} == {ONE, OTHER}
