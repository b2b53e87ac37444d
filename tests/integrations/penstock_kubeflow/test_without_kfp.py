"""What works where kfp is not installed, and what is said where it is needed.

Python is shown all that is installed but kfp and what came with it, so that nobody finds them:
neither an import nor whoever asks what is installed.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HIDDEN = ("kfp", "kubernetes", "google", "protobuf")

YAML = """
orchestrators: {kf: {flavor: kubeflow, image: "ghcr.io/acme/ml:3", host: "https://kfp.invalid"}}
artifact_stores: {bucket: {flavor: s3, path: "s3://bucket/x"}}
stacks: {prod: {orchestrator: kf, artifact_store: bucket}}
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is installed, without kfp."""
    folder = tmp_path_factory.mktemp("packages")
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if not each.name.startswith(HIDDEN):
            (folder / each.name).symlink_to(each)
    return folder


@pytest.fixture(autouse=True)
def project() -> None:
    Path("penstock.yaml").write_text(YAML)


def without(packages: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = [packages, ROOT / "sdk", ROOT / "integrations"]
    code = "import sys; from penstock.cli.main import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-S", "-W", "error", "-c", code, *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.mark.parametrize(
    "words",
    [
        "stack list",
        "stack describe prod",
        "orchestrator describe kf",
        "orchestrator flavor describe kubeflow",
        "orchestrator register other --flavor=kubeflow --namespace=ml",
    ],
)
def test_what_needs_no_kfp_works_without(packages: Path, words: str) -> None:
    said = without(packages, *words.split())

    assert (said.returncode, "Error" in said.stderr) == (0, False)


def test_a_listing_says_the_line_that_installs_it(packages: Path) -> None:
    said = without(packages, "orchestrator", "flavor", "list")
    (line,) = (line for line in said.stdout.splitlines() if line.startswith("kubeflow"))

    assert "pip install " in line
    assert line.rstrip("'").endswith("[kubeflow]")


def test_so_does_a_check(packages: Path) -> None:
    said = without(packages, "stack", "check", "prod")
    (line,) = (line for line in said.stdout.splitlines() if "orchestrator kf" in line)

    assert said.returncode == 3
    assert line.startswith("WRONG  orchestrator kf: library: The orchestrator flavor 'kubeflow' ")
    assert "needs what is not installed: kfp" in line
    assert line.rstrip("'").endswith("[kubeflow]")


def test_kfp_is_really_hidden(packages: Path) -> None:
    """The planted defect: what is not hidden is found."""
    names = "kfp", "kubernetes", "google.protobuf", "pydantic"
    code = (
        "from importlib.util import find_spec\n"
        f"print([name for name in {names!r} if find_spec(name.split('.')[0])])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(packages)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "['pydantic']\n"
