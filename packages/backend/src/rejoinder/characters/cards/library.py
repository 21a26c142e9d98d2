"""The cards of a server: files in a folder, each named by the id of its character."""

import os
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from rejoinder.characters.cards.errors import UnusableCard
from rejoinder.characters.cards.files import (
    FORMATS,
    MAX_FILE_BYTES,
    CardFile,
    left_out,
    read,
    write,
)
from rejoinder.characters.cards.persona import shown_name
from rejoinder.errors import ConfigurationError

FOLDER = "characters"
MAX_CARDS = 1000
# Characters that a server may have besides its cards.
RESERVED = frozenset({"echo", "smol"})

_ID_BYTES = 100
_NOT_IN_IDS = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Shelved:
    """A card in the folder."""

    id: str
    path: Path
    file: CardFile


class Library:
    """The cards in a data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / FOLDER

    def paths(self) -> dict[str, Path]:
        """The files by the ids of their characters, in the order of the ids."""
        try:
            found = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
        except OSError as error:
            raise ConfigurationError(
                f"The folder {self.folder} can't be read: {error.strerror}."
            ) from None
        suffixes = {f".{name}" for name in FORMATS}
        paths: dict[str, Path] = {}
        for path in found:
            if path.suffix in suffixes and not path.name.startswith(".") and path.is_file():
                paths.setdefault(path.stem, path)
        return paths

    def get(self, character_id: str) -> Shelved:
        """A card.

        Raises:
            ConfigurationError: There is none with this id, or it can't be used.
        """
        path = self.get_path(character_id)
        return Shelved(character_id, path, read_file(path))

    def get_path(self, character_id: str) -> Path:
        """The file of a card.

        Raises:
            ConfigurationError: There is none with this id.
        """
        path = self.paths().get(character_id)
        if path is None:
            raise ConfigurationError(
                f"There is no card {character_id!r} in {self.folder}: `rejoinder character list` shows what there is."
            )
        return path

    def add(self, content: bytes, not_these: Collection[str] = ()) -> tuple[str, bool]:
        """Keep a card, the file as it is.

        Args:
            content: The file.
            not_these: Ids that other characters have.

        Returns:
            The id of its character, and whether it is new: the same file again is kept once.

        Raises:
            UnusableCard: It can't be used.
            ConfigurationError: The folder can't be written to, or is full.
        """
        file = read(content)
        wanted, taken = id_for(shown_name(file.card)), self.paths()
        if len(taken) >= MAX_CARDS:
            raise ConfigurationError(
                f"There are {MAX_CARDS} cards already: remove one from {self.folder}."
            )
        character_id, number = wanted, 1
        while character_id in taken or character_id in RESERVED or character_id in not_these:
            if character_id in taken and taken[character_id].read_bytes() == content:
                return character_id, False
            number += 1
            character_id = f"{wanted}-{number}"
        self._write(self.folder / f"{character_id}.{file.format}", content)
        return character_id, True

    def remove(self, character_id: str) -> None:
        """Delete a card.

        Raises:
            ConfigurationError: There is none with this id, or it can't be deleted.
        """
        path = self.get_path(character_id)
        try:
            path.unlink()
        except OSError as error:
            raise ConfigurationError(f"{path} can't be deleted: {error.strerror}.") from None

    def _write(self, path: Path, content: bytes) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f".{path.name}.{os.getpid()}")
            unfinished.write_bytes(content)
            unfinished.replace(path)
        except OSError as error:
            raise ConfigurationError(f"{path} can't be written: {error.strerror}.") from None


def read_file(path: Path) -> CardFile:
    """The card in a file.

    Raises:
        ConfigurationError: The file can't be read, or is no card that can be used; the text names it.
    """
    return read_content(path)[0]


def read_content(path: Path) -> tuple[CardFile, bytes]:
    """The card in a file, and the file's bytes; see `read_file`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        return read(content), content
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}.") from None
    except UnusableCard as error:
        raise ConfigurationError(f"{path}: {error}") from None


def write_file(card: CardFile, path: Path) -> str:
    """Write a card into a new file, in the format that its name ends in; what did not fit, as a word, or "".

    Raises:
        ConfigurationError: The name ends in no format, the file is there already, or it can't be written.
    """
    wanted = next((name for name in FORMATS if path.suffix.lower() == f".{name}"), None)
    if wanted is None:
        raise ConfigurationError(f"Let the name of the file {path} end in .json, .png or .charx.")
    content = write(card, wanted)
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise ConfigurationError(f"{path} is there already: give another name.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}.") from None
    return left_out(card, wanted)


def id_for(name: str) -> str:
    """An id made from a name; it can be the name of a file anywhere."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    slug = _NOT_IN_IDS.sub("-", plain).strip("-_")
    while len(slug.encode()) > _ID_BYTES:
        slug = slug[:-1]
    return unicodedata.normalize("NFC", slug).strip("-_") or "card"
