"""Tokens by the keys at an address (JWKS), over a server on this machine."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from rejoinder.errors import Unauthorized, Unavailable
from rejoinder.service.auth import Handshake, TokenRules, Tokens
from rejoinder.testing import FakeClock


class KeyServer:
    """Serves the public halves of keys, and counts how often it was asked."""

    def __init__(self) -> None:
        self.keys: dict[str, RSAPrivateKey] = {}
        self.broken = False
        self.asked = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.asked += 1
                self.send_response(503 if owner.broken else 200)
                self.end_headers()
                self.wfile.write(owner.document())

            def log_message(self, *_args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks.json"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def document(self) -> bytes:
        keys = []
        for name, key in self.keys.items():
            public: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
            keys.append({**public, "kid": name, "use": "sig", "alg": "RS256"})
        return json.dumps({"keys": keys}).encode()

    def sign(self, name: str, user_id: str = "ann") -> str:
        if name not in self.keys:
            self.keys[name] = generate_private_key(public_exponent=65537, key_size=2048)
        key = self.keys[name]
        return jwt.encode({"sub": user_id}, key, algorithm="RS256", headers={"kid": name})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    started = KeyServer()
    yield started
    started.close()


async def who(tokens: Tokens, token: str) -> str:
    return (await tokens.authenticate(Handshake({"token": token}))).id


async def test_a_token_by_a_key_of_the_server(server: KeyServer) -> None:
    tokens = Tokens(TokenRules(jwks_url=server.url), FakeClock())
    token = server.sign("first")
    assert [await who(tokens, token) for _ in range(5)] == ["ann"] * 5
    assert server.asked == 1, "the keys are kept"


async def test_keys_may_be_rotated(server: KeyServer) -> None:
    tokens = Tokens(TokenRules(jwks_url=server.url), FakeClock())
    await who(tokens, server.sign("first"))
    token = server.sign("second", "ben")
    for _ in range(5):
        with pytest.raises(Unauthorized):
            await who(tokens, token)
    assert server.asked == 1, "names that nobody knows don't make it ask again and again"
    assert tokens._jwks is not None
    tokens._jwks.cooldown_duration = 0
    assert await who(tokens, token) == "ben"


async def test_an_unknown_key_is_refused(server: KeyServer) -> None:
    tokens = Tokens(TokenRules(jwks_url=server.url), FakeClock())
    token = server.sign("secret")
    server.keys = {}
    server.sign("known")
    with pytest.raises(Unauthorized):
        await who(tokens, token)


async def test_a_token_signed_by_another_key_of_that_name_is_refused(server: KeyServer) -> None:
    tokens = Tokens(TokenRules(jwks_url=server.url), FakeClock())
    token = server.sign("first")
    server.keys = {}
    server.sign("first")
    with pytest.raises(Unauthorized):
        await who(tokens, token)


async def test_the_keys_check_no_other_algorithm(server: KeyServer) -> None:
    tokens = Tokens(TokenRules(jwks_url=server.url), FakeClock())
    server.sign("first")
    secret = "a secret of thirty-two bytes or more"
    token = jwt.encode({"sub": "ann"}, secret, algorithm="HS256", headers={"kid": "first"})
    with pytest.raises(Unauthorized):
        await who(tokens, token)
    assert server.asked == 0


async def test_a_key_server_that_is_away_is_no_refusal(server: KeyServer) -> None:
    tokens = Tokens(TokenRules(jwks_url=server.url), FakeClock())
    token = server.sign("first")
    server.broken = True
    with pytest.raises(Unavailable):
        await who(tokens, token)
    server.broken = False
    assert await who(tokens, token) == "ann"
