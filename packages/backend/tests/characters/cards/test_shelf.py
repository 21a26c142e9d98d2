"""The cards of a running server, where several things are done to one of them at the same time."""

import asyncio
import threading
from pathlib import Path

import pytest

from rejoinder.characters import Character, CharacterInfo, Characters, EchoCharacter
from rejoinder.characters.cards.library import Library, Shelved
from rejoinder.characters.cards.model import Card
from rejoinder.characters.shelf import Shelf

CARD = (
    b'{"spec": "chara_card_v2", "spec_version": "2.0", "data": {"name": "Mina", "description": "", "personality": "", '
    b'"scenario": "", "first_mes": "Hi.", "mes_example": ""}}'
)


def make(character_id: str, _card: Card) -> Character:
    return EchoCharacter(CharacterInfo(id=character_id, name="Mina"))


async def test_what_is_removed_while_its_picture_is_looked_at_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(Characters())
    shelf.use(Library(tmp_path), make, ())
    info, _ = await shelf.add(CARD)
    begun, goes_on = threading.Event(), threading.Event()
    get = Library.get

    def slowly(self: Library, character_id: str) -> Shelved:
        found = get(self, character_id)
        begun.set()
        goes_on.wait(30)
        return found

    monkeypatch.setattr(Library, "get", slowly)
    looking = asyncio.create_task(shelf.versions())
    await asyncio.to_thread(begun.wait, 30)
    removing = asyncio.create_task(shelf.remove(info.id))
    # It may wait until the picture was looked at, or be done at once.
    await asyncio.wait((removing,), timeout=0.5)
    goes_on.set()
    await asyncio.gather(looking, removing)
    assert shelf._versions == {}
    assert shelf._shown == {}
