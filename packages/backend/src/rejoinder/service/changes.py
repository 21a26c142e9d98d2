"""What changes in a room besides its new rows: which branch is chosen, and which texts are gone.

Each change has a revision of its room. One that is told twice, or late, does no harm; where one is missing the store is asked.
"""

from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from rejoinder.characters.registry import Characters
from rejoinder.core.branches import Choice
from rejoinder.protocol import catalogue, events
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import iso, or_unset
from rejoinder.service.delivery import Delivery
from rejoinder.service.items import Erased
from rejoinder.service.prompts import Prompts
from rejoinder.stores.base import Store

if TYPE_CHECKING:
    from rejoinder.service.room_state import RoomState

ERASED_PAGE = 5000


class Changes:
    """Takes them in and shows them to the people here, each once."""

    def __init__(
        self,
        store: Store,
        delivery: Delivery,
        characters: Characters,
        prompts: Prompts | None = None,
    ) -> None:
        self._store = store
        self._characters = characters
        self._delivery = delivery
        self._prompts = prompts

    def chosen(self, state: "RoomState", choice: Choice) -> None:
        """Somebody has chosen, here or on another server."""
        if state.branches.choose(choice, state.sequencer.last):
            self.announce_choice(state, choice)

    def announce_choice(self, state: "RoomState", choice: Choice) -> None:
        """Tell a room of a choice that holds from now on."""
        self._know(state, choice.revision)
        self._delivery.send(
            state.people.connections(),
            catalogue.MESSAGE_CHOSEN,
            events.MessageChosen(
                room_id=state.id,
                message_id=choice.message_id,
                user_id=choice.user_id,
                head=choice.head,
                last_seq=choice.at,
                revision=choice.revision,
                timestamp=iso(choice.timestamp),
            ),
        )

    def erased(self, state: "RoomState", erased: Erased) -> None:
        """Texts are gone."""
        self._know(state, erased.revision)
        # Any of them may hold what is gone.
        self.forget(state.id)
        for message_id in erased.message_ids:
            if not state.branches.erase(message_id, erased.deleted_at, erased.revision):
                continue
            self._delivery.send(
                state.people.connections(),
                catalogue.MESSAGE_DELETED,
                events.MessageDeleted(
                    room_id=state.id,
                    message_id=message_id,
                    user_id=or_unset(erased.user_id or None),
                    revision=erased.revision,
                    timestamp=iso(erased.deleted_at),
                ),
            )

    def forget(self, room_id: str) -> None:
        """Keep nothing of what models were asked in a room, nor of what characters have made of it."""
        self._characters.forget(room_id)
        if self._prompts is not None:
            self._prompts.forget_room(room_id)

    async def look(self, state: "RoomState") -> None:
        """Take in what the store knows and nobody has told.

        Raises:
            Unavailable: it does not answer.
        """
        branches = state.branches
        known = branches.revision
        branching = await self._store.branching(state.id)
        if branching.revision <= known:
            return
        while erased := await self._store.erased_since(state.id, known, ERASED_PAGE):
            for each in erased:
                told = Erased(state.id, [each.message_id], "", each.deleted_at, each.revision)
                self.erased(state, told)
            # Those of one revision may be on two pages.
            if len(erased) < ERASED_PAGE or erased[-1].revision - 1 <= known:
                break
            known = erased[-1].revision - 1
        if branching.choice is not None:
            self.chosen(state, branching.choice)
        if branches.choice_waits is None:
            branches.revision = max(branches.revision, branching.revision)

    def _know(self, state: "RoomState", revision: int) -> None:
        if not state.branches.knows(revision):
            state.distrust()


def without_text(row: ChatMessage, deleted_at: int) -> ChatMessage:
    """The row as it is once its text is gone."""
    return structs.replace(row, content="", metadata=UNSET, deleted_at=iso(deleted_at))
