"""Who may come, and what the answers tell their page."""

import json
from collections.abc import Collection
from contextlib import suppress

import pytest
from hypothesis import given, settings, strategies as st
from tests.profiles import deterministic

from rejoinder_socketio import Options
from rejoinder_socketio.engine.requests import (
    Rejection,
    Transport,
    bad_request,
    check_origin,
    cors_headers,
    understood,
    unknown_session,
)

PAGE = "https://chat.example.org"
HOST = {"host": "chat.example.org"}


def code_of(rejection: Rejection) -> int:
    body = json.loads(rejection.body)
    assert set(body) == {"code", "message"}
    code = body["code"]
    assert isinstance(code, int)
    return code


def refusal(transport: Transport, method: str, query: str) -> tuple[int, int]:
    with pytest.raises(Rejection) as caught:
        understood(transport, method, query.encode(), {}, "")
    return caught.value.status, code_of(caught.value)


def allowed(headers: dict[str, str], origins: Collection[str] = ()) -> bool:
    try:
        check_origin(headers, Options(origins=origins))
    except Rejection as rejection:
        refused = (rejection.status, code_of(rejection))
    else:
        return True
    assert refused == (400, 4)
    return False


# --- the query ------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_request_is_understood(transport: Transport) -> None:
    headers = {"user-agent": "a"}
    new = understood(transport, "GET", f"EIO=4&transport={transport}".encode(), headers, "::1")
    assert (new.transport, new.session_id, new.address) == (transport, "", "::1")
    assert new.headers == headers
    known = understood(
        transport, "GET", f"sid=a%20b&t=x&EIO=4&transport={transport}".encode(), {}, ""
    )
    assert known.session_id == "a b"


def test_a_session_takes_a_post() -> None:
    assert understood("polling", "POST", b"EIO=4&transport=polling&sid=a", {}, "").session_id == "a"


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 0),
        ("EIO=4", 0),
        ("EIO=4&transport=", 0),
        ("EIO=4&transport=webtransport", 0),
        ("EIO=4&transport=POLLING", 0),
        ("transport={}", 5),
        ("EIO=3&transport={}", 5),
        ("EIO=&transport={}", 5),
        ("EIO=04&transport={}", 5),
        ("EIO=3&EIO=4&transport={}", 5),
        ("eio=4&transport={}", 5),
    ],
)
def test_what_is_not_of_the_protocol_is_refused(
    transport: Transport, query: str, code: int
) -> None:
    assert refusal(transport, "GET", query.format(transport)) == (400, code)


def test_a_request_comes_over_the_transport_that_it_names() -> None:
    assert refusal("polling", "GET", "EIO=4&transport=websocket") == (400, 3)
    assert refusal("websocket", "GET", "EIO=4&transport=polling") == (400, 3)


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "DELETE"])
def test_only_a_get_begins_a_session(method: str) -> None:
    assert refusal("polling", method, "EIO=4&transport=polling") == (400, 2)
    assert refusal("polling", method, "EIO=4&transport=polling&sid=") == (400, 2)


def test_refusals_have_the_protocol_s_codes() -> None:
    assert (unknown_session().status, code_of(unknown_session())) == (400, 1)
    assert (bad_request().status, code_of(bad_request())) == (400, 3)


@settings(deterministic, max_examples=200)
@given(st.binary(max_size=60) | st.text(alphabet="EIO=4&transport=polling%sid;+", max_size=60))
def test_any_query_is_understood_or_refused(query: bytes | str) -> None:
    raw = query.encode() if isinstance(query, str) else query
    with suppress(Rejection):
        assert understood("polling", "GET", raw, {}, "").transport == "polling"


# --- origins --------------------------------------------------------------------------------------


def test_who_is_no_page_may_come() -> None:
    assert allowed({})
    assert allowed(HOST, [PAGE])


@pytest.mark.parametrize(
    "origin",
    [PAGE, "http://chat.example.org"],
)
def test_a_page_of_the_own_host_may_come(origin: str) -> None:
    assert allowed({**HOST, "origin": origin})


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "chat.example.org",
        "://",
        "https://",
        "https://example.org",
        "https://evil.example",
        "https://chat.example.org.evil.example",
        "https://evil.example/https://chat.example.org",
        "https://chat.example.org@evil.example",
        "https://chat.example.org:8443",
        "https://chat.example.org/",
        "https://CHAT.example.org, https://chat.example.org",
        "file://",
    ],
)
def test_other_pages_may_not_come(origin: str) -> None:
    assert not allowed({**HOST, "origin": origin})
    assert not allowed({**HOST, "origin": origin}, ["https://other.example"])


@pytest.mark.parametrize("origin", ["null", "", "https://", "://"])
def test_a_page_of_no_host_is_not_one_of_a_server_that_is_asked_without_host(origin: str) -> None:
    assert not allowed({"origin": origin})
    assert not allowed({"origin": origin, "host": ""})
    assert not allowed({"origin": origin, "host": "", "x-forwarded-host": ""})


def test_pages_that_are_named_may_come() -> None:
    assert allowed({**HOST, "origin": "https://other.example"}, ["https://other.example"])
    assert allowed({"origin": "null"}, ["null"])
    assert not allowed({**HOST, "origin": "https://other.example"}, ["https://other.example:8443"])
    assert not allowed({**HOST, "origin": "http://other.example"}, ["https://other.example"])


@pytest.mark.parametrize("origin", ["https://any.example", "null", ""])
def test_a_star_lets_every_page_come(origin: str) -> None:
    assert allowed({**HOST, "origin": origin}, ["*"])


def test_the_host_may_be_the_one_that_a_proxy_was_asked_for() -> None:
    inside = {"host": "10.0.0.7:8000", "origin": PAGE}
    assert not allowed(inside)
    assert allowed({**inside, "x-forwarded-host": "chat.example.org"})
    assert allowed({**inside, "x-forwarded-host": "chat.example.org, inner.example"})
    assert not allowed({**inside, "x-forwarded-host": "inner.example, chat.example.org"})
    assert not allowed({**inside, "x-forwarded-host": ""})


def test_origins_are_several() -> None:
    # A str is a collection, too: of its parts, so that every part of it would be let in.
    with pytest.raises(TypeError, match="origins"):
        Options(origins=PAGE)


# --- CORS -----------------------------------------------------------------------------------------


def test_a_page_may_read_the_answers_to_it() -> None:
    assert cors_headers({"origin": PAGE}) == [
        (b"access-control-allow-origin", PAGE.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


def test_who_is_no_page_is_told_nothing_of_it() -> None:
    assert cors_headers(HOST) == []
