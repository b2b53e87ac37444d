"""penstock on S3: the artifact store of flavor `s3`.

Names are found on first use: importing this package loads neither s3fs nor botocore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lazy import attach

if TYPE_CHECKING:
    from penstock_s3.store import S3ArtifactStore as S3ArtifactStore

__all__ = ["S3ArtifactStore"]
__getattr__ = attach(__name__, {"S3ArtifactStore": "penstock_s3.store"})
