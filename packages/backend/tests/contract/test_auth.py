"""Tokens (contract, section 3, point 1): no valid one, no connection."""

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.support.chat import Chat, Connect
from tests.support.process import SECRET, ServerProcess, Start
from tests.support.raw import Raw
from tests.support.rest import connections, request
from tests.support.tokens import token, unique

IN_AN_HOUR = int(time.time()) + 3600


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(algorithm: str, claims: object) -> str:
    """A token of another algorithm, by hand: the library warns of a secret that is short for it."""
    body = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    digest = f"sha{algorithm.removeprefix('HS')}"
    signature = hmac.digest(SECRET.encode(), body.encode(), digest)
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def forged(user_id: str) -> dict[str, str]:
    """Tokens that look like the user's, by what is wrong with them."""
    good = token(user_id)
    head, body, signature = good.split(".")
    claims: dict[str, Any] = {"sub": user_id, "exp": IN_AN_HOUR}
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "other secret": token(user_id, secret="another-secret-that-is-long-enough-too"),
        "empty": "",
        "no token": "hello",
        "dots only": "..",
        "no signature": f"{head}.{body}.",
        "other body": f"{head}.{part({'sub': 'admin', 'exp': IN_AN_HOUR})}.{signature}",
        "cut": good[:-3],
        "none algorithm": f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}.",
        "None algorithm": f"{part({'alg': 'NoNe', 'typ': 'JWT'})}.{part(claims)}.{signature}",
        "HS384 with the right secret": signed("HS384", claims),
        "HS512 with the right secret": signed("HS512", claims),
        "RS256": jwt.encode(claims, rsa_key, algorithm="RS256"),
        "algorithm is a number": f"{part({'alg': 1})}.{part(claims)}.{signature}",
        "algorithm is a list": f"{part({'alg': ['HS256']})}.{part(claims)}.{signature}",
        "header is a list": f"{part([])}.{part(claims)}.{signature}",
        "expired": token(user_id, expires_in=-60),
        "not yet valid": token(user_id, nbf=IN_AN_HOUR),
        "expiry is text": jwt.encode({"sub": user_id, "exp": "soon"}, SECRET, algorithm="HS256"),
        "without sub": jwt.encode({"exp": IN_AN_HOUR}, SECRET, algorithm="HS256"),
        "empty sub": token(""),
        "control characters in sub": token("a\nb"),
        "long sub": token("a" * 129),
        "1 MB": "a" * 1_000_000,
        "lone surrogate": "\ud800.\ud800.\ud800",
        "line break": "a\n.b\r\n.c",
    }


@pytest.mark.parametrize("wrong", list(forged("nobody")))
async def test_a_token_that_is_not_valid_is_unauthorized(server: ServerProcess, wrong: str) -> None:
    user_id = unique("user")
    chat = Chat(server.url, user_id, {"token": forged(user_id)[wrong]})
    try:
        refusal = await chat.refused_connection()
    finally:
        await chat.leave()
    assert refusal["data"] == {"code": "unauthorized"}
    assert refusal["message"]
    assert "\n" not in refusal["message"]
    assert await connections(server, user_id) == []


@pytest.mark.parametrize("transports", [["websocket"], ["polling"]])
@pytest.mark.parametrize(
    "auth",
    [None, {}, {"token": None}, {"token": 7}, {"token": ["x"]}, {"token": {}}, {"Token": "x"}],
    ids=repr,
)
async def test_auth_of_any_shape_without_a_token_is_unauthorized(
    server: ServerProcess, auth: object, transports: list[str]
) -> None:
    chat = Chat(server.url, "nobody", auth, transports=transports)
    try:
        refusal = await chat.refused_connection()
    finally:
        await chat.leave()
    assert refusal["data"] == {"code": "unauthorized"}


@pytest.mark.parametrize(
    "auth",
    ["7", '"text"', "[]", "[1,2]", "true", "null", "{", '{"token":', "NaN", "[" * 100_000],
    ids=lambda text: text[:10],
)
async def test_auth_that_is_no_object_is_unauthorized(server: ServerProcess, auth: str) -> None:
    async with Raw(server, None) as raw:
        await raw.send(f"40{auth}")
        answer = await raw.receive()
        assert answer.startswith("44"), answer
        assert json.loads(answer[2:])["data"] == {"code": "unauthorized"}
        # The same WebSocket may still show a good token.
        await raw.send(f"40{json.dumps({'token': token(unique('user'))})}")
        assert (await raw.receive()).startswith("40{")


@pytest.mark.parametrize(
    "reconnection",
    [None, 7, "x", [], {"roomId": 7}, {"roomId": "a\nb"}, {"room": "x"}, {"roomId": None}],
    ids=repr,
)
async def test_reconnection_data_of_a_wrong_shape_is_invalid(
    server: ServerProcess, reconnection: object
) -> None:
    user_id = unique("user")
    chat = Chat(server.url, user_id, {"token": token(user_id), "reconnection": reconnection})
    try:
        refusal = await chat.refused_connection()
    finally:
        await chat.leave()
    assert refusal["data"] == {"code": "invalid_payload"}
    assert await connections(server, user_id) == []


async def test_auth_may_hold_what_the_server_does_not_know(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    alice = await connect(
        server, auth={"locale": 7, "deviceId": ["x"], "theme": None, "reconnection": {}}
    )
    await alice.join(room)
    await alice.alive(room)


async def test_without_a_connection_no_event_is_handled(server: ServerProcess, room: str) -> None:
    async with Raw(server, None) as raw:
        await raw.send(f'421["room:join",{{"roomId":"{room}"}}]')
        await raw.send('40{"token":"forged"}')
        answers = [await raw.receive()]
        while not answers[-1].startswith("44") and answers[-1] != "closed":
            answers.append(await raw.receive())
        assert not any(answer.startswith("43") for answer in answers)


async def test_a_guest_s_token_lets_one_in(
    server: ServerProcess, connect: Connect, room: str
) -> None:
    guest = (await request(server, "POST", "/api/guest", body={"name": "김 guest"})).body
    chat = await connect(server, guest["userId"], auth={"token": guest["token"]})
    snapshot = await chat.join(room)
    assert [(each["userId"], each["name"]) for each in snapshot["members"]] == [
        (guest["userId"], "김 guest")
    ]


async def test_audience_and_issuer_are_checked_where_they_are_set(
    start: Start, connect: Connect
) -> None:
    server = start("--jwt-audience=chat", "--jwt-issuer=https://id.example")
    user_id = unique("user")
    right: dict[str, Any] = {"aud": "chat", "iss": "https://id.example"}
    for wrong in ({}, {**right, "aud": "shop"}, {**right, "iss": "https://other.example"}):
        chat = Chat(server.url, user_id, {"token": token(user_id, **wrong)})
        assert (await chat.refused_connection())["data"] == {"code": "unauthorized"}
        await chat.leave()
    chat = await connect(server, user_id, auth={"token": token(user_id, **right)})
    await chat.caught_up()
