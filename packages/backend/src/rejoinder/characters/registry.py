"""The characters of one server, by their ids."""

from rejoinder.characters.base import Character, CharacterInfo, Remembering, check_info
from rejoinder.errors import ConfigurationError


class Characters:
    """A set of characters in the order in which they were added. It owns them: `aclose` closes them all."""

    def __init__(self) -> None:
        self._by_id: dict[str, Character] = {}
        self._removed: list[Character] = []
        self._remembering: list[Remembering] = []

    def add(self, character: Character) -> None:
        """Add one.

        Raises:
            ConfigurationError: Its id is not valid, or is taken.
        """
        info = character.info
        check_info(info)
        if info.id in self._by_id:
            raise ConfigurationError(
                f"There are two characters with the id {info.id!r}: give one of them another id."
            )
        self._by_id[info.id] = character
        if isinstance(character, Remembering):
            self._remembering.append(character)

    def remove(self, character_id: str) -> None:
        """Offer one no longer. It is closed with the others in the end, since it may still be answering."""
        character = self._by_id.pop(character_id, None)
        if character is not None:
            self._removed.append(character)

    def get(self, character_id: str) -> Character | None:
        """The character with this id, if there is one."""
        return self._by_id.get(character_id)

    def list(self) -> tuple[CharacterInfo, ...]:
        """Who is here, in the order of adding."""
        return tuple(character.info for character in self._by_id.values())

    def forget(self, room_id: str) -> None:
        """Have every character, those that were removed too, keep nothing of a room."""
        for character in self._remembering:
            character.forget(room_id)

    async def aclose(self) -> None:
        """Close every character, one after the other, last added first.

        Raises:
            ExceptionGroup: Closing some of them failed; the others are closed all the same.
        """
        failures: list[Exception] = []
        left = [*self._removed, *self._by_id.values()]
        self._removed, self._by_id, self._remembering = [], {}, []
        while left:
            character = left.pop()
            try:
                await character.aclose()
            except Exception as error:  # noqa: BLE001 - one character's defect must not leave the next one open
                failures.append(error)
        if failures:
            raise ExceptionGroup("some characters could not be closed", failures)
