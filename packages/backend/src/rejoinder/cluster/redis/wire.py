"""One connection to a Redis, without what its client does around each command: that takes more than the command itself."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError, ResponseError

Command = tuple[str | bytes | int, ...]


class Wire:
    """Commands in, replies out, in one order. It is connected when it is needed, and anew after a failure."""

    def __init__(self, client: "Redis") -> None:
        self._pool = client.connection_pool
        self._connection: AbstractConnection | None = None

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """The replies, among them `ResponseError`s.

        Raises:
            RedisError, OSError: the connection is gone; what was done is not known.
        """
        try:
            await self.say(commands)
            return [await self._reply() for _ in commands]
        except BaseException:
            await self.drop()
            raise

    async def say(self, commands: Sequence[Command]) -> None:
        """Send commands; their replies are to be read with `hear`."""
        connection = self._connection
        if connection is None:
            connection = self._connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)

    async def hear(self) -> Any:
        """The next reply, or what Redis says by itself.

        Raises:
            RedisError, OSError: the connection is gone.
        """
        if self._connection is None:
            raise RedisConnectionError("nothing was said")
        return await self._connection.read_response()

    async def _reply(self) -> Any:
        try:
            return await self.hear()
        except ResponseError as error:
            return error

    async def drop(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
            await self._pool.release(connection)
