"""Signatures are those that botocore makes."""

from types import SimpleNamespace

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Theirs
from hypothesis import given
from hypothesis import strategies as st

from penstock_s3.direct import addressed
from penstock_s3.signing import Credentials, Scope, Signer

_words = st.text("abcXYZ019-_.", min_size=1, max_size=12)
_names = st.sampled_from(["x-amz-meta-penstock", "x-amz-server-side-encryption", "content-md5"])


@given(
    method=st.sampled_from(["GET", "HEAD", "PUT"]),
    host=st.sampled_from(["example.com", "127.0.0.1:9000", "bucket.s3.eu-west-1.amazonaws.com"]),
    key=st.lists(_words, min_size=1, max_size=4).map("/".join),
    further=st.dictionaries(_names, _words),
    who=st.builds(Credentials, _words, _words, st.none() | _words),
    region=_words,
)
def test_a_signature_is_the_one_that_botocore_makes(
    method: str, host: str, key: str, further: dict[str, str], who: Credentials, region: str
) -> None:
    signer = Signer(Scope(region, "s3"))
    made = signer.headers(method, host, f"/{key}", who, further)
    config = SimpleNamespace(s3={"payload_signing_enabled": False})
    request = AWSRequest(method=method, url=f"https://{host}/{key}", headers=further)
    request.context["client_config"] = config
    auth = S3SigV4Auth(Theirs(who.key, who.secret, who.token), "s3", region)
    # Everything that is signed, at the time that was signed.
    for name in (name for name in made if name.startswith("x-amz-")):
        del request.headers[name]
        request.headers[name] = made[name]
    request.context["timestamp"] = made["x-amz-date"]
    theirs = auth.signature(auth.string_to_sign(request, _canonical(auth, request)), request)

    assert made["authorization"].endswith(f"Signature={theirs}")


def _canonical(auth: S3SigV4Auth, request: AWSRequest) -> str:
    """What botocore would sign; of the headers that S3 does not ask for, it signs some more."""
    for name in ("content-md5",):
        del request.headers[name]
    canonical: str = auth.canonical_request(request)
    return canonical


def test_a_day_later_another_key_signs() -> None:
    signer, who = Signer(Scope("here", "s3")), Credentials("key", "secret", None)
    first = signer.headers("GET", "host", "/a", who, {}, at=0.0)
    signer.headers("GET", "host", "/a", who, {}, at=86_400.0)

    assert signer.headers("GET", "host", "/a", who, {}, at=0.0) == first
    assert signer.headers("GET", "host", "/a", who._replace(secret="other"), {}, at=0.0) != first


def test_what_cannot_be_signed_here_is_left_to_the_client() -> None:
    signed = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/s3/aws4_request, SignedHeaders=…"

    assert addressed("http://h/b/x/a?x-id=PutObject", signed, "x/a") == (
        "http://h/b/",
        Scope("eu-west-1", "s3"),
    )
    for url, authorization in (
        ("http://h/b/x/a", signed.replace("/s3/", "/s3express/")),
        ("http://h/b/x/a", signed.replace("AWS4-HMAC", "AWS4-ECDSA-P256")),
        ("http://h/b/x/a", ""),
        ("http://h/b/x%2Fa", signed),
    ):
        assert addressed(url, authorization, "x/a") is None
