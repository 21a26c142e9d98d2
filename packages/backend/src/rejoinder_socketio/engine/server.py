"""The sessions of an Engine.IO server, and the requests that make and use them."""

import asyncio
import json
import secrets
from functools import partial
from typing import TYPE_CHECKING, Final

from rejoinder_socketio.engine import polling, websocket
from rejoinder_socketio.engine.packets import Outgoing
from rejoinder_socketio.engine.polling import PollingOutlet
from rejoinder_socketio.engine.requests import (
    UNREAD,
    Rejection,
    Request,
    bad_request,
    check_origin,
    understood,
    unknown_session,
)
from rejoinder_socketio.engine.session import CloseReason, Outlet, Phase, Session, SessionHandler
from rejoinder_socketio.engine.unfinished import Unfinished
from rejoinder_socketio.options import Options

if TYPE_CHECKING:
    from rejoinder_socketio.asgi import Receive, Scope, Send

_PREFLIGHT: Final = [
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"content-type, authorization"),
    (b"access-control-max-age", b"600"),
]


class EngineServer:
    """An Engine.IO server, and an ASGI app for its path."""

    def __init__(self, options: Options, handler: SessionHandler) -> None:
        self.options = options
        self._handler = handler
        self._sessions: dict[str, Session] = {}
        self._unclaimed: dict[str, Session] = {}
        self._closing: dict[str, Session] = {}
        self._fetched: asyncio.Future[None] | None = None
        self.unfinished = Unfinished(options.max_unfinished)
        terms = {
            "pingInterval": round(options.ping_interval * 1000),
            "pingTimeout": round(options.ping_timeout * 1000),
            "maxPayload": options.max_payload,
        }
        self._terms = json.dumps(terms, separators=(",", ":")).encode().removeprefix(b"{")

    def __len__(self) -> int:
        return len(self._sessions)

    @staticmethod
    def now() -> float:
        """Monotonic seconds."""
        return asyncio.get_running_loop().time()

    # --- sessions --------------------------------------------------------------------------------

    def find(self, session_id: str) -> Session:
        """That session.

        Raises:
            Rejection: it is not there.
        """
        session = self._sessions.get(session_id)
        if session is None:
            raise unknown_session()
        return session

    def open(self, request: Request, outlet: Outlet) -> Session:
        """A new session; on a WebSocket its first packet is sent."""
        session = Session(
            secrets.token_urlsafe(15),
            request,
            self.options,
            self._handler,
            outlet,
            self.now(),
            self._forget,
        )
        self._sessions[session.id] = session
        self._schedule(session)
        if request.transport == "websocket":
            outlet.write(Outgoing(self._open_packet(session)))
        self._unclaim(session)
        return session

    def claim(self, session: Session) -> None:
        """The session is used: it may stay."""
        session.claim_by = None
        if self._unclaimed.pop(session.id, None) is not None:
            self.unfinished.release(session)

    def unclaim(self, session: Session) -> None:
        """The session is not used any more: it goes, unless it is claimed again in time."""
        if session.id in self._sessions:
            session.claim_by = self.now() + self.options.connect_timeout
            self._schedule(session)
            self._unclaim(session)

    def _unclaim(self, session: Session) -> None:
        self._unclaimed[session.id] = session
        size = sum(map(len, session.request.headers.values()))
        self.unfinished.hold(session, size, partial(session.close, CloseReason.UNFINISHED))
        if len(self._unclaimed) > self.options.max_unconnected:
            next(iter(self._unclaimed.values())).close(CloseReason.CROWDED_OUT)

    def upgrading(self, session: Session, probe: Outlet) -> None:
        """A WebSocket is to take over that session, and has not for ever to do it."""
        if isinstance(session.outlet, PollingOutlet):
            session.outlet.wake()

        def give_up() -> None:
            if session.probe is probe:
                session.drop_probe()

        loop = asyncio.get_running_loop()
        session.probe_timer = loop.call_later(self.options.upgrade_timeout, give_up)

    async def close(self, seconds: float) -> None:
        """End all sessions; wait so long for what was sent to go out."""
        for session in list(self._sessions.values()):
            session.close(CloseReason.SHUTTING_DOWN)
        if self._closing:
            self._fetched = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._fetched,), timeout=seconds)

    def _forget(self, session: Session) -> None:
        self._sessions.pop(session.id, None)
        if self._unclaimed.pop(session.id, None) is not None:
            self.unfinished.release(session)
        if session.timer is not None:
            session.timer.cancel()
            session.timer = None
        outlet = session.outlet
        if isinstance(outlet, PollingOutlet) and outlet.lingers:
            self._closing[session.id] = session
            asyncio.get_running_loop().call_later(self.options.linger, self._fetched_all, session)

    def _fetched_all(self, session: Session) -> None:
        """A closed session has nothing more for its client."""
        self._closing.pop(session.id, None)
        if not self._closing and self._fetched is not None and not self._fetched.done():
            self._fetched.set_result(None)

    def _schedule(self, session: Session) -> None:
        if session.timer is not None:
            session.timer.cancel()
        loop = asyncio.get_running_loop()
        # An answered ping may bring the next one forward, if answers may take longer than that.
        due = min(session.deadline, loop.time() + self.options.ping_interval)
        session.timer = loop.call_at(due, self._tick, session)

    def _tick(self, session: Session) -> None:
        session.tick(self.now())
        if session.phase is not Phase.CLOSED:
            self._schedule(session)

    def _open_packet(self, session: Session) -> bytes:
        upgrades = b'"websocket"' if session.phase is Phase.POLLING else b""
        return b'0{"sid":"%b","upgrades":[%b],%b' % (session.id.encode(), upgrades, self._terms)

    # --- requests --------------------------------------------------------------------------------

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "websocket":
            await websocket.serve(self, scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        address = str((scope.get("client") or ("",))[0])
        # Until its page is known to be allowed, it must not be able to read even a refusal.
        asked = Request("polling", "", {}, address)
        try:
            check_origin(headers, self.options)
            asked = Request("polling", "", headers, address)
            if scope["method"] == "OPTIONS":
                await polling.answer(asked, send, b"", status=204, more=_PREFLIGHT)
                return
            asked = understood("polling", scope["method"], scope["query_string"], headers, address)
            await self._poll(asked, scope["method"], receive, send)
        except Rejection as rejection:
            unread = scope["method"] == "POST" and rejection.status in UNREAD
            await polling.answer(
                asked,
                send,
                rejection.body,
                status=rejection.status,
                kind=b"application/json",
                more=[(b"connection", b"close")] if unread else None,
            )
        except ConnectionResetError:
            return

    async def _poll(self, request: Request, method: str, receive: "Receive", send: "Send") -> None:
        if not request.session_id:
            session = self.open(request, PollingOutlet())
            cookie = self.options.cookie
            more = [] if cookie is None else [_cookie(cookie, session.id)]
            await polling.answer(request, send, self._open_packet(session), more=more)
            return
        session = self._closing.get(request.session_id) or self.find(request.session_id)
        outlet = session.outlet
        if not isinstance(outlet, PollingOutlet):
            raise bad_request()
        if method == "GET":
            body = await polling.poll(session, outlet, receive)
            if session.phase is Phase.CLOSED and not outlet.lingers:
                self._fetched_all(session)
            await polling.answer(request, send, body)
        elif method == "POST":
            await polling.take_post(self, session, outlet, request, receive)
            await polling.answer(request, send, b"ok", kind=b"text/html")
        else:
            raise Rejection(2, "Bad handshake method")


def _cookie(name: str, value: str) -> tuple[bytes, bytes]:
    return (b"set-cookie", f"{name}={value}; Path=/; HttpOnly; SameSite=Lax".encode())
