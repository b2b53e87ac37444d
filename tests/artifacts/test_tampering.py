"""Who can write to a store, and has no key, runs no code and crashes nobody. Each attack is tried
on an owner who then does everything that one does with a store."""

import re
import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from attacks import ATTACKS
from samples_of_formats import seen
from scene_of_attacks import Scene, all_day, work

from penstock.errors import CorruptArtifact, PenstockError, RunFailed

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal would obey."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("scene")
        patch.setenv("HOME", str(folder))
        yield Scene(folder).played()


@pytest.fixture
def scene(played: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A copy of the store. What could be imported by mistake sings as well."""
    copy = played.copied(tmp_path)
    (tmp_path / "evil.py").write_text(f"import os\nos.mkdir({str(copy.song)!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    return copy


def test_there_are_many_attacks() -> None:
    assert len(ATTACKS) >= 60


@pytest.mark.sampled(most=40)
@pytest.mark.parametrize("name", ATTACKS)
def test_the_owner_is_told_and_nobody_runs_code_or_crashes_anybody(
    name: str, scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    attack = ATTACKS[name]
    attack.do(scene)
    here = {*tmp_path.iterdir(), tmp_path / "seen"}
    (tmp_path / "seen").mkdir()

    with pytest.raises(attack.told) if attack.told else nullcontext():
        value = scene.seen()[attack.call].output.load()
        assert seen(value) == scene.whole[attack.call]
    all_day(scene, attack.call, tmp_path / "seen")
    assert not CONTROL.search("".join(capsys.readouterr()))
    for page in tmp_path.glob("seen/report.html"):
        assert "<script>" not in page.read_text("utf-8")
    with pytest.raises(PenstockError) if attack.stays else nullcontext():
        assert put_right(scene, attack.call) == scene.whole[attack.call]
    assert not scene.sings
    assert "evil" not in sys.modules
    assert {*tmp_path.iterdir()} == here, "nothing is written elsewhere"


def put_right(scene: Scene, call: str) -> object:
    """What the step gives in the next run. Damage of the right size shows when it is loaded, and
    counts as gone then."""
    for last in (False, False, False, True):
        try:
            return seen(work.on(scene.stack()).run(str(scene.song))[call].output.load())
        except (RunFailed, CorruptArtifact):
            if last:
                raise
    return None


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.sings])
def test_the_canary_sings_where_any_pickle_may_be_loaded(name: str, scene: Scene) -> None:
    ATTACKS[name].do(scene)
    with suppress(PenstockError):
        scene.seen(allow_pickle="any")[ATTACKS[name].call].output.load()

    assert scene.sings
