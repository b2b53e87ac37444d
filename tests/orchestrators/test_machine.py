"""What the machine has: read from files and variables, here from planted ones."""

import os
from pathlib import Path

import pytest

from penstock.orchestrators.machine import Machine

LOTS = 10**15


def machine(root: Path, files: dict[str, str]) -> Machine:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Machine(root)


def usable() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def test_without_control_groups_all_of_the_machine_counts(tmp_path: Path) -> None:
    found = Machine(tmp_path)
    assert found.cores() == usable()
    assert found.memory() == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_the_control_group_of_a_container_limits_both(tmp_path: Path) -> None:
    found = machine(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cpu.max": "50000 100000\n",
            "sys/fs/cgroup/memory.max": "1048576\n",
        },
    )
    assert (found.cores(), found.memory()) == (0.5, 1 << 20)


def test_the_narrowest_of_the_groups_around_counts(tmp_path: Path) -> None:
    found = machine(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/other\n0::/user.slice/job.scope\n",
            "sys/fs/cgroup/user.slice/cpu.max": "25000 100000\n",
            "sys/fs/cgroup/user.slice/job.scope/cpu.max": "max 100000\n",
            "sys/fs/cgroup/user.slice/job.scope/memory.max": "4096\n",
            "sys/fs/cgroup/user.slice/memory.max": "max\n",
        },
    )
    assert (found.cores(), found.memory()) == (0.25, 4096)


def test_a_limit_above_what_there_is_changes_nothing(tmp_path: Path) -> None:
    found = machine(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cpu.max": f"{LOTS} 100000\n",
            "sys/fs/cgroup/memory.max": f"{LOTS}\n",
        },
    )
    assert found.cores() == usable()
    assert found.memory() < LOTS


@pytest.mark.parametrize(
    ("named", "devices"),
    [
        ("", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("0", ("0",)),
        ("3,1", ("3", "1")),
        (" 0, 1", ("0", "1")),
        ("2,-1,3", ("2",)),
        ("GPU-8932f937,MIG-3a/1", ("GPU-8932f937", "MIG-3a/1")),
    ],
)
def test_the_variable_names_the_devices(
    named: str, devices: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    found = machine(tmp_path, {"dev/nvidia0": "", "dev/nvidia1": ""})
    assert found.gpus() == devices


@pytest.mark.parametrize(
    ("files", "devices"),
    [
        ((), ()),
        (("dev/nvidia0", "dev/nvidia1", "dev/nvidiactl", "dev/nvidia-uvm"), ("0", "1")),
        (("proc/driver/nvidia/gpus/0000:01:00.0/information", "dev/nvidia0"), ("0",)),
    ],
)
def test_without_the_variable_devices_are_counted(
    files: tuple[str, ...],
    devices: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert machine(tmp_path, dict.fromkeys(files, "")).gpus() == devices
