"""The characters of a server that are described rather than written: those of its file, and its cards."""

from collections.abc import Callable, Iterator

import structlog

from rejoinder.characters.base import Character, CharacterInfo
from rejoinder.characters.cards.library import RESERVED, Library
from rejoinder.characters.cards.model import Card
from rejoinder.characters.cards.persona import CardPersona
from rejoinder.characters.file import CharactersFile, Described
from rejoinder.characters.local.character import LocalCharacter
from rejoinder.characters.local.model import LocalModel
from rejoinder.characters.openai.character import OpenAICharacter
from rejoinder.characters.openai.failures import Locale
from rejoinder.characters.openai.settings import Endpoint
from rejoinder.characters.prompt import Persona, Told
from rejoinder.errors import ConfigurationError

_SOMEBODY: dict[Locale, str] = {"en": "you", "ko": "당신"}


Speaking = Callable[[CharacterInfo, Persona, Endpoint | None], Character]


def cast(
    file: CharactersFile,
    library: Library,
    local: LocalModel | None,
    *,
    local_tokens: int = 256,
    locale: Locale = "en",
) -> Iterator[Character]:
    """Make them. A card that can't be used is left out, and the log says so: one file must not stop a server.

    Args:
        file: What the operator described.
        library: The cards that were imported.
        local: The local model, if there is one.
        local_tokens: The longest answer of the local model.
        locale: The language of what the server itself says for them.

    Raises:
        ConfigurationError: A character of the file needs the local model, and there is none.
    """
    speaking = _speaking(local, local_tokens, locale)
    taken = set(RESERVED)
    for described in file.characters:
        taken.add(described.id)
        yield speaking(*_who(described, locale), described.endpoint)
    log = structlog.get_logger("rejoinder.characters")
    make = card_maker(file, local, local_tokens=local_tokens, locale=locale)
    for character_id in library.paths():
        if character_id in taken:
            log.warning("a card has the id of another character", character_id=character_id)
            continue
        if make is None:
            log.warning("a card has nobody to speak for it", character_id=character_id)
            continue
        try:
            card = library.get(character_id).file.card
        except ConfigurationError as error:
            log.warning("a card can't be used", character_id=character_id, reason=str(error))
            continue
        yield make(character_id, card)


def card_maker(
    file: CharactersFile,
    local: LocalModel | None,
    *,
    local_tokens: int = 256,
    locale: Locale = "en",
) -> Callable[[str, Card], Character] | None:
    """What makes the character of a card, given its id; None if nobody can speak for one."""
    if file.cards is None and local is None:
        return None
    speaking = _speaking(local, local_tokens, locale)

    def make(character_id: str, card: Card) -> Character:
        persona = CardPersona(card, somebody=_SOMEBODY[locale])
        return speaking(persona.info(character_id), persona, file.cards)

    return make


def _speaking(local: LocalModel | None, local_tokens: int, locale: Locale) -> Speaking:
    def speaking(info: CharacterInfo, persona: Persona, endpoint: Endpoint | None) -> Character:
        if endpoint is not None:
            return OpenAICharacter(info, endpoint, persona=persona, locale=locale)
        if local is None:
            raise ConfigurationError(
                f"The character {info.id!r} needs the local model: give it an endpoint, or leave --no-model out."
            )
        return LocalCharacter(info, local, persona=persona, max_tokens=local_tokens)

    return speaking


def _who(described: Described, locale: Locale) -> tuple[CharacterInfo, Persona]:
    if isinstance(described.told, Card):
        persona = CardPersona(described.told, somebody=_SOMEBODY[locale])
        return persona.info(described.id), persona
    info, system_prompt = described.told
    return info, Told(system_prompt)
