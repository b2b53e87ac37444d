"""What is asked of a server: in words, what permits it, and how it is refused."""

from __future__ import annotations

from typing import Final

from penstock.errors import StoreUnavailable


class Changed(StoreUnavailable):
    """The object is not the one any more that was asked for (`IfMatch`)."""


class Failed(StoreUnavailable):
    """A request that did not go through."""

    def __init__(self, message: str, *, code: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        """What the server calls the reason, or our own word for it."""


class Unanswered(Failed):
    """It did not go through in time, and may do so later."""

    later = ""
    """What to do meanwhile and then: for who was interrupted by this, and not for a check."""

    def __str__(self) -> str:
        return "\n".join(filter(None, (super().__str__(), self.later)))


class Refused(Failed):
    """The server has said no, and would say so again."""


SENDS: Final = {"put_object", "upload_part"}
"""What has bytes of ours on the way: these may hang where all else is answered."""

VERBS: Final = {
    "get_object": "read",
    "head_object": "look at",
    "put_object": "write",
    "copy_object": "touch",
    "delete_object": "delete",
    "delete_objects": "delete what is in",
    "list_objects_v2": "list",
    "create_multipart_upload": "write",
    "upload_part": "write",
    "upload_part_copy": "touch",
    "complete_multipart_upload": "write",
    "abort_multipart_upload": "clean up",
    "list_multipart_uploads": "list the unfinished uploads of",
    "list_parts": "list the unfinished uploads of",
    "create_bucket": "make",
    "delete_bucket": "remove",
    "head_bucket": "look at",
}
"""What stands before the URL in a message."""

LATER: Final = (
    "See whether the server is well: `penstock stack check`. Once it is, `penstock run resume "
    "last` goes on from where a run has ended. For a slow one, raise the store's deadline (it is "
    "{deadline:g} s)."
)
"""What helps where there was no answer in time."""

ACTIONS: Final = {
    "get_object": "s3:GetObject, and s3:ListBucket for what may be missing",
    "head_object": "s3:GetObject, and s3:ListBucket for what may be missing",
    "put_object": "s3:PutObject",
    "copy_object": "s3:GetObject and s3:PutObject",
    "delete_object": "s3:DeleteObject",
    "delete_objects": "s3:DeleteObject",
    "list_objects_v2": "s3:ListBucket",
    "create_multipart_upload": "s3:PutObject",
    "upload_part": "s3:PutObject",
    "upload_part_copy": "s3:GetObject and s3:PutObject",
    "complete_multipart_upload": "s3:PutObject",
    "abort_multipart_upload": "s3:AbortMultipartUpload",
    "list_multipart_uploads": "s3:ListBucketMultipartUploads",
    "list_parts": "s3:ListMultipartUploadParts",
    "create_bucket": "s3:CreateBucket",
    "delete_bucket": "s3:DeleteBucket",
    "head_bucket": "s3:ListBucket",
}
"""The permissions that an operation needs, by Amazon's names."""

ANSWERS: Final = {
    "put_object": "ETag",
    "get_object": "ETag",
    "head_object": "ETag",
    "upload_part": "ETag",
    "upload_part_copy": "CopyPartResult",
    "copy_object": "CopyObjectResult",
    "create_multipart_upload": "UploadId",
    "complete_multipart_upload": "ETag",
    "list_objects_v2": "Name",
}
"""What an answer has that is one: something in between may answer 200 to anything."""
