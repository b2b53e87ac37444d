"""The line to a server: a session, its credentials and its connections, one for each process."""

from __future__ import annotations

import asyncio
import atexit
import os
import ssl
import threading
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakValueDictionary

from penstock._version import __version__
from penstock.errors import BadConfiguration
from penstock.stack.install import library
from penstock_s3.abilities import Abilities
from penstock_s3.background import Background, ending
from penstock_s3.causes import said
from penstock_s3.dialled import CONNECT, Dialled
from penstock_s3.direct import Direct, addressed
from penstock_s3.silence import Silence

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from botocore.credentials import Credentials
    from s3fs import S3FileSystem

_lines: Final[dict[Dialled, Line]] = {}
_lock = threading.Lock()

_IDLE: Final = 12.0
"""Seconds for which a connection is kept that nobody uses; servers keep them a little longer."""

_NAMES: Final = 60
"""Seconds for which the address of a host is remembered."""


class Line:
    """One session. Its client may be used in its loop only."""

    def __init__(self, dialled: Dialled) -> None:
        self.dialled = dialled
        self.background = Background("penstock-s3", self)
        self.answered = False
        """Whether the server has ever answered: then it is one."""
        self.silence = Silence(dialled.deadline)
        self.sending = Silence(dialled.deadline, self.silence)
        self.abilities: Abilities | None = None
        """What it can do, once it was tried."""
        self.probing = asyncio.Lock()
        self.slots = asyncio.Semaphore(dialled.concurrency)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._client: Any = None
        self._opening = asyncio.Lock()
        self._filesystem: S3FileSystem | None = None
        self._session: ClientSession | None = None
        self._given: dict[str, str] = {}

    @classmethod
    def of(cls, dialled: Dialled) -> Self:
        """The line of this process that was dialled like this."""
        found = _lines.get(dialled)
        if found is None:
            with _lock:
                found = _lines.get(dialled)
                if found is None:
                    found = _lines[dialled] = cls(dialled)
        return found  # type: ignore[return-value] # nobody inherits from it

    @property
    def server(self) -> str:
        """Its URL, once there is a session."""
        return str(self._client.meta.endpoint_url) if self._client is not None else "The server"

    def turns(self, url: str) -> asyncio.Lock:
        """Held by who writes there, where the server keeps nobody out."""
        return self._turns.setdefault(url, asyncio.Lock())

    async def client(self) -> Any:
        """The aiobotocore client."""
        if self._client is None:
            async with self._opening:
                if self._client is None:
                    self._client = await self._opened()
        return self._client

    async def _opened(self) -> Any:
        # Importing it takes a second, and it needs the extra.
        s3fs = library("s3fs", extra="s3", who="The artifact store flavor 's3'")
        from botocore.handlers import add_expect_header  # comes with it

        arguments = self.dialled.arguments()
        self._given = self.dialled.credentials()
        try:
            self._filesystem = s3fs.S3FileSystem(
                **arguments,
                asynchronous=True,
                loop=self.background.loop,
                skip_instance_cache=True,
                use_listings_cache=False,
            )
            client = await self._filesystem.set_session()
        except Exception as error:  # of many kinds, and all about how it is configured
            raise BadConfiguration(
                f"There is no session with S3 to be had: {said(error)}.",
                hint="Look at profile, region, endpoint_url and extra of the artifact store, and "
                "at AWS_PROFILE and the files in ~/.aws.",
            ) from error
        client.meta.events.register("before-send.s3", _note)
        # Some servers that refuse a body never say whether they want it.
        client.meta.events.unregister("before-call.s3", add_expect_header)
        return client

    async def direct(self, sent: Sequence[Sent], key: str) -> Direct | None:
        """How to send further requests like the last of these, which was about this key."""
        if self.dialled.extra != "{}" or not sent:
            return None  # what else was asked for, only the client knows how to do
        found = addressed(sent[-1].url, sent[-1].authorization, key)
        if found is None:
            return None
        base, scope = found
        async with self._opening:
            if self._session is None:
                self._session = await self._new_session(base)
        return Direct(
            self._session, base, scope, credentials=self._signing, proxy=_proxy_for(base)
        )  # fmt: skip

    async def _new_session(self, base: str) -> ClientSession:
        import aiohttp  # comes with s3fs

        context: Any = True
        if base.startswith("https:"):
            context = await asyncio.to_thread(self._trusted)  # reads a large file
        connector = aiohttp.TCPConnector(
            limit=0, ssl=context, keepalive_timeout=_IDLE, ttl_dns_cache=_NAMES
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=["Content-Type"],
            headers={"User-Agent": f"penstock/{__version__}"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT),
        )

    def _trusted(self) -> ssl.SSLContext:
        """Whose certificates count: as botocore has it."""
        from botocore.httpsession import get_cert_path  # loaded by now

        bundle = self.dialled.ca_bundle or self._botocore.get_config_variable("ca_bundle")
        return ssl.create_default_context(cafile=get_cert_path(bundle or True))

    async def _signing(self) -> Credentials:
        """Who signs now: credentials may end, and are renewed then."""
        from botocore import credentials  # loaded by now

        given = self._given
        if "key" in given and "secret" in given:
            return credentials.Credentials(given["key"], given["secret"], given.get("token"))
        return await (await self._botocore.get_credentials()).get_frozen_credentials()

    @property
    def _botocore(self) -> Any:
        """The session that the client was made from."""
        assert self._filesystem is not None, "there was a request"
        return self._filesystem.session

    async def hang_up(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
        if self._client is not None:
            client, self._client = self._client, None
            await client.__aexit__(None, None, None)


class Sent(NamedTuple):
    """A request, as botocore has sent it."""

    url: str
    authorization: str


SENT: Final[ContextVar[list[Sent] | None]] = ContextVar("penstock_s3_sent", default=None)
"""Where the requests of this task are noted."""


def _note(request: Any, **_: object) -> None:
    if (noted := SENT.get()) is not None:
        signed = request.headers.get("Authorization", "")
        noted.append(Sent(request.url, signed.decode() if type(signed) is bytes else signed))


def _proxy_for(url: str) -> str | None:
    """The proxy that the environment wants for this."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


def _close_all() -> None:
    """Before the interpreter goes: later nobody could, and there would be warnings."""
    with _lock:
        lines = list(_lines.values())
        _lines.clear()
    ending.set()
    for line in lines:
        line.background.run(line.hang_up())
        line.background.close()


def _forget() -> None:
    """A forked child has no threads, and must not touch what its parent is using."""
    global _lock  # noqa: PLW0603 # its owner may not be there to release it
    _lock = threading.Lock()
    _lines.clear()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
