"""Refusals: what a server says no with, and whether that will pass."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from penstock_s3.causes import FOREIGN, KEYS, LOGIN, Cause, filled
from penstock_s3.place import RULE

_ALLOW: Final = (
    "Allow it in the policy of these credentials or of the bucket '{bucket}', or use others."
)

_FINAL: Final = {
    "NoSuchBucket": ("there is no such bucket", "penstock artifact-store up {store}"),
    "AccessDenied": ("these credentials may not do that (they need {action})", _ALLOW),
    "403": ("these credentials may not do that (they need {action})", _ALLOW),
    "AllAccessDisabled": ("the bucket is closed to everybody", "Use another one."),
    "AccountProblem": ("there is a problem with the account", "Ask whoever pays for it."),
    "InvalidAccessKeyId": ("the server does not know this access key", KEYS),
    "SignatureDoesNotMatch": ("the secret does not belong to the access key", KEYS),
    "AuthorizationQueryParametersError": ("the credentials are not well-formed", KEYS),
    "InvalidToken": ("the session token is not one of this server's", LOGIN),
    "ExpiredToken": ("the session token has expired", LOGIN),
    "ExpiredTokenException": ("the session token has expired", LOGIN),
    "TokenRefreshRequired": ("the session token has expired", LOGIN),
    "RequestTimeTooSkewed": (
        "the clock of this machine {skew}, and the server takes only what is signed now",
        "Set the clock, for example `sudo chronyc makestep` or `timedatectl set-ntp true`.",
    ),
    "BucketAlreadyExists": (
        "somebody else has a bucket of this name",
        "Choose another name, and write it in its path.",
    ),
    "BucketNotEmpty": ("there are objects in it", "Delete them first."),
    "InvalidBucketName": (
        "the server takes no bucket of this name",
        f"Choose another name, and write it in its path: {RULE}.",
    ),
    "KMS.DisabledException": ("the KMS key is disabled", "Enable it, or use another kms_key."),
    "KMS.NotFoundException": ("there is no such KMS key", "Look at its kms_key."),
    "InvalidObjectState": ("the object is archived", "Restore it first."),
    "QuotaExceeded": ("the quota is used up", "Make room and run again."),
    "EntityTooLarge": ("the server takes no object of this size", ""),
    "InvalidPart": ("the server has lost a part", "Run again."),
    "NotImplemented": ("the server does not know this request", ""),
    "MethodNotAllowed": ("the server does not allow this request; is it read-only?", _ALLOW),
}
"""What does not get better by trying again: the reason and the cure, by the server's word."""

ELSEWHERE: Final = {
    "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
    "TemporaryRedirect", "301", "307",
}  # fmt: skip
"""What servers say of a bucket in another region."""

PASSING: Final = {
    "RequestTimeout", "RequestTimeoutException", "SlowDown", "SlowDownRead", "SlowDownWrite",
    "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests",
    "BandwidthLimitExceeded", "OperationAborted", "ConditionalRequestConflict", "BadDigest",
    "InternalError", "ServiceUnavailable", "IncompleteBody", "XAmzContentSHA256Mismatch",
    "InvalidDigest", "XAmzContentChecksumMismatch", }  # fmt: skip
"""What may work the next time though its status says that it is our fault."""

STRANGE: Final = {"404", "405", "501"}
"""What S3 says with a reason; other servers say it without any, where they do not know S3."""

_PATIENT: Final = (408, 409, 425, 429)


def refused(response: Mapping[str, Any]) -> Cause:
    """Why an answer is no, as botocore has read it."""
    error = response.get("Error", {})
    about = response.get("ResponseMetadata", {})
    status, headers = about.get("HTTPStatusCode", 0), about.get("HTTPHeaders", {})
    code = str(error.get("Code") or status)
    if code in ELSEWHERE:
        return _elsewhere(code, error.get("Region") or headers.get("x-amz-bucket-region"))
    if code in _FINAL:
        reason, hint = _FINAL[code]
        return Cause(code, filled(reason, {"skew": _skew(headers.get("date"))}), hint)
    passing = status >= 500 or status in _PATIENT or code in PASSING
    if passing and code not in STRANGE:
        said = error.get("Message") or "it is busy"
        return Cause(
            code, f"the server says {code} ({said})", passing=True, wait=_wanted(headers)
        )  # fmt: skip
    said = error.get("Message") or "no reason given"
    return Cause(code, f"the server says {code} ({said})", FOREIGN if code in STRANGE else "")


def _elsewhere(code: str, region: str | None) -> Cause:
    if not region:
        return Cause(
            code,
            "the bucket lies in another region",
            "Type: penstock artifact-store update {store} --region=…",
        )
    return Cause(
        code,
        f"the bucket lies in the region {region!r}",
        f"Type: penstock artifact-store update {{store}} --region={region}",
    )


def _skew(date: str | None) -> str:
    """By how much this machine's clock is off, in words."""
    if date is None:
        return "is wrong"
    try:
        seconds = time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return "is wrong"
    minutes = round(abs(seconds) / 60)
    return f"is {minutes:,} minutes {'fast' if seconds > 0 else 'slow'}"


def _wanted(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks for; a minute at most."""
    try:
        return max(0.0, min(60.0, float(headers.get("retry-after", "0"))))
    except ValueError:
        return 0.0
