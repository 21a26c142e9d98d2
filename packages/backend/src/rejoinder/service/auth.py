"""Who somebody is: signed tokens (JWT, RFC 7519), and those that guests are given."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
import msgspec
from jwt.algorithms import RSAAlgorithm

from rejoinder.core.clock import Clock
from rejoinder.core.users import User
from rejoinder.errors import ConfigurationError, Unauthorized, Unavailable
from rejoinder.protocol.fields import Id
from rejoinder.service.hs256 import SharedSecret


@dataclass(frozen=True, slots=True)
class Handshake:
    """What somebody shows to get in: the Socket.IO `auth` (or a bearer token as its `token`), and HTTP headers."""

    auth: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


Authenticate = Callable[[Handshake], Awaitable[User | None]]
Authorize = Callable[[User, str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class TokenRules:
    """Which tokens are taken: by a shared secret, a public key in PEM, or the keys at a JWKS address."""

    secret: str = field(default="", repr=False)
    public_key: str = ""
    jwks_url: str = ""
    audience: str | None = None
    issuer: str | None = None


SIGN_IN = "Sign in to go on."
SIGN_IN_AGAIN = "Your sign-in has expired. Sign in again."
NAME_LIMIT = 64


class Tokens:
    """Checks tokens, and signs those of guests.

    Raises:
        ConfigurationError: the public key, or the address of the keys, is none.
    """

    def __init__(self, rules: TokenRules, clock: Clock, guest_days: float = 30) -> None:
        self._rules = rules
        self._clock = clock
        self._guest_seconds = int(guest_days * 86_400)
        self._jwks = _key_client(rules.jwks_url) if rules.jwks_url else None
        self._quick = (
            SharedSecret(rules.secret, rules.audience, rules.issuer) if rules.secret else None
        )
        if rules.public_key:
            _check_key(rules.public_key)

    async def authenticate(self, handshake: Handshake) -> User:
        """The user of `auth.token`.

        Raises:
            Unauthorized: there is no token, or it is not valid.
        """
        token = handshake.auth.get("token")
        if not isinstance(token, str) or not token:
            raise Unauthorized(SIGN_IN)
        quick = None if self._quick is None else self._quick.claims(token)
        if quick is not None:
            return _user(quick)
        try:
            claims = await self._claims(token)
        except jwt.ExpiredSignatureError as error:
            raise Unauthorized(SIGN_IN_AGAIN) from error
        except jwt.PyJWKClientConnectionError as error:
            raise Unavailable(
                "The sign-in service can't be reached. Try again in a moment."
            ) from error
        except (jwt.PyJWTError, UnicodeError) as error:
            raise Unauthorized(SIGN_IN) from error
        return _user(claims)

    def issue_guest(self, name: str) -> tuple[str, User]:
        """A token for a new guest of that name, signed with the shared secret."""
        now = self._clock.wall_ms() // 1000
        user = User(f"guest_{secrets.token_hex(8)}", name, (now + self._guest_seconds) * 1000)
        claims: dict[str, Any] = {
            "sub": user.id,
            "name": name,
            "iat": now,
            "exp": now + self._guest_seconds,
        }
        if self._rules.audience:
            claims["aud"] = self._rules.audience
        if self._rules.issuer:
            claims["iss"] = self._rules.issuer
        return jwt.encode(claims, self._rules.secret, algorithm="HS256"), user

    async def _claims(self, token: str) -> dict[str, Any]:
        algorithm = jwt.get_unverified_header(token).get("alg")
        options: Any = {"require": ["sub"], "verify_aud": self._rules.audience is not None}
        key: Any
        if algorithm == "HS256" and self._rules.secret:
            key = self._rules.secret
        elif algorithm == "RS256" and self._jwks is not None:
            # The client fetches over the network, and so it must not run on the event loop.
            key = (await asyncio.to_thread(self._jwks.get_signing_key_from_jwt, token)).key
        elif algorithm == "RS256" and self._rules.public_key:
            key = self._rules.public_key
        else:
            raise jwt.InvalidAlgorithmError(str(algorithm))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=self._rules.audience,
            issuer=self._rules.issuer,
            options=options,
        )
        if algorithm == "HS256" and self._quick is not None:
            self._quick.learn(token)
        return claims


def _key_client(url: str) -> jwt.PyJWKClient:
    try:
        return jwt.PyJWKClient(url, timeout=5)
    except jwt.PyJWTError as error:
        raise ConfigurationError(
            f"The address of the keys (JWKS) must begin with https:// or http://, unlike {url!r}."
        ) from error


def _check_key(pem: str) -> None:
    # Otherwise a key with a typing error would refuse everybody, and nothing would say why.
    try:
        RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(pem)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise ConfigurationError(
            "The public key of RS256 tokens is not one in PEM: it begins with `-----BEGIN PUBLIC KEY-----`."
        ) from error


def _user(claims: Mapping[str, Any]) -> User:
    try:
        user_id = msgspec.convert(claims["sub"], Id)
    except msgspec.ValidationError as error:
        raise Unauthorized(SIGN_IN) from error
    name = claims.get("name")
    expires = claims.get("exp")
    return User(
        id=user_id,
        name=clean_name(name) if isinstance(name, str) else "",
        expires_at_ms=int(expires * 1000) if isinstance(expires, int | float) else None,
    )


def clean_name(name: str) -> str:
    """A name without control characters and runs of white space, at most 64 characters."""
    printable = "".join(c if c.isprintable() else " " for c in name)
    return " ".join(printable.split())[:NAME_LIMIT]
