"""Signed tokens: which are taken, and whose they are."""

import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from rejoinder.errors import ConfigurationError, Unauthorized
from rejoinder.service.auth import Handshake, TokenRules, Tokens, clean_name
from rejoinder.testing import FakeClock

SECRET = "a secret of thirty-two bytes or more"
SHARED = TokenRules(secret=SECRET)
YEAR_3000 = 32_503_680_000


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def pem(key: RSAPrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def signed(secret: str = SECRET, **claims: Any) -> str:
    return jwt.encode({"sub": "ann", **claims}, secret, algorithm="HS256")


def forged(header: dict[str, str], signature: str = "") -> str:
    """A token by hand: no library would make such a one."""
    parts = [json.dumps(part).encode() for part in (header, {"sub": "ann"})]
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, signature])


async def refused(rules: TokenRules, token: object) -> str:
    with pytest.raises(Unauthorized) as raised:
        await Tokens(rules, FakeClock()).authenticate(Handshake({"token": token}))
    return str(raised.value)


async def taken(rules: TokenRules, token: str) -> tuple[str, str, int | None]:
    user = await Tokens(rules, FakeClock()).authenticate(Handshake({"token": token}))
    return user.id, user.name, user.expires_at_ms


async def test_a_token_by_the_shared_secret() -> None:
    token = signed(name="Ann", exp=YEAR_3000)
    assert await taken(SHARED, token) == ("ann", "Ann", YEAR_3000 * 1000)
    assert await taken(SHARED, signed()) == ("ann", "", None)


async def test_a_token_by_the_public_key(key: RSAPrivateKey, pem: str) -> None:
    token = jwt.encode({"sub": "ben"}, key, algorithm="RS256")
    assert await taken(TokenRules(public_key=pem), token) == ("ben", "", None)
    other = generate_private_key(public_exponent=65537, key_size=2048)
    await refused(TokenRules(public_key=pem), jwt.encode({"sub": "x"}, other, algorithm="RS256"))
    await refused(SHARED, token)


async def test_both_ways_may_be_taken_at_once(key: RSAPrivateKey, pem: str) -> None:
    rules = TokenRules(secret=SECRET, public_key=pem)
    assert (await taken(rules, signed()))[0] == "ann"
    token = jwt.encode({"sub": "ben"}, key, algorithm="RS256")
    assert (await taken(rules, token))[0] == "ben"


@pytest.mark.parametrize("token", [None, "", 5, [], {}, "x", "a.b.c", "..", "가.나.다", "x" * 9999])
async def test_what_is_no_token_is_refused(token: object) -> None:
    assert await refused(SHARED, token) == "Sign in to go on."


async def test_no_token_at_all_is_refused() -> None:
    with pytest.raises(Unauthorized):
        await Tokens(SHARED, FakeClock()).authenticate(Handshake({}))


async def test_another_secret_is_refused() -> None:
    await refused(SHARED, signed("another secret that is long enough, too"))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
async def test_an_unsigned_token_is_refused(algorithm: str, pem: str) -> None:
    for rules in (SHARED, TokenRules(public_key=pem), TokenRules()):
        await refused(rules, forged({"alg": algorithm, "typ": "JWT"}))


async def test_a_token_without_an_algorithm_is_refused() -> None:
    await refused(SHARED, forged({"typ": "JWT"}))


async def test_the_public_key_is_no_shared_secret(pem: str) -> None:
    """The classic confusion: HS256, signed with the public key's text."""
    import hashlib  # noqa: PLC0415 - only this forgery needs them
    import hmac  # noqa: PLC0415

    unsigned = forged({"alg": "HS256", "typ": "JWT"}).rstrip(".")
    digest = hmac.new(pem.encode(), unsigned.encode(), hashlib.sha256).digest()
    token = f"{unsigned}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    await refused(TokenRules(public_key=pem), token)
    await refused(TokenRules(secret=SECRET, public_key=pem), token)


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_other_algorithms_are_refused(algorithm: str) -> None:
    secret = SECRET * 3
    await refused(
        TokenRules(secret=secret), jwt.encode({"sub": "ann"}, secret, algorithm=algorithm)
    )


async def test_without_a_secret_nothing_is_signed_by_it() -> None:
    await refused(TokenRules(), signed())
    await refused(TokenRules(), forged({"alg": "HS256", "typ": "JWT"}))


async def test_an_expired_token_says_so() -> None:
    assert await refused(SHARED, signed(exp=1)) == "Your sign-in has expired. Sign in again."


async def test_a_token_of_the_future_is_refused() -> None:
    await refused(SHARED, signed(nbf=YEAR_3000))


async def test_audience_and_issuer_where_they_are_set() -> None:
    rules = TokenRules(secret=SECRET, audience="chat", issuer="https://id.example")
    assert (await taken(rules, signed(aud="chat", iss="https://id.example")))[0] == "ann"
    assert (await taken(rules, signed(aud=["x", "chat"], iss="https://id.example")))[0] == "ann"
    for claims in (
        {},
        {"aud": "chat"},
        {"iss": "https://id.example"},
        {"aud": "other", "iss": "https://id.example"},
        {"aud": "chat", "iss": "https://id.example.org"},
    ):
        await refused(rules, signed(**claims))
    assert (await taken(SHARED, signed(aud="any", iss="any")))[0] == "ann"


@pytest.mark.parametrize("sub", ["", "a\nb", "x" * 129, "\x1b[2J"])
async def test_a_subject_that_is_no_id_is_refused(sub: str) -> None:
    await refused(SHARED, signed(sub=sub))


async def test_a_token_without_a_subject_is_refused() -> None:
    await refused(SHARED, jwt.encode({"name": "Ann"}, SECRET, algorithm="HS256"))


@pytest.mark.parametrize("url", ["x", "ftp://id.example/keys", "file:///etc/passwd"])
def test_an_address_of_keys_that_is_none_is_a_sentence(url: str) -> None:
    with pytest.raises(ConfigurationError, match="https://"):
        Tokens(TokenRules(jwks_url=url), FakeClock())


@pytest.mark.parametrize("cut", [0, 40, -60])
def test_a_public_key_that_is_none_is_a_sentence(pem: str, cut: int) -> None:
    with pytest.raises(ConfigurationError, match="PEM"):
        Tokens(TokenRules(public_key=pem[:cut] or "x"), FakeClock())


async def test_a_guest_gets_a_token_that_is_taken() -> None:
    rules = TokenRules(secret=SECRET, audience="chat", issuer="me")
    clock = FakeClock(wall_ms=YEAR_3000 * 1000)
    tokens = Tokens(rules, clock, guest_days=0.5)
    token, user = tokens.issue_guest("Ann")
    assert (user.name, user.expires_at_ms) == ("Ann", (YEAR_3000 + 43_200) * 1000)
    assert user.id.startswith("guest_")
    _, other = tokens.issue_guest("Ann")
    assert other.id != user.id
    # The library judges by the machine's clock, and this token is good from the year 3000 on.
    claims = jwt.decode(
        token, SECRET, ["HS256"], audience="chat", issuer="me", options={"verify_iat": False}
    )
    assert claims == {
        "sub": user.id,
        "name": "Ann",
        "iat": YEAR_3000,
        "exp": YEAR_3000 + 43_200,
        "aud": "chat",
        "iss": "me",
    }


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Ann", "Ann"),
        ("  Ann \n\t Lee ", "Ann Lee"),
        ("\x1b[31mred\x00", "[31mred"),
        ("앤 👩‍👩‍👧", "앤 👩 👩 👧"),
        ("\u202eevil", "evil"),
        ("x" * 100, "x" * 64),
        ("\n", ""),
    ],
)
def test_a_name_is_one_printable_line(given: str, name: str) -> None:
    assert clean_name(given) == name


# --- the quick way --------------------------------------------------------------------------------


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens that the library was asked for."""
    asked: list[str] = []
    decode = jwt.decode

    def noted(token: str, *arguments: Any, **named: Any) -> Any:
        asked.append(token)
        return decode(token, *arguments, **named)

    monkeypatch.setattr(jwt, "decode", noted)
    return asked


async def user_of(tokens: Tokens, token: str) -> str:
    return (await tokens.authenticate(Handshake({"token": token}))).id


async def test_the_library_is_asked_once_for_each_head(library: list[str]) -> None:
    tokens = Tokens(SHARED, FakeClock())
    for name in ("ann", "ben", "eve"):
        claims = {"sub": name, "exp": YEAR_3000 + 0.5, "iat": 1.5, "nbf": 1, "aud": "x", "jti": "1"}
        token = jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": "1"})
        assert await user_of(tokens, token) == name
        assert await user_of(tokens, signed(sub=name)) == name
    assert len(library) == 2


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"exp": "1"},
        {"exp": True},
        {"exp": None},
        {"nbf": YEAR_3000},
        {"iat": YEAR_3000},
        {"nbf": "soon"},
        {"sub": 5},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 1000},
        {"jti": 5},
    ],
)
async def test_it_takes_no_token_that_the_library_refuses(claims: dict[str, Any]) -> None:
    body = json.dumps({"sub": "ann", **claims}).encode()
    token = jwt.api_jws.encode(body, SECRET, algorithm="HS256", headers={"typ": "JWT"})
    tokens = Tokens(SHARED, FakeClock())
    assert await user_of(tokens, signed()) == "ann"
    with pytest.raises(Unauthorized):
        await tokens.authenticate(Handshake({"token": token}))


@pytest.mark.parametrize("body", [b"", b"5", b"[]", b"{", b'{"sub":'])
async def test_it_takes_no_body_that_is_none(body: bytes) -> None:
    token = jwt.api_jws.encode(body, SECRET, algorithm="HS256")
    tokens = Tokens(SHARED, FakeClock())
    await user_of(tokens, signed())
    with pytest.raises(Unauthorized):
        await tokens.authenticate(Handshake({"token": token}))


@pytest.mark.parametrize("change", ["{0}!!!!{1}", "{0}....{1}", "{0}===={1}", "{0}{1}="])
async def test_it_takes_no_body_with_something_else_in_it(change: str) -> None:
    tokens = Tokens(SHARED, FakeClock())
    assert await user_of(tokens, signed()) == "ann"
    head, body, _ = signed().split(".")
    content = f"{head}.{change.format(body[:4], body[4:])}"
    mac = hmac.digest(SECRET.encode(), content.encode(), "sha256")
    token = f"{content}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(Unauthorized):
        await tokens.authenticate(Handshake({"token": token}))


async def test_a_changed_token_is_refused_however_often_its_head_was_seen() -> None:
    tokens = Tokens(SHARED, FakeClock())
    token = signed(exp=YEAR_3000)
    assert await user_of(tokens, token) == "ann"
    head, body, signature = token.split(".")
    other = signed("another secret that is long enough, too", exp=YEAR_3000).rpartition(".")[2]
    eve = signed(sub="eve").split(".")[1]
    for changed in (
        f"{head}.{body}.{other}",
        f"{head}.{eve}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature[:-1]}",
        f"{head}.{body}.{signature}x",
        f"{head}..{signature}",
        f"{head}.{body}.가{signature}",
        f"{head}.{body}.{signature}.{signature}",
    ):
        with pytest.raises(Unauthorized):
            await tokens.authenticate(Handshake({"token": changed}))


async def test_audience_and_issuer_hold_on_the_quick_way_too(library: list[str]) -> None:
    tokens = Tokens(TokenRules(secret=SECRET, audience="chat", issuer="us"), FakeClock())
    good = signed(aud="chat", iss="us")
    for _ in range(3):
        assert await user_of(tokens, good) == "ann"
    assert len(library) == 1
    for claims in (
        {"aud": "chat"},
        {"iss": "us"},
        {"aud": "x", "iss": "us"},
        {"aud": "chat", "iss": "x"},
    ):
        with pytest.raises(Unauthorized):
            await tokens.authenticate(Handshake({"token": signed(**claims)}))
    assert await user_of(tokens, signed(aud=["x", "chat"], iss="us")) == "ann"
