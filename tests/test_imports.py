"""What is loaded when. Budgets count modules, which hold still, not time, which does not."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from sampling import Sample

import penstock

HEAVY = [
    "networkx", "pydantic", "pydantic_core", "fsspec", "ruamel", "rich", "click", "numpy", "pandas",
    "cloudpickle", "platformdirs", "filelock", "importlib.metadata", "asyncio",
    "penstock_s3", "s3fs", "botocore",
]  # fmt: skip
"""Libraries that a process must not pay for unless it uses them."""

FLOORS = [
    "penstock.artifacts", "penstock.stack", "penstock.runtime", "penstock.orchestrators",
    "penstock.cli", "penstock.client",
]  # fmt: skip

PICTURES = [
    "penstock.pictures", "penstock.api.in_notebook", "penstock.runtime.in_notebook",
    "penstock.stack.in_notebook", "penstock.runtime.report",
]  # fmt: skip
"""For who looks, and nobody else."""

ELSEWHERE = ["penstock.artifacts.remote", "penstock.artifacts.drivers", "penstock.artifacts.probe"]
"""For stores that are no folder, and for who checks one."""

DECLARE = """
from penstock import Resources, pipeline, step

@step
def squares(upto: int) -> list[int]:
    return [n * n for n in range(1, upto + 1)]

@step(retries=2, resources=Resources(cpu=1), settings={"kubeflow": {"pool": "a"}}, version="2")
async def total(numbers: list[int]) -> int:
    return sum(numbers)

@pipeline(cache=False)
def hello(upto: int = 3) -> int:
    return total(squares(upto))
"""

RUN = """
from penstock import pipeline, step

@step
def squares(upto: int) -> list[int]:
    return [n * n for n in range(1, upto + 1)]

@step
def total(numbers: list[int]) -> int:
    return sum(numbers)

@pipeline(progress=False)
def hello(upto: int = 3) -> int:
    return total(squares(upto))

first, second = hello.run(), hello.run(upto=3)
assert (first.result(), second.result()) == (14, 14)
assert (first["total"].status, second["total"].status) == ("completed", "cached")
"""

HELP = """
from penstock.cli.main import main
sys.argv = ["penstock", "--help"]
try:
    main()
except SystemExit as ended:
    assert not ended.code
"""

BUDGETS = {
    "importing": (
        "from penstock import pipeline, step",
        [*HEAVY, *FLOORS, *PICTURES, "blake3", "inspect", "dataclasses", "json", "pathlib", "ast"],
    ),
    "importing the package": (
        "import penstock",
        [*HEAVY, *FLOORS, "penstock.model", "penstock.api"],
    ),
    "declaring": (DECLARE, [*HEAVY, *FLOORS, "blake3"]),
    "drawing": (f"{DECLARE}\nhello.graph().to_mermaid()", [*HEAVY, *FLOORS]),
    "running": (RUN, [*HEAVY, *PICTURES, *ELSEWHERE, "penstock.cli", "penstock.client"]),
    "penstock --help": (
        HELP,
        [
            *[name for name in HEAVY if name not in ("click", "importlib.metadata")],
            *["blake3", "penstock.runtime.launch", "penstock.artifacts", "penstock.stack.flavor"],
            *["penstock.stack.registry", "penstock.stack.stack", "penstock.stack.changing"],
        ],
    ),
}


def python(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, capture_output=True, check=False, text=True, cwd=cwd)


@pytest.mark.parametrize("deed", BUDGETS)
def test_nothing_is_loaded_before_it_is_needed(deed: str) -> None:
    code, never = BUDGETS[deed]
    script = (
        f"import sys\nunwanted = set(sys.argv[1:]) - sys.modules.keys()\n{code}\n"
        "sys.stderr.write(' '.join(unwanted & sys.modules.keys()))"
    )

    run = python("-c", script, *never)

    assert (run.returncode, run.stderr) == (0, "")


def test_the_dag_loads_networkx() -> None:
    run = python(
        "-c", f"{DECLARE}\nimport sys\nhello.graph().dag\nprint('networkx' in sys.modules)"
    )

    assert run.stdout == "True\n", run.stderr


def test_an_import_loads_few_files_of_ours() -> None:
    code = (
        "import sys\nfrom penstock import pipeline, step\n"
        "print(*[name for name in sys.modules if name.partition('.')[0] == 'penstock'])"
    )

    assert len(python("-c", code).stdout.split()) <= 12


@pytest.mark.parametrize("name", penstock.__all__)
def test_every_public_name_is_found(name: str) -> None:
    assert getattr(penstock, name) is getattr(import_module(penstock._HOMES[name]), name)
    assert name in dir(penstock)


def test_the_version_is_there_once_it_is_asked_for() -> None:
    code = (
        "import sys, penstock\n"
        "print('penstock._version' in sys.modules, penstock.__version__,\n"
        "      'importlib.metadata' in sys.modules, '__version__' in dir(penstock))"
    )

    assert python("-c", code).stdout == f"False {penstock.__version__} False True\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'penstock' has no attribute 'pipelines'$"):
        penstock.pipelines  # type: ignore[attr-defined]  # noqa: B018


def test_star_gives_the_public_names_and_no_more() -> None:
    code = "from penstock import *\nprint(*sorted(n for n in globals() if not n.startswith('__')))"

    assert python("-c", code).stdout.split() == penstock.__all__


MODULES = sorted(
    ".".join(path.with_suffix("").relative_to(Path(penstock.__path__[0]).parent).parts)
    for path in Path(penstock.__path__[0]).rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)


def test_every_module_can_be_imported_first(sample: Sample) -> None:
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    kept = {n: m for n, m in sys.modules.items() if n.partition('.')[0] != 'penstock'}\n"
        "    sys.modules.clear()\n"
        "    sys.modules.update(kept)\n"
        "    importlib.import_module(name)\n"
    )

    run = python("-c", code, *sample(MODULES, 90))

    assert run.returncode == 0, run.stderr


def test_importing_and_declaring_touch_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    folder.chmod(0o555)
    home = Path(os.environ["HOME"])

    run = python("-c", f"{DECLARE}\nhello.graph()\nimport penstock.client", cwd=folder)

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert (list(folder.iterdir()), list(home.iterdir())) == ([], [])


def test_importing_and_declaring_leave_the_process_as_it_was() -> None:
    code = f"""
import logging, os, signal, sys, threading, warnings
def state():
    return (os.environ.copy(), os.getcwd(), sys.stdout, sys.stderr, sys.excepthook, sys.path[:],
            threading.active_count(), logging.root.handlers[:], logging.root.level,
            signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), sys.gettrace())
before = state()
{DECLARE}
import penstock.client
assert state() == before
"""

    run = python("-c", code)

    assert run.returncode == 0, run.stderr
