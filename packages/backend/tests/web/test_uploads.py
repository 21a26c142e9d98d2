"""Files that are taken in: whole, within bounds, and none waits for another."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from starlette.requests import Request

from rejoinder.errors import InvalidPayload, TooLarge, Unavailable
from rejoinder.web import uploads
from rejoinder.web.uploads import Uploads

FOR_EVER = 1e6  # so that the other limit can't be what ends it


class Sender:
    """A request whose body comes when a test says so."""

    def __init__(self) -> None:
        self._parts: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
        self.request = Request({"type": "http", "method": "POST", "headers": []}, self._receive)

    async def _receive(self) -> MutableMapping[str, Any]:
        body, more = await self._parts.get()
        return {"type": "http.request", "body": body, "more_body": more}

    def send(self, body: bytes, *, more: bool = True) -> None:
        self._parts.put_nowait((body, more))

    async def taken_by(self, files: Uploads) -> bytes:
        async with files.file(self.request) as content:
            return content


async def test_a_file_arrives_whole() -> None:
    sender = Sender()
    for part, more in ((b"one ", True), (b"", True), (b"two", False)):
        sender.send(part, more=more)
    assert await sender.taken_by(Uploads()) == b"one two"


async def test_one_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FILE_BYTES", 5)
    sender = Sender()
    sender.send(b"123456")
    with pytest.raises(TooLarge):
        await sender.taken_by(Uploads())


async def test_one_that_comes_no_further_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FILE_SECONDS", FOR_EVER)
    sender = Sender()
    sender.send(b"1")
    with pytest.raises(InvalidPayload, match="too long"):
        await sender.taken_by(Uploads(stalled_seconds=0.01))


async def test_one_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FILE_SECONDS", 0.01)
    sender = Sender()
    sender.send(b"1")
    with pytest.raises(InvalidPayload, match="too long"):
        await sender.taken_by(Uploads(stalled_seconds=FOR_EVER))


async def test_all_together_have_so_much_room_and_leave_it_again() -> None:
    files = Uploads(held_bytes=10)
    slow, other, third, fourth = Sender(), Sender(), Sender(), Sender()
    slow.send(b"1234567")
    first = asyncio.create_task(slow.taken_by(files))
    await asyncio.sleep(0)
    other.send(b"1234")
    with pytest.raises(Unavailable) as refused:
        await other.taken_by(files)
    assert refused.value.retry_after_ms
    third.send(b"123", more=False)
    async with files.file(third.request) as content:
        assert content == b"123"
        slow.send(b"8", more=False)
        with pytest.raises(Unavailable):
            await first
    fourth.send(b"1234567890", more=False)
    assert await fourth.taken_by(files) == b"1234567890"
