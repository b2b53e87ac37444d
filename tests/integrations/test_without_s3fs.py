"""What works where the libraries of an integration are not installed, and what is said of them."""

import subprocess
import sys
from pathlib import Path

import pytest

BLOCKED = """
import sys
sys.modules.update(dict.fromkeys(("s3fs", "aiobotocore", "botocore", "aiohttp")))
from penstock.cli.main import main
sys.exit(main(sys.argv[1:]))
"""

YAML = """
artifact_stores: {bucket: {flavor: s3, path: "s3://bucket/x"}}
stacks: {far: {orchestrator: default, artifact_store: bucket}}
"""

PIPELINE = """
from penstock import pipeline, step

@step
def one() -> int:
    return 1

@pipeline
def ones() -> int:
    return one()
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> None:
    Path("penstock.yaml").write_text(YAML)
    Path("ones.py").write_text(PIPELINE)


def without(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", BLOCKED, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


@pytest.mark.parametrize("words", ["flavor list", "stack list", "stack describe far", "stack get"])
def test_listings_work_without_the_library(words: str) -> None:
    said = without(*words.split())

    assert (said.returncode, "Error" in said.stderr) == (0, False)


@pytest.mark.parametrize(
    "words",
    ["pipeline run ones.py --stack far", "run list --stack far", "artifact-store up bucket"],
)
def test_using_the_flavor_prints_the_line_that_installs_it(words: str) -> None:
    said = without(*words.split())
    message, hint = said.stderr.splitlines()[-2:]

    assert said.returncode == 3
    assert message.endswith(
        "The artifact store flavor 's3' needs the library 's3fs', which is not installed."
    )
    assert hint.startswith("pip install ")
    assert hint.rstrip("'").endswith("[s3]")


def test_so_does_asking_for_its_file_system() -> None:
    code = (
        "import sys; sys.modules['s3fs'] = None\nfrom penstock_s3 import S3ArtifactStore\n"
        "S3ArtifactStore(path='s3://bucket/x').filesystem"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    message, hint = done.stderr.splitlines()[-2:]

    assert "MissingExtra: The artifact store flavor 's3' needs the library 's3fs'" in message
    assert hint.startswith("pip install ")


def test_a_check_says_so_in_its_line() -> None:
    said = without("stack", "check", "far")
    wrong = said.stdout.splitlines()[-1]

    assert said.returncode == 3
    assert wrong.startswith("WRONG  artifact store bucket: ")
    assert "needs the library 's3fs', which is not installed. pip install " in wrong


def test_the_package_loads_nothing_before_it_is_used() -> None:
    code = (
        "import sys; from penstock_s3 import S3ArtifactStore; S3ArtifactStore(path='s3://bucket/x')\n"
        "print({'s3fs', 'botocore', 'aiobotocore', 'aiohttp', 'fsspec'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
