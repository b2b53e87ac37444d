"""The context of a step: metadata in its record, checkpoints for its next attempt."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    Retry,
    RunFailed,
    Stack,
    pipeline,
    step,
)
from penstock.errors import BadArguments, UnsupportedValue


def test_a_step_knows_its_run_its_id_and_its_attempt(tmp_path: Path) -> None:
    @step(retries=Retry(times=1, delay=0))
    def who() -> tuple[str | None, str | None, int]:
        mine = penstock.context()
        if mine.attempt == 1:
            raise OSError("again")
        return mine.run, mine.step, mine.attempt

    @pipeline
    def asking() -> tuple[str | None, str | None, int]:
        return who()

    run = asking.run()
    assert run.result() == (run.id, "who", 2)


def test_outside_of_a_run_there_is_a_context_of_no_run(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("w")
    mine = penstock.context()
    mine.log_metadata(loss=0.1)
    mine.checkpoint(tmp_path / "weights")
    assert (mine.run, mine.step, mine.restore()) == (None, None, None)


def test_a_step_that_uses_its_context_is_still_a_plain_function() -> None:
    @step
    def train() -> int:
        penstock.context().log_metadata(loss=0.1)
        return 3 if penstock.context().restore() is None else 4

    assert train() == 3


def test_metadata_is_in_the_record_and_comes_with_a_hit() -> None:
    @step
    def train() -> int:
        penstock.context().log_metadata(loss=0.5, shape=(2, 3))
        penstock.context().log_metadata(loss=0.25)
        return 1

    @pipeline
    def training() -> int:
        return train()

    first, second = training.run(), training.run()
    assert Client().run(first.id)["train"].record.metadata == {"loss": 0.25, "shape": (2, 3)}
    assert second["train"].status == "cached"
    assert second["train"].record.metadata == {"loss": 0.25, "shape": (2, 3)}


def test_metadata_of_a_failed_attempt_is_kept() -> None:
    @step
    def train() -> int:
        penstock.context().log_metadata(epoch=7)
        raise ValueError("diverged")

    @pipeline
    def training() -> int:
        return train()

    with pytest.raises(RunFailed) as caught:
        training.run()
    assert Client().run(caught.value.run.id)["train"].record.metadata == {"epoch": 7}


@pytest.mark.parametrize(("value", "said"), [(object(), "plain data"), ("x" * 70_000, "65,536")])
def test_metadata_is_plain_data_and_little_of_it(value: object, said: str) -> None:
    with pytest.raises(BadArguments, match=said):
        penstock.context().log_metadata(value=value)


@step
def count_up(upto: int, folder: str, die_at: int = -1) -> list[int]:
    mine = penstock.context()
    kept = mine.restore()
    done: list[int] = json.loads(kept.read_text()) if kept else []
    state = Path(folder, "state.json")
    for number in range(len(done), upto):
        if number == die_at and not Path(folder, "died").exists():
            Path(folder, "died").touch()
            raise OSError("the machine is gone")
        done.append(number)
        with Path(folder, "worked").open("a") as worked:
            worked.write(f"{number} ")
        state.write_text(json.dumps(done))
        mine.checkpoint(state)
    return done


@pipeline
def counting(upto: int, folder: str, die_at: int = -1) -> list[int]:
    return count_up(upto, folder, die_at)


def _worked(folder: Path) -> list[int]:
    return [int(word) for word in (folder / "worked").read_text().split()]


def test_the_next_attempt_goes_on_from_the_last_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(RunFailed):
        counting.run(5, str(tmp_path), 3)
    assert counting.run(5, str(tmp_path), 3).result() == [0, 1, 2, 3, 4]
    assert _worked(tmp_path) == [0, 1, 2, 3, 4]


def test_other_inputs_begin_anew(tmp_path: Path) -> None:
    with pytest.raises(RunFailed):
        counting.run(5, str(tmp_path), 3)
    assert counting.run(6, str(tmp_path), 3).result() == [0, 1, 2, 3, 4, 5]
    assert _worked(tmp_path) == [0, 1, 2, 0, 1, 2, 3, 4, 5]


def test_a_step_that_is_done_leaves_no_checkpoint(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    stack = Stack("mine", orchestrator=LocalOrchestrator(), artifact_store=store)
    with pytest.raises(RunFailed):
        counting.on(stack).run(5, str(tmp_path), 3)
    [folder] = store.keys("checkpoints/")
    assert [entry.size > 0 for entry in store.keys(folder.key)] == [True]
    counting.on(stack).run(5, str(tmp_path), 3)
    assert [key for folder in store.keys("checkpoints/") for key in store.keys(folder.key)] == []


def test_a_step_without_cache_takes_no_checkpoint_of_another_run(tmp_path: Path) -> None:
    @pipeline(cache=False)
    def anew(folder: str) -> list[int]:
        return count_up.with_options(cache=False)(4, folder, 2)

    with pytest.raises(RunFailed):
        anew.run(str(tmp_path))
    anew.run(str(tmp_path))
    assert _worked(tmp_path) == [0, 1, 0, 1, 2, 3]


def test_a_step_without_cache_takes_the_checkpoint_of_its_own_first_attempt(tmp_path: Path) -> None:
    @pipeline
    def anew(folder: str) -> list[int]:
        retry = Retry(times=1, delay=0)
        return count_up.with_options(cache=False, retries=retry)(4, folder, 2)

    anew.run(str(tmp_path))
    assert _worked(tmp_path) == [0, 1, 2, 3]


def test_a_checkpoint_that_nobody_here_signed_is_as_none(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    stack = Stack("mine", orchestrator=LocalOrchestrator(), artifact_store=store)
    with pytest.raises(RunFailed):
        counting.on(stack).run(5, str(tmp_path), 3)
    [folder] = store.keys("checkpoints/")
    [entry] = store.keys(folder.key)
    signed = bytes(store.get(entry.key))
    store.put(entry.key, [signed.replace(b'"attempt":1', b'"attempt":2')])
    counting.on(stack).run(5, str(tmp_path), 3)
    assert _worked(tmp_path) == [0, 1, 2, 0, 1, 2, 3, 4]


def test_a_checkpoint_cannot_be_moved_to_another_key(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    stack = Stack("mine", orchestrator=LocalOrchestrator(), artifact_store=store)
    for upto in (5, 6):
        with pytest.raises(RunFailed):
            counting.on(stack).run(upto, str(tmp_path), 3)
        (tmp_path / "died").unlink()
    found = [entry for at in store.keys("checkpoints/") for entry in store.keys(at.key)]
    one, other = (bytes(store.get(entry.key)) for entry in found)
    for entry, theirs in zip(found, (other, one), strict=True):
        store.put(entry.key, [theirs])
    (tmp_path / "died").touch()
    (tmp_path / "worked").unlink()
    counting.on(stack).run(6, str(tmp_path), 3)
    assert _worked(tmp_path) == [0, 1, 2, 3, 4, 5]


def test_a_damaged_checkpoint_is_as_none(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    stack = Stack("mine", orchestrator=LocalOrchestrator(), artifact_store=store)
    with pytest.raises(RunFailed):
        counting.on(stack).run(5, str(tmp_path), 3)
    for object in Path(store.path, "objects").rglob("*"):
        if object.is_file() and object.read_bytes() == b"[0, 1, 2]":
            object.chmod(0o644)
            object.write_bytes(b"[7, 7, 7]")
    assert counting.on(stack).run(5, str(tmp_path), 3).result() == [0, 1, 2, 3, 4]


def test_what_is_restored_is_private(tmp_path: Path) -> None:
    @step
    def fumble(folder: str) -> str:
        mine = penstock.context()
        if (kept := mine.restore()) is not None:
            kept.write_text("changed")
            again = mine.restore()
            assert again is not None
            return again.read_text()
        Path(folder, "kept").write_text("as it was")
        mine.checkpoint(Path(folder, "kept"))
        raise OSError("killed")

    @pipeline
    def fumbling(folder: str) -> str:
        return fumble(folder)

    with pytest.raises(RunFailed):
        fumbling.run(str(tmp_path))
    assert fumbling.run(str(tmp_path)).result() == "as it was"


def test_a_folder_can_be_a_checkpoint(tmp_path: Path) -> None:
    @step
    def save(folder: str) -> list[str]:
        mine = penstock.context()
        if (kept := mine.restore()) is not None:
            return sorted(path.name for path in kept.iterdir())
        mine.checkpoint(folder)
        raise OSError("killed")

    @pipeline
    def saving(folder: str) -> list[str]:
        return save(folder)

    (tmp_path / "model").mkdir()
    for name in ("weights", "optimizer"):
        (tmp_path / "model" / name).write_text(name)
    with pytest.raises(RunFailed):
        saving.run(str(tmp_path / "model"))
    assert saving.run(str(tmp_path / "model")).result() == ["optimizer", "weights"]


def test_a_checkpoint_of_nothing_is_an_error_of_the_step(tmp_path: Path) -> None:
    @step
    def save(folder: str) -> None:
        penstock.context().checkpoint(Path(folder, "missing"))

    @pipeline
    def saving(folder: str) -> None:
        return save(folder)

    with pytest.raises(RunFailed, match="The checkpoint of step save") as caught:
        saving.run(str(tmp_path))
    assert isinstance(caught.value.__cause__, UnsupportedValue)


def test_a_checkpoint_of_what_is_no_path_is_refused_in_a_step() -> None:
    @step
    def save() -> None:
        penstock.context().checkpoint(5)  # type: ignore[arg-type]

    @pipeline
    def saving() -> None:
        return save()

    with pytest.raises(RunFailed, match="needs the path of a file or folder") as caught:
        saving.run()
    assert isinstance(caught.value.__cause__, BadArguments)


@pytest.mark.parametrize("path", [5, b"folder", None])
def test_a_checkpoint_of_what_is_no_path_is_refused_outside_of_a_run(path: Any) -> None:
    with pytest.raises(BadArguments) as caught:
        penstock.context().checkpoint(path)
    assert str(caught.value) == (
        f"checkpoint(…) needs the path of a file or folder, and is given {type(path).__name__}: "
        f"{path!r}.\nWrite the state into a file first, and give its path."
    )


EPOCHS = """
    import json, os, signal
    from pathlib import Path
    import penstock
    from penstock import pipeline, step

    @step
    def train(epochs: int) -> list[int]:
        mine = penstock.context()
        kept = mine.restore()
        done = json.loads(kept.read_text()) if kept else []
        for epoch in range(len(done), epochs):
            with open("worked", "a") as worked:
                worked.write(f"{epoch} ")
            if epoch == 12 and not Path("died").exists():
                Path("died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(epoch)
            Path("state.json").write_text(json.dumps(done))
            mine.checkpoint("state.json")
        return done

    @pipeline
    def training() -> list[int]:
        return train(20)

    if __name__ == "__main__":
        assert training.run().result() == list(range(20))
"""


def test_a_step_of_20_epochs_that_is_killed_in_epoch_12_goes_on_there(tmp_path: Path) -> None:
    (tmp_path / "epochs.py").write_text(textwrap.dedent(EPOCHS))
    codes = [
        subprocess.run([sys.executable, "epochs.py"], cwd=tmp_path, check=False).returncode
        for _ in range(2)
    ]
    assert codes == [-signal.SIGKILL, 0]
    assert _worked(tmp_path) == [*range(13), *range(12, 20)]


def test_the_context_is_that_of_the_thread_that_runs_the_step() -> None:
    @step
    def who(number: int) -> str | None:
        return penstock.context().step

    @pipeline
    def several() -> list[str | None]:
        return who.map([0, 1, 2, 3])

    assert several.run().result() == ["who.0", "who.1", "who.2", "who.3"]


def test_the_threads_of_a_step_have_its_context() -> None:
    @step
    def note() -> str | None:
        def deeper() -> None:
            with ThreadPoolExecutor() as pool:
                pool.submit(lambda: penstock.context().log_metadata(loss=0.5)).result()

        thread = threading.Thread(target=deeper)
        thread.start()
        thread.join()
        return penstock.context().step

    @pipeline
    def noting() -> str | None:
        return note()

    assert noting.run()["note"].record.metadata == {"loss": 0.5}


def test_the_accelerators_are_those_of_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,3")
    assert penstock.context().gpus == ("1", "3")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert penstock.context().gpus == ()
    assert os.environ.get("CUDA_VISIBLE_DEVICES") is None
