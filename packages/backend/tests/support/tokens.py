"""Tokens as a sign-in service would sign them, and ids that no other test has."""

import time
from typing import Any
from uuid import uuid4

import jwt
from tests.support.process import SECRET


def unique(kind: str) -> str:
    """An id of its own."""
    return f"{kind}_{uuid4().hex[:16]}"


def token(user_id: str, *, expires_in: float = 3600, secret: str = SECRET, **claims: Any) -> str:
    """A token of that user."""
    now = time.time()
    return jwt.encode(
        {"sub": user_id, "iat": int(now), "exp": now + expires_in, **claims},
        secret,
        algorithm="HS256",
    )
