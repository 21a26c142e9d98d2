"""Titles of rooms: made at once of the first message, better by a model where that is wanted, and by people at any time."""

import asyncio
from contextlib import aclosing, suppress
from typing import Literal, Protocol, runtime_checkable

import structlog

from rejoinder.characters.base import Character, PastMessage, Turn
from rejoinder.characters.registry import Characters
from rejoinder.core.titles import cleaned, title_of
from rejoinder.errors import ChatError, InvalidPayload, NotFound
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import given
from rejoinder.service.context import Context
from rejoinder.service.items import Retitled
from rejoinder.service.members import Members
from rejoinder.service.patience import in_time
from rejoinder.service.room_state import RoomState
from rejoinder.stores.records import GONE, TitledBy

TitleMaker = Literal["none", "first", "model"]

LOOK_SECONDS = 2.0
LOOKS = 60
"""How often it is looked whether the first answer is whole, before no model is asked for a title."""
ASKING_MAX = 16
"""Rooms whose first answer is waited for."""
MODEL_SECONDS = 30.0
FIRST_ROWS = 8
SHOWN = 2000
MODEL_TEXT_MAX = 400
PROMPT = (
    "You give conversations titles. Answer with the title only: at most six words, in the language of the conversation, "
    "without quotation marks."
)
QUESTION = "Give this conversation a title."


@runtime_checkable
class Speaks(Protocol):
    """A character whose model can be asked for something else than its words."""

    def speaking_as(self, system_prompt: str, max_tokens: int) -> Character:
        """The same model, told something else; it is to be closed after use."""
        ...


class Titles:
    """Gives rooms their titles, and tells those whom they concern. A chat never waits for it."""

    def __init__(
        self, context: Context, characters: Characters, members: Members, maker: TitleMaker
    ) -> None:
        self._c = context
        self._characters = characters
        self._members = members
        self._maker = maker
        self._asking = 0
        self._log = structlog.get_logger("rejoinder.titles")

    def said(self, state: RoomState, row: ChatMessage) -> None:
        """Something was said in a room that has no title."""
        if self._maker == "none" or state.titling:
            return
        made = title_of(row.content)
        if made:
            state.titling = True
            _ = self._c.sharing.tasks.start(self._first(state, made))

    async def rename(self, room_id: str, title: str) -> str:
        """Give a room the title that a person wants; as it is kept.

        Raises:
            InvalidPayload: there is nothing to be shown in it.
            NotFound: there is no such room.
        """
        shown = cleaned(title)
        if not shown:
            raise InvalidPayload("Enter a title that can be read.")
        if not await in_time(self._c.store.set_title(room_id, shown, "person")):
            raise NotFound(GONE)
        await self._tell(room_id, shown)
        return shown

    async def heard(self, room_id: str, title: str) -> None:
        """Another server has given it a title."""
        self._keep(room_id, title)
        await self._members.tell(
            room_id, catalogue.ROOM_UPDATED, events.RoomUpdated(room_id=room_id, title=title)
        )

    # --- parts -----------------------------------------------------------------------------------

    async def _first(self, state: RoomState, made: str) -> None:
        try:
            if await self._give(state.id, made, "first") and self._maker == "model":
                await self._ask(state.id)
        except ChatError as error:
            # The next message tries again.
            self._log.warning("a room got no title", room_id=state.id, code=error.code)
        finally:
            state.titling = False

    async def _give(self, room_id: str, title: str, by: TitledBy) -> bool:
        if await in_time(self._c.store.set_title(room_id, title, by)):
            await self._tell(room_id, title)
            return True
        room = await in_time(self._c.store.room(room_id))
        if room is not None and room.title is not None:
            self._keep(room_id, room.title)
        return False

    async def _tell(self, room_id: str, title: str) -> None:
        # Members may be anywhere, with their lists of rooms.
        self._c.sharing.say_everywhere(Retitled(room_id, title))
        await self.heard(room_id, title)

    def _keep(self, room_id: str, title: str) -> None:
        state = self._c.rooms.get(room_id)
        if state is not None:
            state.title = title

    async def _ask(self, room_id: str) -> None:
        """Have the room's character's model make a title of the first question and its answer."""
        if self._asking >= ASKING_MAX:
            return
        self._asking += 1
        try:
            rows = await self._first_exchange(room_id)
            character = self._characters.get(given(rows[-1].character_id) or "") if rows else None
            if character is None or not isinstance(character, Speaks):
                return
            async with asyncio.timeout(MODEL_SECONDS):
                title = await self._made_by(character, room_id, rows)
            if title:
                await self._give(room_id, title, "model")
        except Exception as error:  # noqa: BLE001 - characters are other people's code, and the room has a title
            self._log.warning("a model made no title", room_id=room_id, reason=type(error).__name__)
        finally:
            self._asking -= 1

    async def _first_exchange(self, room_id: str) -> list[ChatMessage]:
        """The first question and its whole answer; [] if there is none in time."""
        for _ in range(LOOKS):
            await self._c.clock.sleep(LOOK_SECONDS)
            page = await in_time(self._c.store.page_after(room_id, 0, FIRST_ROWS))
            for answer in page.messages:
                asked = [row for row in page.messages if row.id == given(answer.reply_to)]
                if answer.role == "character" and answer.state == "complete" and asked:
                    return [asked[0], answer]
        return []

    async def _made_by(self, character: Speaks, room_id: str, rows: list[ChatMessage]) -> str:
        history = tuple(PastMessage(row.role, row.sender_id, row.content[:SHOWN]) for row in rows)
        turn = Turn(room_id, f"title of {room_id}", rows[0].sender_id, QUESTION, history)
        teller, said = character.speaking_as(PROMPT, 32), ""
        try:
            async with aclosing(teller.reply(turn)) as deltas:  # type: ignore[type-var] # a generator, or closed below
                async for delta in deltas:
                    said += delta if isinstance(delta, str) else ""
                    if len(said) > MODEL_TEXT_MAX:
                        break
        finally:
            with suppress(Exception):
                await teller.aclose()
        return title_of(said.strip().strip("\"'“”‘’「」*"))
