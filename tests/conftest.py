"""Every test works in an empty folder, as a user without files, on the default stack."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings

from penstock.stack.registry import REGISTERED

sys.path.append(str(Path(__file__).parent))  # in pytest's import mode nobody sees a sibling
pytest_plugins = ["sampling"]

# Threads of numpy and scikit-learn wait for each other by turning in circles: beside other tests
# they take twice the time of one. This is said before anybody imports numpy.
for library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# No test depends on how fast the machine is.
settings.register_profile(
    "penstock", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("penstock")


@pytest.fixture(autouse=True)
def isolated(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    home = Path(mkdtemp("-home", dir=tmp_path_factory.getbasetemp()))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    for name in (
        "PENSTOCK_STACK", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE",
        "KUBECONFIG", "KUBERNETES_SERVICE_HOST",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    REGISTERED.stacks.clear()
    REGISTERED.components.clear()
