"""The disk is full in the midst of a large write: one error, nothing half-written, and when there
is room the run goes on where it was. On real disks of four megabytes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_disks import mount_namespace

STORIES = [
    *("large_bytes", "large_array", "large_pickle", "many_files", "large_noise"),
    *("many_files in a process of its own", "large_array in a worker"),
    *("large_array to outlive a power failure", "large_noise compressed"),
]

Told = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """All stories, in one process."""
    if (space := mount_namespace()) is None:
        pytest.skip("NOT TESTED: no disk can be made here, neither by root nor in a user namespace")
    disks = tmp_path_factory.mktemp("disks")
    script = Path(__file__).with_name("work_on_a_full_disk.py")
    command = [*space, sys.executable, str(script), str(disks)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=disks, check=False)
    assert done.returncode == 0, done.stderr
    found: Told = json.loads(done.stdout)
    return found


def test_every_story_is_told(told: Told) -> None:
    assert list(told) == STORIES


@pytest.mark.parametrize("story", STORIES)
def test_a_full_disk_is_one_error_with_a_cure(story: str, told: Told) -> None:
    assert told[story]["said"] == (
        "StoreUnavailable: The artifact store 'local' cannot use DISK/store: the disk is full.\n"
        "Make room and run again: finished steps are kept."
    )
    assert told[story]["before"] == ["completed", "failed", "pending"]


@pytest.mark.parametrize("story", STORIES)
def test_a_full_disk_leaves_nothing_half_written(story: str, told: Told) -> None:
    assert told[story]["left"] == []


@pytest.mark.parametrize("story", STORIES)
def test_when_there_is_room_the_run_goes_on(story: str, told: Told) -> None:
    assert told[story]["after"] == ["cached", "completed", "completed"]
    assert told[story]["left after"] == []
