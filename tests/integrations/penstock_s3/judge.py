"""What really lies on a server, found out without the store that is tested."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from html import unescape
from typing import Final
from urllib.parse import quote, urlencode

from servers import KEY, REGION

SOMEBODY: Final = (
    f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/{REGION}/s3/aws4_request, "
    "SignedHeaders=host, Signature=none"
)
"""Neither of the servers looks at signatures, but moto hides objects from nobody in particular."""


class Judge:
    """Asks the server itself."""

    def __init__(self, url: str, bucket: str, prefix: str = "") -> None:
        self._url = f"{url}/{bucket}"
        self._prefix = f"{prefix}/" if prefix else ""

    def data(self, key: str) -> bytes | None:
        """An object; None if there is none."""
        try:
            return self._asked(f"/{quote(self._prefix + key)}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None

    def keys(self, beginning: str = "") -> list[str]:
        """All that begin with it, at whatever depth; not more than a thousand."""
        query = urlencode({"list-type": 2, "prefix": self._prefix + beginning})
        found = re.findall("<Key>(.*?)</Key>", self._text(f"?{query}"))
        return [unescape(key).removeprefix(self._prefix) for key in found]

    def uploads(self) -> list[str]:
        """The keys of multipart uploads that are not complete."""
        try:
            found = re.findall("<Key>(.*?)</Key>", self._text("?uploads"))
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return []  # so rclone says that there is none
        return [unescape(key) for key in found]

    def _text(self, rest: str) -> str:
        return self._asked(rest).decode()

    def _asked(self, rest: str) -> bytes:
        request = urllib.request.Request(self._url + rest, headers={"Authorization": SOMEBODY})
        with urllib.request.urlopen(request, timeout=60) as answer:
            data: bytes = answer.read()
            return data
