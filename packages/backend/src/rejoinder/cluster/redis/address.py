"""What an address of a Redis means, which is redis-py's to say, and how to get in there."""

import asyncio
from typing import Any, Final

from redis.asyncio.connection import ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import RedisError

from rejoinder.cluster.redis.resp import Command, encode, refuse_errors
from rejoinder.cluster.redis.wire import Connection, Hear

CONNECT_SECONDS: Final = 1.0


class Address:
    """Where a Redis is, and what is said to it first."""

    def __init__(self, url: str) -> None:
        """`url` is a redis://, rediss:// or unix:// address, with whatever of redis-py's options is about connecting.

        Raises:
            ValueError: it is none.
        """
        try:
            pool: Any = ConnectionPool.from_url(url, socket_connect_timeout=CONNECT_SECONDS)
            # It is asked what it was told, and never connected.
            self._told: Any = pool.make_connection()
        except (TypeError, RedisError) as error:
            raise ValueError(str(error)) from error
        self.database = int(self._told.db or 0)
        login: list[Command] = []
        if self._told.username or self._told.password:
            names = (self._told.username,) if self._told.username else ()
            login.append(("AUTH", *names, self._told.password or ""))
        if self._told.client_name:
            login.append(("CLIENT", "SETNAME", self._told.client_name))
        if self.database:
            login.append(("SELECT", self.database))
        self._login = tuple(login)

    async def connect(self, hear: Hear | None = None) -> Connection:
        """A connection that is let in; `hear` is given what comes without having been asked for.

        Raises:
            ErrorReply, OSError: there is none.
        """
        connection = Connection(hear)
        try:
            async with asyncio.timeout(self._told.socket_connect_timeout):
                await self._open(connection)
            if self._login:
                refuse_errors(await connection.ask(encode(self._login), len(self._login)))
        except BaseException:
            connection.end()
            raise
        return connection

    async def _open(self, connection: Connection) -> None:
        loop, told = asyncio.get_running_loop(), self._told
        if isinstance(told, UnixDomainSocketConnection):
            await loop.create_unix_connection(lambda: connection, told.path)
        else:
            tls = told.ssl_context.get() if isinstance(told, SSLConnection) else None
            await loop.create_connection(lambda: connection, told.host, told.port, ssl=tls)
