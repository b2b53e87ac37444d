"""What is wrong with options is said before anybody is asked, and no secret is ever shown."""

import os
from pathlib import Path
from typing import Any

import pytest
from places import Made
from servers import Server

from penstock.errors import BadConfiguration
from penstock_s3 import S3ArtifactStore

HIDDEN = "tell-nobody"


@pytest.fixture
def server(moto: Server) -> Server:
    return moto


def refusal(made: Made, **options: Any) -> str:
    with pytest.raises(BadConfiguration) as caught:
        made("here", **options)
    assert caught.value.exit_code == 3
    return str(caught.value)


@pytest.mark.parametrize(("extra", "named", "cure"), [
    ({"secret": HIDDEN}, "'secret' in extra", "option secret"),
    ({"key": HIDDEN}, "'key' in extra", "option key"),
    ({"token": HIDDEN}, "'token' in extra", "option token"),
    ({"username": HIDDEN}, "'username' in extra", "option key"),
    ({"password": HIDDEN}, "'password' in extra", "option secret"),
    ({"client_kwargs": {"aws_secret_access_key": HIDDEN}}, "in extra.client_kwargs", "secret"),
    ({"client_kwargs": {"aws_access_key_id": HIDDEN}}, "in extra.client_kwargs", "option key"),
    ({"client_kwargs": {"aws_session_token": HIDDEN}}, "in extra.client_kwargs", "option token"),
    ({"config_kwargs": {"a": [{"apiKey": HIDDEN}]}}, "in extra.config_kwargs.a.0", "option key"),
    ({"s3_additional_kwargs": {"SSEKMSKeyId": HIDDEN}}, "'SSEKMSKeyId'", "option kms_key"),
    ({"s3_additional_kwargs": {"SSECustomerKey": HIDDEN}}, "'SSECustomerKey'", "kms_key"),
    ({"config_kwargs": {"proxies": {"http": f"http://me:{HIDDEN}@host"}}}, "'http'", "HTTPS_PROXY"),
    ({"config_kwargs": {"proxies": {"http": f"http://h?sig={HIDDEN}"}}}, "'http'", "HTTPS_PROXY"),
])  # fmt: skip
def test_a_secret_in_extra_is_refused_with_the_option_that_it_is_for(
    made: Made, extra: Any, named: str, cure: str
) -> None:
    said = refusal(made, extra=extra)

    assert (named in said, cure in said, HIDDEN in said) == (True, True, False)


def test_other_names_in_extra_are_taken(made: Made) -> None:
    kwargs = {"config_kwargs": {"tcp_keepalive": True}, "client_kwargs": {"use_ssl": False}}
    store = made("here", extra={"default_block_size": 5 << 20, **kwargs})

    assert list(store.keys()) == []


def test_what_extra_says_of_s3_stands_beside_our_own_options(made: Made) -> None:
    more = {"config_kwargs": {"s3": {"use_accelerate_endpoint": True}, "tcp_keepalive": True}}
    arguments = made("here", addressing_style="path", extra=more).dialled().arguments()
    config = arguments["config_kwargs"]

    assert (config["tcp_keepalive"], config["retries"]["total_max_attempts"]) == (True, 1)
    assert config["s3"]["addressing_style"] == "path"
    assert config["s3"]["use_accelerate_endpoint"] is True


@pytest.mark.parametrize("path", [
    f"s3://k:{HIDDEN}@bucket/x", f"s3://k:{HIDDEN}/b@bucket/x", f"k:{HIDDEN}@bucket/x",
    f"s3://{HIDDEN}@bucket", f"s3://bucket/x?secret={HIDDEN}", f"s3://k://{HIDDEN}@bucket",
])  # fmt: skip
def test_a_secret_in_a_path_is_not_shown(made: Made, path: str) -> None:
    said = refusal(made, path=path)

    assert ("bucket" in said, "key and secret" in said, HIDDEN in said) == (True, True, False)


@pytest.mark.parametrize("url", [
    f"https://me:{HIDDEN}@host", f"me:{HIDDEN}@host:9000", f"http:///me:{HIDDEN}@host",
    f"host?{HIDDEN}",
])  # fmt: skip
def test_a_secret_in_an_endpoint_is_not_shown(made: Made, url: str) -> None:
    assert HIDDEN not in refusal(made, endpoint_url=url)


@pytest.mark.parametrize("url", ["http://[::1", "http://host:port", "http://", "host:9000"])
def test_what_is_no_url_is_refused(made: Made, url: str) -> None:
    assert "no URL of a server" in refusal(made, endpoint_url=url)


@pytest.mark.parametrize("options", [
    {"deadline": "5"}, {"deadline": True}, {"deadline": float("nan")}, {"deadline": float("inf")},
    {"concurrency": "8"}, {"concurrency": 1.5}, {"concurrency": True}, {"part_size": 16},
    {"path": 5}, {"path": None}, {"path": b"s3://a/b"}, {"region": 1}, {"profile": ["a"]},
    {"endpoint_url": None}, {"ca_bundle": Path("a")}, {"kms_key": 7}, {"addressing_style": None},
    {"extra": "a"}, {"extra": {1: 2}}, {"extra": None}, {"extra": {"loop": 1}},
    {"extra": {"client_kwargs": None}}, {"extra": {"config_kwargs": ["a"]}},
    {"extra": {"config_kwargs": {"s3": "a"}}},
])  # fmt: skip
def test_a_value_of_another_type_is_refused_with_its_option(
    made: Made, options: dict[str, Any]
) -> None:
    (option,) = options

    assert option in refusal(made, **options)


@pytest.mark.parametrize("option", ["key", "secret", "token"])
def test_a_secret_of_another_type_is_refused_and_not_shown(made: Made, option: str) -> None:
    said = refusal(made, **{option: HIDDEN.encode()})

    assert (option in said, HIDDEN in said) == (True, False)


@pytest.mark.parametrize("region", ["us east", "eu_west", "-a", "1", "a/b", "x" * 64])
def test_what_is_no_region_is_refused(made: Made, region: str) -> None:
    assert repr(region) in refusal(made, region=region)


@pytest.mark.parametrize("bucket", ["Bucket", "my_bucket", "ab", "a" * 64, "bucket-"])
def test_a_name_that_amazon_has_not_is_for_other_servers(
    made: Made, monkeypatch: pytest.MonkeyPatch, bucket: str
) -> None:
    path = f"s3://{bucket}/x"
    with pytest.raises(BadConfiguration, match="endpoint_url"):
        S3ArtifactStore(path=path)
    assert made(path=path).path == path
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:9000")

    assert S3ArtifactStore(path=path).path == path


@pytest.mark.parametrize(("written", "why"), [
    ("nowhere.pem", "No such file"), ("empty.pem", "no certificate"), (".", "directory"),
])  # fmt: skip
def test_a_file_of_authorities_that_cannot_be_used_is_said_at_once(
    made: Made, monkeypatch: pytest.MonkeyPatch, written: str, why: str
) -> None:
    Path("empty.pem").write_text("nothing")
    with pytest.raises(BadConfiguration, match=why) as caught:
        made("here", ca_bundle=written).get("a")
    assert ("ca_bundle" in str(caught.value), written in str(caught.value)) == (True, True)

    monkeypatch.setenv("AWS_CA_BUNDLE", written)
    with pytest.raises(BadConfiguration, match="AWS_CA_BUNDLE"):
        made("here", endpoint_url="https://127.0.0.1:1").get("a")


def test_a_file_of_authorities_is_taken_from_the_project(made: Made, tmp_path: Path) -> None:
    def placed(written: str) -> str:
        return made("here", ca_bundle=written).placed(tmp_path).ca_bundle

    assert placed("ca.pem") == str(tmp_path / "ca.pem")
    assert placed("/etc/ca.pem") == "/etc/ca.pem"
    assert placed("~/ca.pem") == os.path.expanduser("~/ca.pem")
    assert placed("") == ""


def test_what_s3fs_does_not_know_is_named_with_what_it_takes(made: Made) -> None:
    with pytest.raises(BadConfiguration) as caught:
        made("here", extra={"nosuch": 1}).get("a")
    said = str(caught.value)

    assert ("extra" in said, "'nosuch'" in said, "client_kwargs" in said) == (True, True, True)
    assert "AioSession" not in said


@pytest.mark.parametrize(("extra", "named", "cure"), [
    ({"client_kwargs": {"regionname": "a"}}, "extra.client_kwargs", "Did you mean 'region_name'?"),
    ({"client_kwargs": {"nosuch": 1}}, "'nosuch'", "api_version, aws_account_id, endpoint_url,"),
    ({"config_kwargs": {"tcp_keep_alive": True}}, "extra.config_kwargs", "'tcp_keepalive'?"),
    ({"defaultblocksize": 5}, "'defaultblocksize'", "Did you mean 'default_block_size'?"),
])  # fmt: skip
def test_what_nobody_behind_it_knows_is_named_with_what_there_is(
    made: Made, extra: dict[str, Any], named: str, cure: str
) -> None:
    with pytest.raises(BadConfiguration) as caught:
        made("here", extra=extra).get("a")

    assert (named in str(caught.value), cure in str(caught.value)) == (True, True)


@pytest.mark.parametrize("written", ["16MiB", "16 MiB", "16Mi", str(16 << 20), "16777216 B"])
def test_a_size_may_have_a_space_before_its_unit(made: Made, written: str) -> None:
    assert made("here", part_size=written).part_bytes == 16 << 20
    assert made("here", read_cache=written).read_cache_size == 16 << 20


@pytest.mark.parametrize("written", ["1 6MiB", "MiB", "16  MiB", "16MiBB", "16 xB", "", " 16"])
def test_what_is_no_size_is_refused(made: Made, written: str) -> None:
    assert "read_cache" in refusal(made, read_cache=written)
