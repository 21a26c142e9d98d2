"""The HTTP of one endpoint. The only module that knows httpx2; whatever goes wrong comes out of it as `EndpointError`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx2
import msgspec

from rejoinder.characters.openai.failures import EndpointError, Kind, of_status
from rejoinder.characters.openai.settings import Endpoint
from rejoinder.characters.openai.tokens import NotOfferedError

T = TypeVar("T")

_BODY_BYTES = 64 * 1024
_BODY_SECONDS = 5.0
_CLOSE_SECONDS = 0.5
_OK = 200
_ABSENT = frozenset({400, 401, 403, 404, 405, 410, 415, 422, 501})


class Transport:
    """Requests to one endpoint. Every wait has its time, and ends at once when the transport is closed."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.base_url = endpoint.base_url.rstrip("/")
        self._client: httpx2.AsyncClient | None = None
        self._making = asyncio.Lock()
        self._waits: set[asyncio.Timeout] = set()
        self._closed = False

    async def ready(self) -> httpx2.AsyncClient:
        """The client; made with the first request.

        Raises:
            EndpointError: The transport is closed.
        """
        async with self._making:
            if self._closed:
                raise EndpointError("leaving", "the character was closed")
            if self._client is None:
                # It reads the machine's certificates, which takes a while, and is no fault of the endpoint.
                self._client = await asyncio.to_thread(_client)
            return self._client

    @asynccontextmanager
    async def stream(self, body: object, seconds: float) -> AsyncGenerator[AsyncIterator[bytes]]:
        """The bytes of a chat completion; what its `anext` waits for is timed with `within`.

        Args:
            body: The request.
            seconds: To the head of the answer.

        Raises:
            EndpointError: There is no stream.
        """
        sending = self._send(f"{self.base_url}/chat/completions", body, "text/event-stream")
        response = await self.within(seconds, sending, "late")
        try:
            if response.status_code != _OK:
                raise await self._refusal(response)
            yield response.aiter_raw()
        finally:
            await _close(response)

    async def post(self, address: str, body: object) -> object:
        """The JSON that an address answers with; None where it can't be had now.

        Raises:
            NotOfferedError: There is no such address.
        """
        try:
            sending = self._send(address, body, "application/json")
            response = await self.within(_BODY_SECONDS, sending, "late")
            try:
                if response.status_code == _OK:
                    return msgspec.json.decode(await self._body(response))
                if response.status_code in _ABSENT:
                    raise NotOfferedError
            finally:
                await _close(response)
        except (ValueError, RecursionError):
            raise NotOfferedError from None
        except EndpointError as error:
            if error.kind == "leaving":
                raise
        return None

    async def within(self, seconds: float, awaited: Awaitable[T], late: Kind) -> T:
        """Wait for something, but not longer than that.

        Raises:
            EndpointError: It took longer (of the kind `late`), or failed.
        """
        if self._closed:
            seconds = 0
        try:
            async with asyncio.timeout(seconds) as timer:
                self._waits.add(timer)
                try:
                    return await awaited
                finally:
                    self._waits.discard(timer)
        except (EndpointError, StopAsyncIteration):
            raise
        except Exception as error:  # noqa: BLE001 - whatever the library raises, it ends here
            if self._closed:
                raise EndpointError("leaving", "the character was closed") from None
            if isinstance(error, TimeoutError):
                raise EndpointError(late, f"nothing within {seconds:.1f} s") from None
            # What the error itself says may hold an address.
            raise EndpointError(_kind(error), type(error).__name__) from None

    async def aclose(self) -> None:
        """End every wait and every connection."""
        self._closed = True
        now = asyncio.get_running_loop().time()
        for timer in self._waits:
            timer.reschedule(now)
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _send(self, address: str, body: object, accepted: str) -> httpx2.Response:
        client = await self.ready()
        headers = {
            "Content-Type": "application/json",
            "Accept": accepted,
            # A compressed answer could open to any size, and what is compressed waits for more of it.
            "Accept-Encoding": "identity",
            **({"Authorization": f"Bearer {self._endpoint.key}"} if self._endpoint.key else {}),
            **self._endpoint.headers,
        }
        content = msgspec.json.encode(body)
        request = client.build_request("POST", address, content=content, headers=headers)
        return await client.send(request, stream=True)

    async def _refusal(self, response: httpx2.Response) -> EndpointError:
        try:
            error: Any = msgspec.json.decode(await self._body(response))
            error = error.get("error") if isinstance(error, dict) else None
        except (ValueError, RecursionError, EndpointError):
            error = None
        code = error.get("code") if isinstance(error, dict) else None
        if not isinstance(code, str):
            code = ""
        return of_status(response.status_code, code, response.headers.get("retry-after", ""))

    async def _body(self, response: httpx2.Response) -> bytes:
        async def read() -> bytes:
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > _BODY_BYTES:
                    raise ValueError
            return bytes(body)

        return await self.within(_BODY_SECONDS, read(), "late")


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        # Every wait is timed by `within`, which counts only what an answer consists of.
        timeout=None,
        follow_redirects=False,
        # As many as there are answers, which the chat bounds.
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=32),
    )


async def _close(response: httpx2.Response) -> None:
    """Close a response; of one that was not read to its end the connection is closed, which the endpoint notices."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await response.aclose()
    except Exception:  # noqa: BLE001, S110 - nothing more can be asked of a connection that is left
        pass


def _kind(error: Exception) -> Kind:
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError):
        return "unreachable"
    if isinstance(error, httpx2.TransportError):
        return "cut"
    return "broken"
