"""What is sent without the client is signed as the client signs, or not sent like this."""

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from penstock_s3.direct import addressed
from penstock_s3.signing import Scope, Signer

UNSIGNED = Config(s3={"payload_signing_enabled": False})

words = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1)
names = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True).map("x-amz-meta-{}".format)
known = st.sampled_from(["content-md5", "if-none-match", "If-Match", "range"])
bases = st.sampled_from(
    [
        "http://127.0.0.1:9/b/",
        "http://[::1]:80/b/",
        "http://[fe80::1]:9000/b/",
        "https://B.S3.amazonaws.com/",
        "https://s3.example:443/b/",
        "https://s3.example:80/some/where/b/",
    ]
)
keys = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,30}", fullmatch=True)


def signed(url: str, who: Credentials, further: dict[str, str]) -> tuple[object, object]:
    """What botocore signs and what we sign, in the same second."""
    scope = Scope("eu-west-1", "s3")
    signer = Signer(scope)
    signer.headers("PUT", url, Credentials("AKID", "the last ones"), {})
    while True:
        before = botocores(url, who, scope, further)
        made = signer.headers("PUT", url, who, further)
        if before == botocores(url, who, scope, further):
            return before, made


def botocores(url: str, who: Credentials, scope: Scope, further: dict[str, str]) -> dict[str, str]:
    request = AWSRequest("PUT", url, headers=further)
    request.context["client_config"] = UNSIGNED
    S3SigV4Auth(who, scope.service, scope.region).add_auth(request)
    return dict(request.headers)


@given(
    bases,
    keys,
    st.dictionaries(st.one_of(names, known), words),
    st.builds(Credentials, words, words, st.none() | words),
)
def test_the_signature_is_that_of_botocore(
    base: str, key: str, further: dict[str, str], who: Credentials
) -> None:
    theirs, ours = signed(base + key, who, further)

    assert ours == theirs


def test_other_credentials_are_not_signed_with_the_key_of_the_last_ones() -> None:
    theirs, ours = signed("http://127.0.0.1:9/b/a", Credentials("AKID", "second"), {})

    assert ours == theirs


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/b/x/a", "https://b.s3.amazonaws.com/x/a"])
@pytest.mark.parametrize("token", [None, "ends soon"])
def test_a_body_is_not_part_of_what_is_signed(url: str, token: str | None) -> None:
    who = Credentials("AKID", "secret", token)
    made = Signer(Scope("eu-west-1", "s3")).headers("PUT", url, who, {"x-amz-meta-penstock": "n"})

    assert made["X-Amz-Content-SHA256"] == "UNSIGNED-PAYLOAD"
    assert "Credential=AKID/" in made["Authorization"]
    assert "/eu-west-1/s3/aws4_request" in made["Authorization"]
    assert "x-amz-meta-penstock" in made["Authorization"].partition("SignedHeaders=")[2]
    assert made.get("X-Amz-Security-Token") == token
    assert "secret" not in str(made)


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
