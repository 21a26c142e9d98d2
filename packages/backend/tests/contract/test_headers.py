"""What the HTTP answers and handshakes of the server say in their headers."""

import aiohttp
import pytest
from tests.support.process import ServerProcess, Start

from rejoinder.web.page import page_folder

ALLOWED = "https://chat.example"


async def test_the_page_is_sent_with_a_strict_policy(server: ServerProcess) -> None:
    assert (page_folder() / "index.html").is_file()
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/") as answer:
        assert answer.status == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_frames_are_not_compressed(server: ServerProcess) -> None:
    """A compressed frame can open to a thousand times its size before any limit is asked."""
    url = f"{server.url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http, http.ws_connect(url, compress=15) as socket:
        assert socket.compress == 0


@pytest.mark.parametrize(("origin", "named"), [(ALLOWED, ALLOWED), ("https://evil.example", None)])
async def test_pages_of_allowed_origins_may_use_the_rest_interface(
    start: Start, origin: str, named: str | None
) -> None:
    server = start(f"--allowed-origins={ALLOWED}")
    asks = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    async with aiohttp.ClientSession() as http:
        async with http.options(f"{server.url}/api/guest", headers=asks) as answer:
            assert answer.headers.get("access-control-allow-origin") == named
        async with http.get(f"{server.url}/api/info", headers={"origin": origin}) as answer:
            assert answer.headers.get("access-control-allow-origin") == named


async def test_without_allowed_origins_no_other_page_may(server: ServerProcess) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{server.url}/api/info", headers={"origin": ALLOWED}) as answer,
    ):
        assert "access-control-allow-origin" not in answer.headers
