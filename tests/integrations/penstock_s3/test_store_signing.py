"""What is sent without the client is signed as the client signs, or not sent like this."""

import pytest
from botocore.credentials import Credentials

from penstock_s3.direct import addressed
from penstock_s3.signing import Scope, Signer


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
