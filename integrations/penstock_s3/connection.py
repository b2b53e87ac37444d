"""Connections: requests about one place, each repeated until it is done or hopeless."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from penstock.errors import KeyTaken, NoSuchKey, StoreUnavailable
from penstock_s3.abilities import Abilities, probed
from penstock_s3.asked import (
    ACTIONS,
    ANSWERS,
    LATER,
    SENDS,
    VERBS,
    Changed,
    Refused,
    Unanswered,
)
from penstock_s3.attempts import Attempts, GivenUp
from penstock_s3.causes import NOT_S3, REACH, Incomplete, Nothing, explained
from penstock_s3.dialled import Dialled
from penstock_s3.direct import METHODS, Body, Direct
from penstock_s3.line import SENT, Line, Sent
from penstock_s3.place import Place
from penstock_s3.refusals import STRANGE

if TYPE_CHECKING:
    from penstock_s3.store import S3ArtifactStore

T = TypeVar("T")

_GONE: Final = ("NoSuchKey", "NoSuchUpload", "404", "NotFound")
_REFUSED: Final = ("PreconditionFailed", "412")

_log: Final = logging.getLogger("penstock.s3")

_BARE: Final = ("400", "401", "403")
"""What a server says to a HEAD that it refuses."""

_connections: Final[dict[tuple[str, str, str, str, Dialled], Connection]] = {}


class Connection:
    """A place in a bucket, and the line to its server."""

    def __init__(self, place: Place, line: Line, store: S3ArtifactStore) -> None:
        self.place = place
        self.line = line
        self.name = store.name
        self.bucket = place.bucket
        self.prefix = place.prefix
        self.concurrency = store.concurrency
        self.part_size = store.part_bytes
        self.deadline = store.deadline
        self.kms_key = store.kms_key
        self.abilities: Abilities | None = None
        """None until they were found out, or told."""
        self._direct: Direct | None = None
        """None until a request has shown how the place is addressed."""
        self.etags_are_md5 = True
        """Until the server shows that its are something else."""
        self.etags_proven = False
        """Whether one that did not fit has been looked into."""
        # With it a server hashes each part once more. It is for those whose ETags do not tell, and
        # for those that insist on it; `rclone serve s3` ends the whole upload at one that is wrong.
        self.needs_content_md5 = bool(store.kms_key)

    @classmethod
    def of(cls, store: S3ArtifactStore) -> Connection:
        """The one that all stores with these options have in this process."""
        dialled = store.dialled()
        key = (store.name, store.path, store.part_size, store.kms_key, dialled)
        found = _connections.get(key)
        if found is None:
            made = cls(Place.of(store.path, store.name), Line.of(dialled), store)
            found = _connections.setdefault(key, made)
        return found

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives, to any thread. Whatever interrupts the thread cancels it."""
        return self.line.background.run(coroutine)

    async def request(
        self,
        operation: str,
        *,
        key: str | None = None,
        attempt_timeout: float | None = None,
        **parameters: Any,
    ) -> Mapping[str, Any]:
        """The answer of the client's operation, asked for until there is one.

        `Bucket` is added, and `Key` of the whole. Raises `NoSuchKey`, `KeyTaken` (a refused
        `IfNoneMatch`), `Changed` (a refused `IfMatch`), `StoreUnavailable`.
        """

        async def attempt() -> Mapping[str, Any]:
            return await self.once(operation, key=key, **parameters)

        return await self.repeated(operation, attempt, key=key, attempt_timeout=attempt_timeout)

    async def repeated(
        self,
        operation: str,
        attempt: Callable[[], Awaitable[T]],
        *,
        key: str | None = None,
        attempt_timeout: float | None = None,
        attempts: Attempts | None = None,
    ) -> T:
        """What an attempt gives that goes through; all of them have one slot of the line."""
        await self.line.client()  # that takes a second or two, once, and is no part of an attempt
        attempts = attempts or self.attempts(operation, attempt_timeout)
        try:
            async with self.line.slots:  # time that is spent waiting for a slot does not count
                return await attempts.until_done(attempt)
        except GivenUp as given_up:
            # The client's error comes as a chain of five, and what it says is said in ours.
            _log.debug("%s was given up", operation, exc_info=given_up)
            raise self.unavailable(given_up, operation, key) from None

    def attempts(self, operation: str, attempt_timeout: float | None = None) -> Attempts:
        """For `repeated`, where the attempts of something large say how far they are."""
        line = self.line
        silence = line.sending if operation in SENDS else line.silence
        return Attempts(self.deadline, attempt_timeout, known=line.answered, silence=silence)

    async def once(
        self, operation: str, *, key: str | None = None, **parameters: Any
    ) -> Mapping[str, Any]:
        """One attempt, for `repeated`. Its errors are the client's, but for those of the port."""
        if key is not None:
            parameters["Key"] = self.prefix + key
        try:
            answer = await self._sent(operation, parameters)
        except Exception as error:
            if isinstance(response := getattr(error, "response", None), dict):
                if response.get("Error", {}).get("Code") not in STRANGE:
                    self.line.answered = True
                self._of_the_port(response, key, parameters)
                if operation == "head_object" and response["Error"]["Code"] in _BARE:
                    await self._reason(key)
            raise
        if (needed := ANSWERS.get(operation)) is not None and answer.get(needed) in (None, ""):
            # Of one that was S3 before it is an accident, and passes.
            kind = Incomplete if self.line.answered else Nothing
            raise kind("the server answered with nothing")
        self.line.answered = True
        return answer

    async def _sent(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._direct is not None and self._direct.takes(operation, parameters):
            return await self._direct.send(operation, parameters)
        client = await self.line.client()
        sent: list[Sent] = []
        SENT.set(sent)
        answer: dict[str, Any] = await getattr(client, operation)(Bucket=self.bucket, **parameters)
        if operation in METHODS and self._direct is None:
            self._direct = await self.line.direct(sent, parameters["Key"])
        if operation == "get_object":
            answer["Body"] = Body.of(answer["Body"])
        return answer

    async def _reason(self, key: str | None) -> None:
        """Have it said why: the answer to a HEAD has no body, and no reason in it."""
        answer = await self.once("get_object", key=key, Range="bytes=0-0")
        async with answer["Body"]:
            return

    async def known_abilities(self) -> Abilities:
        """What the server can do, tried out unless somebody has done so before."""
        if self.abilities is None:
            async with self.line.probing:
                if self.line.abilities is None:
                    self.line.abilities = await probed(self)
            self.abilities = self.line.abilities
            self.etags_are_md5 = self.etags_are_md5 and self.abilities.md5_etags
        return self.abilities

    def sealed(self) -> dict[str, Any]:
        """What asks the server to encrypt what is written."""
        if not self.kms_key:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key}

    def unavailable(self, given_up: GivenUp, operation: str, key: str | None) -> StoreUnavailable:
        """The error for users."""
        action = ACTIONS.get(operation, operation)
        cause = explained(
            given_up.cause, action=action, store=self.name, bucket=self.bucket,
            server=self.line.server, **self.line.dialled.advice(),
            # Who has answered has that address, and is S3.
            reach="" if self.line.answered else REACH,
            foreign="" if self.line.answered else NOT_S3,
        )  # fmt: skip
        tried = f", {given_up.attempts} times" if given_up.attempts > 1 else ""
        text = (
            f"The artifact store {self.name!r} cannot {VERBS.get(operation, 'use')} "
            f"{self.url(key)}: {cause.reason}{tried}."
        )
        if not cause.passing:
            return Refused(text, code=cause.code, hint=cause.hint or None)
        error = Unanswered(text, code=cause.code, hint=cause.hint or None)
        if not cause.most:  # what is no accident any more does not pass with time
            error.later = LATER.format(deadline=self.deadline)
        return error

    def url(self, key: str | None = None) -> str:
        """How people write the whole key."""
        return f"s3://{self.bucket}/{self.prefix}{key or ''}"

    def missing(self, key: str) -> NoSuchKey:
        return NoSuchKey(f"There is no object {key!r} in {self.place.url}.")

    def taken(self, key: str) -> KeyTaken:
        return KeyTaken(f"There is an object under {key!r} in {self.place.url} already.")

    def _of_the_port(
        self, response: Mapping[str, Any], key: str | None, parameters: Mapping[str, Any]
    ) -> None:
        """Raise what the port has an error of its own for."""
        code = response.get("Error", {}).get("Code")
        if key is not None and code in _GONE:
            raise self.missing(key)
        if key is not None and code in _REFUSED:
            if "IfNoneMatch" in parameters:
                raise self.taken(key)
            raise Changed(f"{self.url(key)} was changed meanwhile.")


def _forget() -> None:
    """A forked child makes its own."""
    _connections.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
