"""What is shown of options that may hold a secret though they are not made for one."""

from typing import Any

import pytest

from penstock.stack.component import ComponentSpec
from penstock.stack.masked import masked

HIDDEN = "tell-nobody"


def shown(**options: Any) -> dict[str, Any]:
    return masked(ComponentSpec("artifact-store", "bucket", "s3", options))


@pytest.mark.parametrize("extra", [
    {"secret": HIDDEN}, {"client_kwargs": {"aws_secret_access_key": HIDDEN}},
    {"a": [{"token": HIDDEN}]}, {"a": f"http://me:{HIDDEN}@host"}, {"key": {"b": [HIDDEN]}},
])  # fmt: skip
def test_what_is_named_as_a_secret_is_masked_at_any_depth(extra: dict[str, Any]) -> None:
    assert HIDDEN not in str(shown(extra=extra))


def test_a_reference_is_shown_also_in_there() -> None:
    extra = {"secret": "${env:SECRET}", "default_block_size": 5}

    assert shown(extra=extra) == {"extra": extra}


@pytest.mark.parametrize(("url", "said"), [
    (f"s3://k:{HIDDEN}@bucket/x", "s3://k:***@bucket/x"),
    (f"https://${{env:ME}}:{HIDDEN}@host", "https://${env:ME}:***@host"),
    (f"s3://k:{HIDDEN}/and@more@bucket/x", "s3://k:***@bucket/x"),
    ("https://me:${env:PW}@host", "https://me:${env:PW}@host"),
    ("sftp://me@host/x", "sftp://me@host/x"),
    ("https://${env:ME}@host:80/a:b@c", "https://${env:ME}@host:80/a:b@c"),
    ("s3://bucket/x", "s3://bucket/x"),
    (f"https://host/x?X-Amz-Signature={HIDDEN}&y=1", "https://host/x?X-Amz-Signature=***&y=1"),
])  # fmt: skip
def test_a_password_in_a_url_is_masked(url: str, said: str) -> None:
    assert shown(path=url) == {"path": said}
