"""Pods that are containers. `make test-containers` tells of the images; without it nothing of this
folder is collected that needs one, and that is said."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

here = Path(__file__).parent
IMAGES = json.loads(os.environ.get("PENSTOCK_CONTAINER_IMAGES", "{}"))

if not IMAGES:
    collect_ignore_glob = ["test_[!w]*.py"]
else:
    others = here.parent / "integrations"
    kubeflow = others / "penstock_kubeflow"
    sys.path += map(str, (here, kubeflow, kubeflow / "standin", others / "penstock_s3"))

    from narrow_pods import Network
    from servers import Server
    from standins import Hatchery
    from team import Found

    @pytest.fixture(scope="session")
    def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
        """What all tests share."""
        with (
            Network(tmp_path_factory.mktemp("network")) as network,
            Server("moto", network.gateway) as server,
            Hatchery() as hatchery,
        ):
            yield Found(network, server, hatchery, IMAGES)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not IMAGES:
        terminalreporter.write_line("NOT RUN: tests/containers. Type: make test-containers")
