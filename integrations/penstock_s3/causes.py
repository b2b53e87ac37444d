"""Causes: why an attempt failed, in words, and what cures it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, Final

from penstock.errors import PenstockError
from penstock_s3.place import is_legal


@dataclass(frozen=True, slots=True)
class Cause:
    """Why one attempt failed."""

    code: str
    """What the server calls it, or our own word for it."""
    reason: str
    """Half a sentence, for people: what follows "cannot read …: "."""
    hint: str = ""
    passing: bool = False
    """Whether it may work the next time."""
    wait: float = 0.0
    """Seconds for which the server wants to be left alone."""
    nobody: bool = False
    """Whether there was nobody at all at that address."""
    most: int = 0
    """How often that may happen until it is no accident any more; 0 if it always may be."""


class Incomplete(Exception):
    """An answer without what it must have, or bytes that are not those that were sent."""


_KEY_HINT: Final = "{keys}"
_LOGIN: Final = "{login}"

_ALLOW: Final = (
    "Allow it in the policy of these credentials or of the bucket '{bucket}', or use others."
)

_FINAL: Final = {
    "NoSuchBucket": ("there is no such bucket", "penstock artifact-store up {store}"),
    "AccessDenied": ("these credentials may not do that (they need {action})", _ALLOW),
    "403": ("these credentials may not do that (they need {action})", _ALLOW),
    "AllAccessDisabled": ("the bucket is closed to everybody", ""),
    "AccountProblem": ("there is a problem with the account", "Ask whoever pays for it."),
    "InvalidAccessKeyId": ("the server does not know this access key", _KEY_HINT),
    "SignatureDoesNotMatch": ("the secret does not belong to the access key", _KEY_HINT),
    "AuthorizationQueryParametersError": ("the credentials are not well-formed", _KEY_HINT),
    "InvalidToken": ("the session token is not one of this server's", _LOGIN),
    "ExpiredToken": ("the session token has expired", _LOGIN),
    "ExpiredTokenException": ("the session token has expired", _LOGIN),
    "TokenRefreshRequired": ("the session token has expired", _LOGIN),
    "RequestTimeTooSkewed": (
        "the clock of this machine {skew}, and the server takes only what is signed now",
        "Set the clock, for example `sudo chronyc makestep` or `timedatectl set-ntp true`.",
    ),
    "BucketAlreadyExists": (
        "somebody else has a bucket of this name",
        "Choose another name, and write it in its path.",
    ),
    "InvalidBucketName": ("the server takes no bucket of this name", "Look at its path."),
    "KMS.DisabledException": ("the KMS key is disabled", "Enable it, or use another kms_key."),
    "KMS.NotFoundException": ("there is no such KMS key", "Look at its kms_key."),
    "InvalidObjectState": ("the object is archived", "Restore it first."),
    "QuotaExceeded": ("the quota is used up", "Make room and run again."),
    "EntityTooLarge": ("the server takes no object of this size", ""),
    "InvalidPart": ("the server has lost a part", ""),
    "NotImplemented": ("the server does not know this request", ""),
    "MethodNotAllowed": ("the server does not allow this request; is it read-only?", _ALLOW),
}
"""What does not get better by trying again: the reason and the cure, by the server's word."""

ELSEWHERE: Final = {
    "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
    "TemporaryRedirect", "301", "307",
}  # fmt: skip
"""What servers say of a bucket in another region."""

_PASSING: Final = {
    "RequestTimeout", "RequestTimeoutException", "SlowDown", "SlowDownRead", "SlowDownWrite",
    "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests",
    "BandwidthLimitExceeded", "OperationAborted", "ConditionalRequestConflict", "BadDigest",
    "InternalError", "ServiceUnavailable", "IncompleteBody", "XAmzContentSHA256Mismatch",
    "InvalidDigest", "XAmzContentChecksumMismatch", }  # fmt: skip
"""What may work the next time though its status says that it is our fault."""

_PATIENT: Final = (408, 409, 425, 429)

_BROKEN: Final = {
    "HTTPClientError", "ConnectionError", "ClientError", "ResponseParserError",
    "IncompleteReadError", "HttpProcessingError", "gaierror",
}  # fmt: skip
"""What is raised where an answer breaks off or is none, by botocore, aiohttp and the system."""

_IMPROPER: Final = {"ClientResponseError", "HttpProcessingError"}
"""What aiohttp raises where an answer is not as HTTP has it."""

_OFTEN: Final = 3
"""Answers that are no HTTP, after which it is no accident."""

_NO_SESSION: Final = (
    "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "SSOError",
    "TokenRetrievalError", "NoAuthTokenError", "LoginError", "UnknownCredentialError",
    "RefreshWithMFAUnsupportedError",
)  # fmt: skip


def cause_of(error: BaseException) -> Cause | None:
    """Why an attempt failed; None for what no server or network has to do with."""
    if isinstance(error, PenstockError):
        return None
    if isinstance(response := getattr(error, "response", None), dict):
        return _refused(response)
    if isinstance(error, Incomplete):
        return Cause("Incomplete", str(error), passing=True)
    if isinstance(error, TimeoutError):
        return Cause(SILENT, "{server} does not answer in time", "{reach}", passing=True)
    names = _names(error)
    if names & _IMPROPER:
        return _improper(error)
    if names & {*_NO_SESSION}:
        return _unknown(error, names)
    if names & {"SSLError", "ClientSSLError"}:
        return _encrypted(error)
    if "ProxyConnectionError" in names:
        return Cause("Proxy", f"the proxy cannot be reached ({said(error)})", _PROXY, True, 0, True)
    if names & {"EndpointConnectionError", "ConnectTimeoutError", "ClientConnectorError"}:
        reason = f"nobody answers there ({said(error)})"
        return Cause("Unreachable", reason, REACH, passing=True, nobody=True)
    if names & _BROKEN:
        return Cause("Broken", f"the connection broke off ({said(error)})", passing=True)
    return None


_ODD_BUCKET: Final = (
    "Look at its path. S3 has no bucket of such a name, so `penstock artifact-store up {store}` "
    "works only if this server makes one."
)

SILENT: Final = "Timeout"
"""The code of a cause that says least: that there was no answer."""

_PROXY: Final = "Look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
REACH: Final = "Look at its endpoint_url and region, and whether this machine is online."


def explained(cause: Cause, **facts: str) -> Cause:
    """The cause with what the one who asked knows: store, action, policy."""
    known = {"skew": "is wrong", **facts}
    hint = cause.hint
    if cause.code == "NoSuchBucket" and not is_legal(facts.get("bucket", "")):
        hint = _ODD_BUCKET
    return replace(cause, reason=_filled(cause.reason, known), hint=_filled(hint, known))


def _filled(text: str, facts: Mapping[str, str]) -> str:
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _refused(response: Mapping[str, Any]) -> Cause:
    """What a server has said no with."""
    error = response.get("Error", {})
    about = response.get("ResponseMetadata", {})
    status, headers = about.get("HTTPStatusCode", 0), about.get("HTTPHeaders", {})
    code = str(error.get("Code", status))
    if code in ELSEWHERE:
        return _elsewhere(code, error.get("Region") or headers.get("x-amz-bucket-region"))
    if code in _FINAL:
        reason, hint = _FINAL[code]
        return Cause(code, _filled(reason, {"skew": _skew(headers.get("date"))}), hint)
    if status >= 500 or status in _PATIENT or code in _PASSING:
        said = error.get("Message") or "it is busy"
        return Cause(
            code, f"the server says {code} ({said})", passing=True, wait=_wanted(headers)
        )  # fmt: skip
    said = error.get("Message") or "no reason given"
    return Cause(code, f"the server says {code} ({said})")


def _elsewhere(code: str, region: str | None) -> Cause:
    if not region:
        return Cause(code, "the bucket lies in another region", "Set region=… of the store.")
    return Cause(
        code,
        f"the bucket lies in the region {region!r}",
        f"penstock artifact-store update {{store}} --region {region}",
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


def _unknown(error: BaseException, names: set[str]) -> Cause:
    """There is nobody to sign as."""
    if "NoCredentialsError" in names:
        return Cause(
            "NoCredentials", "there are no credentials",
            "Set key and secret of the artifact store (as \"${env:…}\"), or its profile, or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`.",
        )  # fmt: skip
    return Cause("NoCredentials", f"the credentials cannot be had ({said(error)})", _LOGIN)


def _names(error: BaseException) -> set[str]:
    """Of its class, and of the error that botocore has wrapped without a word of its own."""
    names = {kind.__name__ for kind in type(error).__mro__}
    inner = getattr(error, "kwargs", {}).get("error")
    if type(error).__name__ == "HTTPClientError" and isinstance(inner, BaseException):
        names |= {kind.__name__ for kind in type(inner).__mro__}
    return names


def _improper(error: BaseException) -> Cause:
    if "ClientHttpProxyError" in _names(error):
        return Cause("Proxy", f"the proxy refuses ({said(error)})", _PROXY)
    return Cause(
        "Improper", f"the answer of {{server}} is no proper HTTP ({said(error)})",
        "Look for what stands between this machine and the server, or for another version of it.",
        passing=True, most=_OFTEN,
    )  # fmt: skip


def _encrypted(error: BaseException) -> Cause:
    told = said(error)
    if "WRONG_VERSION_NUMBER" in told or "UNKNOWN_PROTOCOL" in told or "RECORD_LAYER" in told:
        return Cause(
            "TLS", "the server there speaks no TLS", "Write its endpoint_url with http://."
        )
    if "CERTIFICATE_VERIFY_FAILED" in told or "certificate" in told.lower():
        return Cause(
            "TLS", f"the server's certificate is not trusted here ({told})",
            "Set ca_bundle=… of the store to a file with the certificate of its authority.",
        )  # fmt: skip
    return Cause("TLS", f"there is no encrypted connection ({told})", passing=True)


def said(error: BaseException) -> str:
    """What an error says, on one line and without its last full stop."""
    inner = getattr(error, "kwargs", {}).get("error") or error
    return " ".join(str(inner).split()).rstrip(".") or type(inner).__name__
