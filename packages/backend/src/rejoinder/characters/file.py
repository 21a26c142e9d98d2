"""A file (TOML) that describes characters and the endpoints that speak for them. Keys are in the environment, never in it."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from rejoinder.characters.base import CharacterInfo, check_info
from rejoinder.characters.cards.library import id_for, read_file
from rejoinder.characters.cards.model import Card
from rejoinder.characters.cards.persona import shown_name
from rejoinder.characters.openai.settings import Endpoint, Patience
from rejoinder.errors import ConfigurationError

LOCAL = "local"

Variable = Callable[[str], str]
"""The value of an environment variable, "" where there is none."""


@dataclass(frozen=True, slots=True)
class Described:
    """One character of the file.

    Attributes:
        id: Its id.
        told: Who it is and what its model is told first, or the card that says both.
        endpoint: Who speaks for it; None for the local model.
    """

    id: str
    told: tuple[CharacterInfo, str] | Card
    endpoint: Endpoint | None


@dataclass(frozen=True, slots=True)
class CharactersFile:
    """What a file says: its characters, and who speaks for the cards in the data directory (None: the local model)."""

    characters: tuple[Described, ...] = ()
    cards: Endpoint | None = None


class _Table(Struct, forbid_unknown_fields=True):
    def given(self, *without: str) -> dict[str, Any]:
        """The fields that the file has."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return {k: v for k, v in fields.items() if v is not UNSET and k not in without}


class _Patience(_Table):
    first: float | UnsetType = UNSET
    between: float | UnsetType = UNSET
    whole: float | UnsetType = UNSET
    tries: int | UnsetType = UNSET


class _Endpoint(_Table):
    base_url: str
    key_env: str = ""
    model: str | UnsetType = UNSET
    context_tokens: int | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET
    max_tokens_field: str | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    extra: dict[str, Any] | UnsetType = UNSET
    headers: dict[str, str] | UnsetType = UNSET
    ask_tokens: bool | UnsetType = UNSET
    ask_usage: bool | UnsetType = UNSET
    goes_on: Literal["asked", "prefilled", "vllm"] | UnsetType = UNSET
    show_thoughts: bool | UnsetType = UNSET
    summary: bool | UnsetType = UNSET
    patience: _Patience | UnsetType = UNSET


class _Character(_Table):
    endpoint: str
    id: str = ""
    name: str = ""
    description: str = ""
    greeting: str = ""
    system_prompt: str = ""
    card: str = ""
    model: str | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    extra: dict[str, Any] | UnsetType = UNSET
    show_thoughts: bool | UnsetType = UNSET
    summary: bool | UnsetType = UNSET


class _Cards(_Table):
    endpoint: str


class _File(_Table):
    endpoints: dict[str, _Endpoint] = {}
    characters: list[_Character] = []
    cards: _Cards | None = None


_OWN = ("model", "max_tokens", "temperature", "extra", "show_thoughts", "summary")
_OF_A_PROMPT = ("name", "description", "greeting", "system_prompt")


def read_characters(path: Path, variable: Variable) -> CharactersFile:
    """What a file says.

    Raises:
        ConfigurationError: It can't be read, or something in it is not as it must be; the text names the file.
    """
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
        endpoints = {
            name: _endpoint(name, table, variable) for name, table in file.endpoints.items()
        }
        return CharactersFile(
            tuple(_character(table, endpoints, path.parent) for table in file.characters),
            None if file.cards is None else _named(endpoints, file.cards.endpoint),
        )
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}.") from None
    except (ValueError, RecursionError, ConfigurationError) as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _endpoint(name: str, table: _Endpoint, variable: Variable) -> Endpoint:
    if name == LOCAL:
        raise ConfigurationError(
            f"Call the endpoint {LOCAL!r} something else: that is the local model."
        )
    key = variable(table.key_env).strip() if table.key_env else ""
    if table.key_env and not key:
        raise ConfigurationError(
            f"Set the variable {table.key_env} in the environment: the endpoint {name!r} takes its key from it."
        )
    given = table.given("key_env", "patience")
    if isinstance(table.patience, _Patience):
        given["patience"] = Patience(**table.patience.given())
    return Endpoint(key=key, **given)


def _named(endpoints: Mapping[str, Endpoint], name: str) -> Endpoint | None:
    if name == LOCAL:
        return None
    if name not in endpoints:
        raise ConfigurationError(
            f"There is no endpoint {name!r}: describe it under [endpoints.{name}]."
        )
    return endpoints[name]


def _character(table: _Character, endpoints: Mapping[str, Endpoint], folder: Path) -> Described:
    endpoint = _named(endpoints, table.endpoint)
    own = {name: value for name, value in table.given().items() if name in _OWN}
    if own and endpoint is None:
        raise ConfigurationError(
            f"Leave {', '.join(sorted(own))} out of a character of the local model: its settings are the command's."
        )
    if endpoint is not None:
        endpoint = replace(endpoint, **own)
    if table.card:
        if any(getattr(table, name) for name in _OF_A_PROMPT):
            raise ConfigurationError(
                f"Leave {', '.join(_OF_A_PROMPT)} out of a character with a card: the card says that."
            )
        card = read_file(folder / table.card).card
        return Described(table.id or id_for(shown_name(card)), card, endpoint)
    info = CharacterInfo(table.id, table.name, table.description, table.greeting)
    check_info(info)
    return Described(table.id, (info, table.system_prompt), endpoint)
