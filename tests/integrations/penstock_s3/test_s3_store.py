"""The suite of stores, on servers with conditional writes and without."""

import pytest
from places import maker
from servers import Server

from penstock.artifacts.store import ArtifactStore
from penstock.testing import ArtifactStoreTests


class TestOnMoto(ArtifactStoreTests):
    @pytest.fixture
    def store(self, moto: Server) -> ArtifactStore:
        return maker(moto)("here", part_size="5MiB")


class TestOnRclone(ArtifactStoreTests):
    """It ignores conditions: the store looks first, and then writes."""

    @pytest.fixture
    def store(self, rclone: Server) -> ArtifactStore:
        return maker(rclone)("here", part_size="5MiB")
