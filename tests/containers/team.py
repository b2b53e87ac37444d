"""A team whose steps are containers: a checkout, the stand-in of Kubeflow, a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from narrow_pods import Network
from prod import STACKS, Prod
from servers import Server
from standins import Hatchery, Standin


@dataclass(frozen=True)
class Found:
    """What all teams find. The S3 server is on the pods' side of this machine."""

    network: Network
    server: Server
    hatchery: Hatchery
    images: Mapping[str, str]

    @contextmanager
    def team(
        self, folder: Path, image: str = "same", flags: Sequence[str] | None = None
    ) -> Iterator[Team]:
        """With this image for all steps, and other flags of `docker run` than strict ones."""
        with self.hatchery.standin(folder / "standin") as standin:
            team = Team(folder, standin, self.server, STACKS.replace("{image}", self.images[image]))
            starter = self.network.starter(self.network.strict if flags is None else flags)
            standin.set(starter=starter, environment={})
            yield team


class Team(Prod):
    """What it types, and what Kubeflow has done for it."""

    def __init__(self, folder: Path, standin: Standin, server: Server, stacks: str) -> None:
        super().__init__(folder, standin, server, stacks=stacks)
        self.standin = standin

    @property
    def ends(self) -> Sequence[tuple[int, str]]:
        """How the containers have ended: exit code and reason."""
        return [
            (event["code"], event["why"])
            for job in self.jobs
            for event in self.standin.events(job["id"])
            if "code" in event
        ]
