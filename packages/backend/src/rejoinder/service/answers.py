"""The events of an answer, made from its row."""

from collections.abc import Iterable

from msgspec import UNSET

from rejoinder.characters.base import Usage
from rejoinder.core.joining import Piece
from rejoinder.core.streams import Chunk
from rejoinder.errors import CharacterFailed
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import given, iso
from rejoinder.service.delivery import Delivery
from rejoinder.service.room_state import RoomState
from rejoinder.stores.records import EndState

FAILED = "The character could not finish its answer. Try again."


def announce_start(delivery: Delivery, state: RoomState, row: ChatMessage) -> None:
    """Tell a room that an answer begins."""
    state.spoke = row.sender_id
    delivery.send(
        state.people.connections(),
        catalogue.STREAM_START,
        events.StreamStart(
            room_id=row.room_id,
            message_id=row.id,
            character_id=given(row.character_id) or row.sender_id,
            reply_to=given(row.reply_to) or "",
            seq=row.seq,
            timestamp=row.timestamp,
            parent_seq=row.parent_seq,
            variant_of=row.variant_of,
        ),
    )


def announce_chunk(delivery: Delivery, state: RoomState, message_id: str, chunk: Chunk) -> None:
    """Show those who have a room in view the next piece of an answer."""
    connections = state.people.viewers()
    if state.joining.lines:
        connections, pieces = state.joining.take(connections, state.id, message_id, chunk)
        show_joined(delivery, pieces)
    _send_chunk(delivery, connections, state.id, message_id, chunk)


def announce_thought(
    delivery: Delivery, state: RoomState, message_id: str, index: int, text: str
) -> None:
    """Show those who have a room in view the next piece of what a character thinks."""
    connections, piece = state.people.viewers(), Chunk(index, 0, text)
    if state.joining.lines:
        connections, pieces = state.joining.take(
            connections, state.id, message_id, piece, thought=True
        )
        show_joined(delivery, pieces)
    _send_thought(delivery, connections, state.id, message_id, piece)


def show_joined(delivery: Delivery, pieces: Iterable[Piece]) -> None:
    """Show connections with a poor line what was joined for each of them."""
    for piece in pieces:
        send = _send_thought if piece.thought else _send_chunk
        send(delivery, (piece.connection_id,), piece.room_id, piece.message_id, piece.chunk)


def _send_chunk(
    delivery: Delivery, connections: Iterable[str], room_id: str, message_id: str, chunk: Chunk
) -> None:
    delivery.send(
        connections,
        catalogue.STREAM_CHUNK,
        events.StreamChunk(
            room_id=room_id,
            message_id=message_id,
            index=chunk.index,
            offset=chunk.offset,
            delta=chunk.delta,
        ),
    )


def _send_thought(
    delivery: Delivery, connections: Iterable[str], room_id: str, message_id: str, piece: Chunk
) -> None:
    delivery.send(
        connections,
        catalogue.STREAM_THOUGHT,
        events.StreamThought(
            room_id=room_id, message_id=message_id, index=piece.index, delta=piece.delta
        ),
    )


def announce_end(
    delivery: Delivery,
    state: RoomState,
    message_id: str,
    content: str,
    end: EndState,
    wall_ms: int,
    *,
    failure: CharacterFailed | None = None,
    usage: Usage | None = None,
) -> None:
    """Tell a room how an answer has ended."""
    if state.joining.lines:
        show_joined(delivery, state.joining.ended(message_id))
    if end == "failed":
        failure = failure or CharacterFailed(FAILED)
        delivery.send(
            state.people.connections(),
            catalogue.STREAM_ERROR,
            events.StreamError(
                room_id=state.id,
                message_id=message_id,
                content=content,
                error=str(failure),
                code=failure.code,
                timestamp=iso(wall_ms),
            ),
        )
        return
    delivery.send(
        state.people.connections(),
        catalogue.STREAM_END,
        events.StreamEnd(
            room_id=state.id,
            message_id=message_id,
            content=content,
            state=end,
            timestamp=iso(wall_ms),
            usage=UNSET
            if usage is None
            else events.TokenUsage(
                prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens
            ),
        ),
    )
