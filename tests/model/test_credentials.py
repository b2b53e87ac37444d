"""Passwords and signatures in URLs are found, and hidden, and nothing else is."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.model import credentials

schemes = st.sampled_from(["s3", "sftp", "https", "postgres+psycopg", "GS"])
words = st.from_regex(r"[a-z][a-z0-9.-]{0,8}", fullmatch=True)
hosts = st.one_of(words, st.just("[::1]"), st.just("${env:HOST}"))
users = st.one_of(st.just(""), words, st.just("me@example.com"), st.just("${file:/me}"))
ports = st.one_of(st.just(""), st.integers(1, 65535).map(":{}".format))
letters = st.one_of(st.sampled_from("/@:?#&=%$ 1"), st.characters(exclude_categories=["Cs"]))
passwords = st.text(letters, min_size=1).filter(
    lambda text: not re.match(r"\d{1,5}[/?#]", text) and not text.startswith("${")
)
odd_paths = st.text("abc:@/%+ -", max_size=12).map(lambda text: text and f"/{text}")
plain_queries = st.sampled_from(
    ["", "?y=1", "?max_tokens=5&tokenizer=a", "?versionId=3&keys=a", "?SignedHeaders=host#top"]
)
secret_names = st.sampled_from([
    "X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential", "X-Goog-Signature", "Signature",
    "sig", "token", "access_token", "password", "sslpassword", "pwd", "api_key", "apikey",
    "AccessKey", "client_secret",
])  # fmt: skip


@given(schemes, users, passwords, hosts, ports, words)
@example("s3", "me", "a/and@more", "bucket", "", "x")
def test_a_password_is_hidden_whatever_is_in_it(
    scheme: str, user: str, password: str, host: str, port: str, path: str
) -> None:
    url = f"{scheme}://{user}:{password}@{host}{port}/{path}"

    assert credentials.are_in(url)
    assert credentials.hidden(url) == f"{scheme}://{user}:***@{host}{port}/{path}"


@given(schemes, hosts, words, secret_names, st.text("abc%2F+/=@:?", min_size=1), plain_queries)
def test_a_signature_is_hidden(
    scheme: str, host: str, path: str, name: str, value: str, query: str
) -> None:
    begin = f"{scheme}://{host}/{path}{query or '?x'}"
    for mark in ("&", "#"):
        url = f"{begin}{mark}{name}={value}"

        assert credentials.are_in(url)
        assert credentials.hidden(f"{url}&z=1") == f"{begin}{mark}{name}=***&z=1"


@given(schemes, st.sampled_from(["", "me@", "${env:ME}@"]), hosts, ports, odd_paths, plain_queries)
def test_what_has_no_secret_stays_as_it_is(
    scheme: str, user: str, host: str, port: str, path: str, query: str
) -> None:
    url = f"{scheme}://{user}{host}{port}{path}{query}"

    assert (credentials.are_in(url), credentials.hidden(url)) == (False, url)


@given(schemes, users, hosts, secret_names)
def test_a_reference_is_shown_and_is_one_to_a_secret(
    scheme: str, user: str, host: str, name: str
) -> None:
    for url in (
        f"{scheme}://{user}:${{env:PW}}@{host}/x@y",
        f"{scheme}://{host}?{name}=${{file:a}}",
    ):
        assert (credentials.are_in(url), credentials.hidden(url)) == (True, url)


@given(st.lists(st.sampled_from(["://", *":@/?#&=[]a1 \n", "***", "${env:A}", "sig"])).map("".join))
def test_what_is_hidden_stays_so_and_was_found(text: str) -> None:
    shown = credentials.hidden(text)

    assert credentials.hidden(shown) == shown
    assert shown == text or credentials.are_in(text)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("secret", True), ("aws_access_key_id", True), ("passwd", True), ("apiToken", True),
        ("credentials", True), ("region", False), ("path", False), ("anon", False),
    ],
)  # fmt: skip
def test_some_names_are_likely_those_of_secrets(name: str, is_one: bool) -> None:
    assert credentials.is_name(name) == is_one
