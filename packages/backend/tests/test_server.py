"""ChatServer in a program of one's own: its start, its end, what it tells of a handshake."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio
import uvicorn

from rejoinder import ChatServer, Handshake, User
from rejoinder.errors import ConfigurationError


@asynccontextmanager
async def served(chat: ChatServer, **options: Any) -> AsyncIterator[str]:
    """The address of that server, on a free port."""
    server = uvicorn.Server(uvicorn.Config(chat, port=0, log_level="critical", **options))
    running = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def test_a_handshake_tells_whence_somebody_comes(tmp_path: Path) -> None:
    chat = ChatServer(data_dir=tmp_path)
    addresses: list[str] = []

    @chat.authenticate
    async def who(handshake: Handshake) -> User:
        addresses.append(handshake.address)
        return User("ann")

    local = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with served(chat) as url, aiohttp.ClientSession(connector=local) as http:
        await (await http.get(f"{url}/api/rooms")).read()
        client = socketio.AsyncClient(http_session=http)
        await client.connect(url)
        await client.disconnect()
    assert addresses == ["127.0.0.2", "127.0.0.2"]


async def test_a_server_that_was_stopped_says_so(tmp_path: Path) -> None:
    chat = ChatServer(data_dir=tmp_path)
    async with chat.lifespan():
        pass
    with pytest.raises(ConfigurationError, match="make a new ChatServer"):
        await chat.start()
    async with ChatServer(data_dir=tmp_path).lifespan():
        pass


async def test_without_a_lifespan_it_starts_with_a_websocket_that_goes_straight_to_it(
    tmp_path: Path,
) -> None:
    chat = ChatServer(data_dir=tmp_path)

    @chat.authenticate
    async def who(_handshake: Handshake) -> User:
        return User("ann")

    straight = served(chat, lifespan="off", ws=chat.websocket_protocol)
    async with straight as url, aiohttp.ClientSession() as http:
        client = socketio.AsyncClient(http_session=http)
        await client.connect(url, transports=["websocket"])
        assert (await client.call("room:join", {"roomId": "room"}))["success"] is True
        await client.disconnect()
    await chat.stop()
