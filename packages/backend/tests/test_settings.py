"""Settings: defaults, the environment, and what a server for the public must have."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from rejoinder.errors import ConfigurationError
from rejoinder.protocol import constants
from rejoinder.settings import PREFIX, Settings, kept_secret, load, unknown_variables

SECRET = "a secret of thirty-two bytes or more"
PUBLIC = {"mode": "production", "jwt_secret": SECRET}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of whoever runs the tests, and no data in their folder."""
    for name in tuple(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_the_contracts() -> None:
    settings: Any = load()
    given = (settings.host, settings.port, settings.data_dir, settings.connection_policy)
    assert given == ("127.0.0.1", 8000, Path("data"), "single")
    limits = settings.limits()
    assert (limits.content_bytes, limits.payload_bytes) == (32 * 1024, 64 * 1024)
    assert (limits.sends.per_second, limits.sends.burst) == (10, 20)
    times = (limits.session_timeout, limits.sweep_interval)
    assert times == (300, constants.SESSION_SWEEP_MS / 1000)
    assert (limits.typing_timeout, limits.presence_grace) == (6, 10)


def test_on_a_developers_machine_it_just_works(tmp_path: Path) -> None:
    settings = load()
    assert settings.guests_allowed
    assert settings.echo_offered
    assert settings.room_policy == "open"
    secret = settings.token_rules().secret
    assert len(secret) >= 32
    assert load().token_rules().secret == secret, "it is kept"
    assert (tmp_path / "data" / "secret").exists()


def test_for_the_public_it_is_closed() -> None:
    settings = load(**PUBLIC)
    assert not settings.guests_allowed
    assert not settings.echo_offered
    assert settings.room_policy == "members"
    assert settings.token_rules().secret == SECRET


def test_what_is_said_wins_over_the_mode() -> None:
    settings = load(**PUBLIC, guests=True, echo=True, rooms="open")
    assert settings.guests_allowed
    assert settings.echo_offered
    assert settings.room_policy == "open"
    settings = load(guests=False, echo=False, rooms="members")
    assert not settings.guests_allowed
    assert not settings.echo_offered
    assert settings.room_policy == "members"


@pytest.mark.parametrize(
    ("given", "kept_for"),
    [
        ({}, "asker"),
        (PUBLIC, ""),
        ({**PUBLIC, "prompts": "asker"}, "asker"),
        ({"prompts": "operator"}, ""),
        ({"prompts": "operator", "operator_token": "t"}, "operator"),
        ({"prompts": "nobody", "operator_token": "t"}, ""),
    ],
)
def test_prompts_are_kept_only_for_who_may_see_them(
    given: dict[str, object], kept_for: str
) -> None:
    settings = load(**given)
    assert settings.keeps_prompts is bool(kept_for)
    if kept_for:
        assert settings.prompt_policy == kept_for


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"mode": "production"}, "REJOINDER_JWT_SECRET"),
        ({"mode": "production", "guests": True, "jwt_public_key": "pem"}, "Guests need"),
        ({"jwt_secret": "short"}, "fewer than 32 bytes"),
        ({"jwt_secret": "x" * 31}, "fewer than 32 bytes"),
        ({"mode": "production", "jwt_secret": "x" * 31}, "fewer than 32 bytes"),
    ],
)
def test_tokens_must_be_checked_somehow(given: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        load(**given).token_rules()


@pytest.mark.parametrize("way", ["jwt_public_key", "jwks_url"])
def test_tokens_may_be_checked_without_a_secret(way: str, tmp_path: Path) -> None:
    rules = load(**{"mode": "production", way: "x"}).token_rules()
    assert rules.secret == ""
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = getattr(load(), name)
    seen = set()
    for value in (
        "true",
        "false",
        "7000",
        "ko",
        "debug",
        "multi",
        "members",
        "production",
        "interrupt",
        "operator",
        "none",
        "anyone",
        "x",
    ):
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
        try:
            seen.add(getattr(load(), name))
        except ConfigurationError as error:
            assert f"{PREFIX}{name.upper()}" in str(error)  # noqa: PT017
    assert seen - {before}


def test_a_misspelt_variable_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_PROT", "9000")
    monkeypatch.setenv("REJOINDER_PORT", "9000")
    assert unknown_variables() == ["REJOINDER_PROT"]


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_PORT", "9000")
    assert load().port == 9000
    assert load(port=9001).port == 9001


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", ()),
        ("https://a.example", ("https://a.example",)),
        (" https://a.example , https://b.example,", ("https://a.example", "https://b.example")),
        ("*", ("*",)),
    ],
)
def test_origins_are_a_list_with_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, origins: tuple[str, ...]
) -> None:
    monkeypatch.setenv("REJOINDER_ALLOWED_ORIGINS", value)
    assert load().allowed_origins == origins


@pytest.mark.parametrize(
    "given",
    [
        {"port": "a"},
        {"port": 65536},
        {"port": -1},
        {"mode": "test"},
        {"send_rate": 0},
        {"content_limit": 0},
        {"rooms": "all"},
        {"locale": "fr"},
        {"no_such_setting": 1},
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_setting(given: dict[str, object]) -> None:
    (name,) = given
    with pytest.raises(ConfigurationError) as raised:
        load(**given)
    text = str(raised.value)
    assert f"--{name.replace('_', '-')}" in text
    assert f"REJOINDER_{name.upper()}" in text
    assert "\n" not in text


def test_secrets_are_not_shown() -> None:
    settings = load(jwt_secret=SECRET, operator_token="of the operator")
    assert SECRET not in repr(settings)
    assert "of the operator" not in repr(settings)
    assert SECRET not in repr(settings.token_rules())


def test_a_kept_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "data" / "secret"
    secret = kept_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept_secret(path) == secret
    assert kept_secret(tmp_path / "another") != secret


@pytest.mark.parametrize("content", ["", "too short", "가" * 40])
def test_a_kept_secret_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secret"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        kept_secret(path)
    assert path.read_text(encoding="utf-8") == content


def test_a_data_directory_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="--data-dir"):
        kept_secret(tmp_path / "file" / "secret")
