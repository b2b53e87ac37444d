"""Bare lookups: one signed request after the other for an object that is not there.

It is the least that a client does: one connection, botocore's signature, and nothing else.
"""

from __future__ import annotations

import http.client
import time
import uuid
from urllib.parse import urlsplit


def looked_up(times: int, url: str, bucket: str, key: str, secret: str, region: str) -> float:
    """Seconds that so many lookups take."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    signer = S3SigV4Auth(Credentials(key, secret), "s3", region)
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    begun = time.perf_counter()
    for _ in range(times):
        path = f"/{bucket}/{uuid.uuid4().hex}"
        request = AWSRequest("GET", url + path)
        signer.add_auth(request)
        connection.request("GET", path, headers=dict(request.headers))
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 404, f"the server answers {answer.status}"
    connection.close()
    return time.perf_counter() - begun
