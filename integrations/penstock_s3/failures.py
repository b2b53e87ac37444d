"""Failures: what the errors of an attempt mean, whoever has raised them."""

from __future__ import annotations

from typing import Final

from penstock.errors import PenstockError
from penstock_s3.causes import FOREIGN, LOGIN, REACH, SILENT, Cause, Incomplete, Nothing, said
from penstock_s3.refusals import refused

_PROXY: Final = "Look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY."

_BROKEN: Final = {
    "HTTPClientError", "ConnectionError", "ClientError", "ResponseParserError",
    "IncompleteReadError", "HttpProcessingError", "gaierror",
}  # fmt: skip
"""What is raised where an answer breaks off or is none, by botocore, aiohttp and the system."""

_IMPROPER: Final = {"ClientResponseError", "HttpProcessingError"}
"""What aiohttp raises where an answer is not as HTTP has it."""

_OFTEN: Final = 3
"""Answers that are no HTTP, or nothing of S3, after which it is no accident."""

_NO_SESSION: Final = {
    "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "SSOError",
    "TokenRetrievalError", "NoAuthTokenError", "LoginError", "UnknownCredentialError",
    "RefreshWithMFAUnsupportedError",
}  # fmt: skip
"""What botocore raises where there is nobody to sign as."""


def cause_of(error: BaseException) -> Cause | None:
    """Why an attempt failed; None for what no server or network has to do with."""
    if isinstance(error, PenstockError):
        return None
    if isinstance(response := getattr(error, "response", None), dict):
        return refused(response)
    if isinstance(error, Nothing):
        return Cause("Nothing", str(error), FOREIGN, passing=True, most=_OFTEN)
    if isinstance(error, Incomplete):
        return Cause("Incomplete", str(error), passing=True)
    if isinstance(error, TimeoutError):
        return Cause(SILENT, "{server} does not answer in time", "{reach}", passing=True)
    names = _names(error)
    if names & _IMPROPER:
        return _improper(error)
    if names & _NO_SESSION:
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


def _unknown(error: BaseException, names: set[str]) -> Cause:
    """There is nobody to sign as."""
    if "NoCredentialsError" in names:
        return Cause(
            "NoCredentials", "there are no credentials",
            "Set key and secret of the artifact store (as \"${env:…}\"), or its profile, or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`.",
        )  # fmt: skip
    return Cause("NoCredentials", f"the credentials cannot be had ({said(error)})", LOGIN)


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
