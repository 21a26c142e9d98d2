"""What the HTTP of an endpoint promises to the rest."""

import asyncio

import pytest
from tests.characters.openai.faulty import Exchange, faulty, for_ever

from rejoinder.characters.openai import Endpoint
from rejoinder.characters.openai.failures import EndpointError
from rejoinder.characters.openai.transport import Transport


async def test_nothing_that_an_error_says_comes_out() -> None:
    async def fails() -> None:
        raise RuntimeError("leaked: http://127.0.0.1/inside")

    transport = Transport(Endpoint(base_url="http://a/v1"))
    with pytest.raises(EndpointError) as failed:
        await transport.within(1, fails(), "late")
    assert (failed.value.kind, failed.value.detail) == ("broken", "RuntimeError")
    await transport.aclose()


async def test_a_refusal_that_has_no_end_is_left() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.raw(b"HTTP/1.1 500 No\r\nContent-Length: 10000000\r\n\r\n" + bytes(100_000))
        await for_ever(exchange)

    async with faulty(script) as server:
        transport = Transport(Endpoint(base_url=server.url))
        with pytest.raises(EndpointError) as failed:
            async with transport.stream({}, 5):
                pass
        assert failed.value.kind == "broken"
        async with asyncio.timeout(5):
            await server.asked[0].closed.wait()
        await transport.aclose()
