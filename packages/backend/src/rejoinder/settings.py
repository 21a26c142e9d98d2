"""The settings, and the only place that reads the environment (`REJOINDER_…`)."""

import os
import secrets
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from rejoinder.core.connections import ConnectionPolicy
from rejoinder.core.limits import Rate
from rejoinder.errors import ConfigurationError
from rejoinder.protocol import constants
from rejoinder.service.auth import TokenRules
from rejoinder.service.context import Limits
from rejoinder.service.titles import TitleMaker
from rejoinder.service.turns import TurnPolicy

PREFIX = "REJOINDER_"
SECRET_BYTES_MIN = 32
DRAIN_SECONDS = 10.0


class Settings(BaseSettings):
    """Every setting with its default; the description is its help text."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    data_dir: Path = Field(
        Path("data"), description="folder for the embedded database and the secret"
    )
    database: str = Field(
        "",
        repr=False,
        description="MongoDB address (mongodb://…) of the messages; without one they are in a file in the data directory",
    )
    redis: str = Field(
        "",
        repr=False,
        description="Redis address (redis://…) over which several servers are one chat; needs a MongoDB",
    )
    mode: Literal["development", "production"] = Field(
        "development",
        description="production: no guests, members-only rooms, no test character, secret required",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="what is logged"
    )

    jwt_secret: str = Field("", repr=False, description="secret of HS256 tokens, 32 bytes or more")
    jwt_public_key: str = Field("", description="public key (PEM) of RS256 tokens")
    jwks_url: str = Field("", description="address of the keys (JWKS) of RS256 tokens")
    jwt_audience: str = Field("", description="`aud` that tokens must have")
    jwt_issuer: str = Field("", description="`iss` that tokens must have")
    guests: bool | None = Field(
        None, description="anybody may enter as a guest [default: in development only]"
    )
    guest_days: float = Field(30, gt=0, description="days that a guest's token is valid")
    operator_token: str = Field(
        "",
        repr=False,
        description="bearer token of the operator, for connections, cards and prompts over REST; without one there is none",
    )

    prompts: Literal["asker", "operator", "nobody"] | None = Field(
        None,
        description="who may see what a model was asked for an answer [default: who asked for the answer and the operator "
        "in development, else nobody]",
    )

    rooms: Literal["open", "members"] | None = Field(
        None, description="who may enter a room [default: open in development, else members]"
    )
    connection_policy: ConnectionPolicy = Field(
        "single", description="connections that one user may have at the same time"
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="origins of pages that may connect, besides the server's own; comma-separated",
    )
    locale: Literal["en", "ko"] = Field("en", description="language for clients that name none")

    content_limit: int = Field(
        constants.CONTENT_LIMIT_BYTES, ge=1, le=1024 * 1024, description="bytes of a message's text"
    )
    payload_limit: int = Field(
        constants.PAYLOAD_LIMIT_BYTES, ge=1024, le=4 * 1024 * 1024, description="bytes of a payload"
    )
    send_rate: float = Field(10, gt=0, description="messages per second and user")
    send_burst: int = Field(20, ge=1, description="messages at once and user")
    event_rate: float = Field(50, gt=0, description="events per second and connection")
    event_burst: int = Field(200, ge=1, description="events at once and connection")
    guest_rate: float = Field(1, gt=0, description="new guests per second and address")
    guest_burst: int = Field(30, ge=1, description="new guests at once and address")
    double_texting: TurnPolicy = Field(
        "queue",
        description="what becomes of an answer when its user sends again meanwhile, in rooms without a rule of their own",
    )
    cards: Literal["anyone", "operator"] | None = Field(
        None,
        description="who may import, export and delete character cards over REST: anyone who is signed in, or who has the "
        "operator's token [default: anyone in development, else operator]",
    )
    titles: TitleMaker = Field(
        "first",
        description="what makes a room's title: nothing, its first message, or then its character's model, which costs a request",
    )
    session_timeout: float = Field(
        constants.SESSION_TIMEOUT_MS / 1000, gt=0, description="seconds that a session is kept"
    )
    session_sweep: float = Field(
        constants.SESSION_SWEEP_MS / 1000, gt=0, description="seconds between sweeps of sessions"
    )
    typing_timeout: float = Field(
        constants.TYPING_TIMEOUT_MS / 1000, gt=0, description="seconds after which typing ends"
    )
    presence_grace: float = Field(
        constants.PRESENCE_GRACE_MS / 1000,
        ge=0,
        description="seconds from the last connection to offline",
    )
    drain: float | None = Field(
        None,
        ge=0,
        description="seconds that SIGTERM leaves running answers to end, and clients to go to other servers "
        "[default: 10 with a Redis, else 0]",
    )
    ping_interval: float = Field(25, gt=0, description="seconds between pings of the transport")
    ping_timeout: float = Field(20, gt=0, description="seconds that a pong may take")

    echo: bool | None = Field(
        None, description="offer the test character `echo` [default: in development only]"
    )
    model: bool = Field(default=True, description="offer the local model's character")
    model_path: Path | None = Field(
        None, description="GGUF file of the local model [default: the one that comes along]"
    )
    model_tokens: int = Field(256, ge=1, description="tokens of an answer at most")
    model_context: int = Field(
        1024,
        ge=128,
        le=1_048_576,
        description="tokens of a prompt and its answer, of the local model",
    )
    characters: Path | None = Field(
        None, description="file (TOML) that describes characters; see docs/characters.md"
    )

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(filter(None, map(str.strip, value.split(","))))
            if isinstance(value, str)
            else value
        )

    @property
    def development(self) -> bool:
        """True on a developer's machine."""
        return self.mode == "development"

    @property
    def guests_allowed(self) -> bool:
        """Whether anybody may enter as a guest."""
        return self.development if self.guests is None else self.guests

    @property
    def prompt_policy(self) -> Literal["asker", "operator", "nobody"]:
        """Who may see what a model was asked: who asked for the answer and the operator, only the operator, nobody."""
        return self.prompts or ("asker" if self.development else "nobody")

    @property
    def keeps_prompts(self) -> bool:
        """Whether there is anybody who may see them."""
        return self.prompt_policy == "asker" or bool(
            self.prompt_policy == "operator" and self.operator_token
        )

    @property
    def room_policy(self) -> Literal["open", "members"]:
        """Who may enter a room."""
        return self.rooms or ("open" if self.development else "members")

    @property
    def card_policy(self) -> Literal["anyone", "operator"]:
        """Who may import, export and delete character cards."""
        return self.cards or ("anyone" if self.development else "operator")

    @property
    def drain_seconds(self) -> float:
        """How long the end of a server takes at most, for those who are connected to it."""
        if self.drain is not None:
            return self.drain
        return DRAIN_SECONDS if self.redis else 0.0

    @property
    def echo_offered(self) -> bool:
        """Whether the test character is there."""
        return self.development if self.echo is None else self.echo

    def limits(self) -> Limits:
        """The limits as the service takes them."""
        return Limits(
            content_bytes=self.content_limit,
            payload_bytes=self.payload_limit,
            sends=Rate(self.send_rate, self.send_burst),
            events=Rate(self.event_rate, self.event_burst),
            session_timeout=self.session_timeout,
            sweep_interval=self.session_sweep,
            typing_timeout=self.typing_timeout,
            presence_grace=self.presence_grace,
        )

    def token_rules(self) -> TokenRules:
        """Which tokens are taken; on a developer's machine a secret is made and kept in the data directory.

        Raises:
            ConfigurationError: there is no way to check a token, or the secret is too short.
        """
        secret = self.jwt_secret
        if secret and len(secret.encode()) < SECRET_BYTES_MIN:
            raise ConfigurationError(
                f"{PREFIX}JWT_SECRET has fewer than {SECRET_BYTES_MIN} bytes: use a longer one, for example from "
                "`openssl rand -hex 32`."
            )
        checked_elsewhere = bool(self.jwt_public_key or self.jwks_url)
        if not secret and self.guests_allowed and not self.development:
            raise ConfigurationError(
                f"Guests need {PREFIX}JWT_SECRET, to sign their tokens with: set it."
            )
        if not secret and not checked_elsewhere and not self.development:
            raise ConfigurationError(
                f"No way to check tokens: set {PREFIX}JWT_SECRET, {PREFIX}JWT_PUBLIC_KEY or {PREFIX}JWKS_URL."
            )
        if not secret and self.development:
            secret = kept_secret(self.data_dir / "secret")
        return TokenRules(
            secret=secret,
            public_key=self.jwt_public_key,
            jwks_url=self.jwks_url,
            audience=self.jwt_audience or None,
            issuer=self.jwt_issuer or None,
        )


def load(**given: object) -> Settings:
    """Settings from what is given, then the environment, then the defaults.

    Raises:
        ConfigurationError: a value is not what its setting takes.
    """
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        flag = name.replace("_", "-")
        raise ConfigurationError(
            f"--{flag} ({PREFIX}{name.upper()}): {first['msg']}. See `rejoinder serve --help`."
        ) from error


def variable(name: str) -> str:
    """The value of a variable that a file of the operator's names, such as one with a key; "" where there is none."""
    return os.environ.get(name, "")


def unknown_variables() -> list[str]:
    """Variables in the environment that look like settings and are none."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return sorted(
        name for name in os.environ if name.startswith(PREFIX) and name.upper() not in known
    )


def kept_secret(path: Path) -> str:
    """The secret in that file, made now if it is not there; only its owner may read it.

    Raises:
        ConfigurationError: the file can't be read or made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            secret = path.read_text(encoding="ascii").strip()
        else:
            secret = secrets.token_hex(SECRET_BYTES_MIN)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secret + "\n")
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(
            f"The data directory {path.parent} can't be used ({error}): give the server one that it may write to, "
            "with --data-dir."
        ) from error
    if len(secret) < SECRET_BYTES_MIN:
        raise ConfigurationError(f"{path} holds no secret: delete it, and a new one is made.")
    return secret
