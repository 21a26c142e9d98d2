"""The cards of a running server: what is put there is offered at once, and what is taken away is not any more."""

import asyncio
import hashlib
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

import structlog

from rejoinder.characters.base import Character, CharacterInfo
from rejoinder.characters.cards.files import CardFile
from rejoinder.characters.cards.library import RESERVED, Library
from rejoinder.characters.cards.model import Card
from rejoinder.characters.cards.pictures import Picture, picture_of
from rejoinder.characters.registry import Characters
from rejoinder.errors import ConfigurationError, InvalidPayload, NotFound, Unavailable

Make = Callable[[str, Card], Character]
KEPT_BYTES = 32 << 20
NOBODY = (
    "This server has nobody who could speak for a card: start it with the local model, or name an endpoint under [cards] "
    "in the file of its characters."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A card's picture, and a word that changes with it."""

    picture: Picture
    version: str


class Shelf:
    """Offers the cards of a library as characters. One thing at a time is done to its folder."""

    def __init__(self, characters: Characters) -> None:
        self._library: Library | None = None
        self._characters = characters
        self._make: Make | None = None
        self._ids: set[str] = set()
        self._shown: dict[str, Shown] = {}
        self._versions: dict[str, str] = {}
        """Of all that were looked at; "" for one without a picture."""
        self._lock = asyncio.Lock()
        self._log = structlog.get_logger("rejoinder.characters")

    def use(self, library: Library, make: Make | None, described: Collection[str]) -> None:
        """Keep the cards there. Those whose characters are offered are here, but for `described`, which are no cards of it.

        Args:
            library: Where the cards are.
            make: Makes the character of a card; None if nobody can speak for one.
            described: Ids of other characters.
        """
        self._library = library
        self._make = make
        for character_id in library.paths():
            offered = self._characters.get(character_id) is not None
            if offered and character_id not in described and character_id not in RESERVED:
                self._ids.add(character_id)

    @property
    def takes(self) -> bool:
        """True if a card can be put here."""
        return self._make is not None

    def has(self, character_id: str) -> bool:
        """True if that character is a card here."""
        return character_id in self._ids

    async def add(self, content: bytes) -> tuple[CharacterInfo, bool]:
        """Keep a card and offer its character, and say whether it is new.

        Raises:
            InvalidPayload: it is no card that can be used.
            Unavailable: it can't be kept, or nobody can speak for it.
        """
        library, make = self._library, self._make
        if library is None or make is None:
            raise Unavailable(NOBODY)
        async with self._lock:
            taken = {info.id for info in self._characters.list()} - self._ids
            try:
                character_id, new = await asyncio.to_thread(library.add, content, taken)
                file = (await asyncio.to_thread(library.get, character_id)).file
                if character_id not in self._ids:
                    self._characters.add(make(character_id, file.card))
                    self._ids.add(character_id)
            except ConfigurationError as error:
                # Where it is kept is nobody's business.
                self._log.warning("a card can't be kept", reason=str(error))
                raise Unavailable(
                    "The server can't keep this card. Tell whoever runs it."
                ) from None
            character = self._characters.get(character_id)
        if character is None:
            raise Unavailable("The server can't keep this card. Tell whoever runs it.")
        return character.info, new

    async def remove(self, character_id: str) -> None:
        """Take a card away for good; answers that are being written go on.

        Raises:
            NotFound: there is none.
            Unavailable: its file can't be deleted.
        """
        async with self._lock:
            library = self._holding(character_id)
            try:
                await asyncio.to_thread(library.remove, character_id)
            except ConfigurationError as error:
                self._log.warning("a card can't be removed", reason=str(error))
                raise Unavailable(
                    "The server can't delete this card. Tell whoever runs it."
                ) from None
            self._ids.discard(character_id)
            self._shown.pop(character_id, None)
            self._versions.pop(character_id, None)
            self._characters.remove(character_id)

    async def file(self, character_id: str) -> CardFile:
        """A card with what came along with it.

        Raises:
            NotFound: there is none.
        """
        library = self._holding(character_id)
        try:
            return (await asyncio.to_thread(library.get, character_id)).file
        except (ConfigurationError, InvalidPayload) as error:
            self._log.warning("a card can't be read", reason=str(error))
            raise NotFound(
                "This card can't be read any more. Tell whoever runs the server."
            ) from None

    async def picture(self, character_id: str) -> Shown | None:
        """Its picture, if it has one that can be shown."""
        if character_id not in self._ids or self._versions.get(character_id) == "":
            return None
        shown = self._shown.get(character_id)
        return await self._look(character_id) if shown is None else shown

    async def versions(self) -> dict[str, str]:
        """The versions of all pictures that can be shown, by the ids of their characters."""
        for character_id in tuple(self._ids):
            if character_id not in self._versions:
                with suppress(NotFound):
                    await self.picture(character_id)
        return {id_: version for id_, version in self._versions.items() if version}

    # --- parts -----------------------------------------------------------------------------------

    def _holding(self, character_id: str) -> Library:
        if self._library is None or character_id not in self._ids:
            raise NotFound("There is no such card.")
        return self._library

    async def _look(self, character_id: str) -> Shown | None:
        # Meanwhile it may not be removed: another card might get its id, and would be shown with this picture.
        async with self._lock:
            shown = self._shown.get(character_id)
            if shown is None:
                shown = await asyncio.to_thread(_shown, await self.file(character_id))
                self._versions[character_id] = "" if shown is None else shown.version
            if shown is not None:
                self._shown[character_id] = shown
                self._forget()
            return shown

    def _forget(self) -> None:
        """Let go of the pictures that are here for longest, beyond so many bytes."""
        kept = 0
        for character_id, shown in reversed(tuple(self._shown.items())):
            kept += len(shown.picture.content)
            if kept > KEPT_BYTES:
                del self._shown[character_id]


def _shown(file: CardFile) -> Shown | None:
    picture = picture_of(file)
    if picture is None:
        return None
    return Shown(picture, hashlib.blake2b(picture.content, digest_size=6).hexdigest())
