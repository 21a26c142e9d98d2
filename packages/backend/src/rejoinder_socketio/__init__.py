"""A Socket.IO v5 and Engine.IO v4 server for asyncio: every queue bounded, every message encoded once.

It knows nothing of the chat beside it.
"""

from rejoinder_socketio.connection import Connection, Event
from rejoinder_socketio.engine.session import CloseReason
from rejoinder_socketio.errors import ProtocolError, Refused
from rejoinder_socketio.handler import Doing, Handler
from rejoinder_socketio.options import Options
from rejoinder_socketio.packets import Malformed
from rejoinder_socketio.server import Server

__all__ = [
    "CloseReason",
    "Connection",
    "Doing",
    "Event",
    "Handler",
    "Malformed",
    "Options",
    "ProtocolError",
    "Refused",
    "Server",
]
