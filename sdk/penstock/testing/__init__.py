"""For authors of flavors: the tests that every flavor of a category must pass. Needs pytest.

Inherit a suite, give it a fixture, and pytest runs all of it:

    class TestMyStore(ArtifactStoreTests):
        @pytest.fixture
        def store(self, tmp_path: Path) -> ArtifactStore:
            return MyStore(path=str(tmp_path))
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(f"{__name__}.artifact_store")
