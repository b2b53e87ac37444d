"""Pods as a strict cluster runs them: a user that no file knows, no capability, a root that is
read-only, and a network in which there is this machine and nothing else."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from docker_daemon import LABEL, docker

STARTER: Final = Path(__file__).with_name("container_pod.py")

STRICT: Final = (
    "--user=12345:12345",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--read-only",
    "--tmpfs=/tmp",
    "--memory=1g",
    "--memory-swap=1g",
)

OF_DOCKER: Final = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT")
"""Variables that its client looks at."""


class Network:
    """A network, in a `with`; and what starts pods in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._network = f"{LABEL}-{uuid.uuid4().hex[:8]}"
        self.gateway = ""
        """The address of this machine there."""

    @property
    def strict(self) -> Sequence[str]:
        """The flags of pods in here."""
        return [f"--network={self._network}", *STRICT]

    def starter(self, flags: Sequence[str]) -> Sequence[str]:
        """What is to be put in front of a pod's command, so that docker has these flags."""
        file = self._folder / f"{uuid.uuid4().hex}.json"
        variables = {name: os.environ[name] for name in OF_DOCKER if name in os.environ}
        file.write_text(json.dumps({"flags": list(flags), "variables": variables}))
        return [sys.executable, str(STARTER), str(file)]

    def __enter__(self) -> Self:
        """What is not in the network is sent to an address that nobody has: older daemons keep
        nothing from leaving by anything but rules of the firewall, and ours makes none."""
        self._create()
        where = "{{(index .IPAM.Config 0).Subnet}}"
        subnet = ip_network(docker("network", "inspect", f"--format={where}", self._network))
        docker("network", "rm", self._network)
        self.gateway = str(subnet.network_address + 1)
        nobody = f"--aux-address=DefaultGatewayIPv4={subnet.broadcast_address - 1}"
        self._create(f"--subnet={subnet}", f"--gateway={self.gateway}", nobody)
        return self

    def _create(self, *words: str) -> None:
        docker("network", "create", "--internal", f"--label={LABEL}", *words, self._network)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        docker("network", "rm", self._network)


def containers() -> Sequence[str]:
    """Those of pods that there are, ended ones too."""
    return docker("ps", "--all", "--quiet", f"--filter=label={LABEL}").split()
