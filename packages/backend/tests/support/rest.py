"""Requests to the HTTP interface."""

import io
import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from tests.support import schema
from tests.support.process import OPERATOR, ServerProcess


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> object:
        """The error code, with the shape of an error checked."""
        assert schema.problems({"$ref": "#/$defs/Failure"}, self.body) == [], self.body
        return self.body["code"]


async def request(
    server: ServerProcess,
    method: str,
    path: str,
    *,
    bearer: str = "",
    body: object = None,
    raw: bytes | None = None,
) -> Answer:
    """One request; its answer must be JSON."""
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    content = raw if raw is not None else None if body is None else json.dumps(body).encode()
    data = None if content is None else io.BytesIO(content)
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, server.url + path, headers=headers, data=data) as response,
    ):
        text = await response.text()
        assert response.content_type == "application/json", (response.status, text[:200])
        return Answer(response.status, json.loads(text), dict(response.headers))


async def connections(server: ServerProcess, user_id: str) -> list[dict[str, str]]:
    """The user's connections, as an operator sees them."""
    listed = await request(server, "GET", "/api/connections", bearer=OPERATOR)
    return [each for each in listed.body if each["id"] == user_id]
