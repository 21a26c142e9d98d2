"""A character that a local model speaks for."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

from rejoinder.characters.base import CharacterInfo, Delta, Prompt, PromptMessage, Turn
from rejoinder.characters.local.engine import Request
from rejoinder.characters.local.files import check_model, find_model
from rejoinder.characters.local.llama import check_library
from rejoinder.characters.local.model import LocalModel
from rejoinder.characters.local.settings import LocalModelSettings
from rejoinder.characters.prompt import Count, NoRoomError, Persona, Told, Window
from rejoinder.errors import CharacterFailed, ConfigurationError

# Short, and close to what the bundled model was trained with: it follows no more than this.
SMOL_PROMPT = "You are a helpful AI assistant named Smol."

_LEAST_PROMPT = 64


class LocalCharacter:
    """Answers with a local model, which is loaded with the first answer or by `start`.

    Args:
        info: Who the character is.
        model: Who speaks for it; other characters may share it.
        system_prompt: What the model is told first, always; "" for nothing.
        persona: What it is told instead of one text: a character card, say.
        max_tokens: The longest answer. The rest of the model's window is for the prompt.
        temperature: 0 for the likeliest words, up to 2 for the strangest.
        sampling: Further fields of a request as llama.cpp's server names them (`top_p`, `seed`, `repeat_penalty` …).

    Raises:
        ConfigurationError: A number is out of its range.
    """

    def __init__(
        self,
        info: CharacterInfo,
        model: LocalModel,
        *,
        system_prompt: str = "",
        persona: Persona | None = None,
        max_tokens: int = 256,
        temperature: float = 0.7,
        sampling: Mapping[str, object] | None = None,
    ) -> None:
        room = model.settings.context_tokens - max_tokens
        if max_tokens < 1 or room < _LEAST_PROMPT:
            raise ConfigurationError(
                f"Set max_tokens of the character {info.id!r} to a number from 1 to "
                f"{model.settings.context_tokens - _LEAST_PROMPT} instead of {max_tokens}."
            )
        if not 0 <= temperature <= 2:  # noqa: PLR2004 - the range that such servers take
            raise ConfigurationError(
                f"Set the temperature of the character {info.id!r} to a number from 0 to 2 instead of {temperature}."
            )
        self._info = info
        self._model = model
        self._window = Window(room, persona or Told(system_prompt), "prefilled")
        self._max_tokens = max_tokens
        self._temperature = temperature
        self._sampling = dict(sampling or {})
        model.attach(self)

    @property
    def info(self) -> CharacterInfo:
        return self._info

    @property
    def model(self) -> LocalModel:
        """Who speaks for it; other characters may have it too."""
        return self._model

    @property
    def history_bytes(self) -> int:
        """How many bytes of text may come into a prompt at most."""
        return self._window.most_bytes

    async def start(self) -> None:
        """Load the model now rather than with the first answer.

        Raises:
            ConfigurationError: xllamacpp or the model file is missing or not as it must be.
        """
        await self._model.start()

    async def reply(self, turn: Turn) -> AsyncIterator[Delta]:
        asked: list[PromptMessage] = []

        def prepare(count: Count) -> Request:
            try:
                messages = self._window.fit(turn, count)
            except NoRoomError:
                raise CharacterFailed(
                    f"What {self._info.name} was told to be leaves no room for a message."
                ) from None
            asked.extend(messages)
            return Request(messages, self._max_tokens, self._temperature, self._sampling)

        said_something = False
        try:
            async with aclosing(self._model.stream(self, prepare)) as deltas:
                async for delta in deltas:
                    if asked:
                        turn.on_prompt(Prompt(tuple(asked), self._model.settings.path.stem))
                        asked.clear()
                    if isinstance(delta, str):
                        said_something = said_something or bool(delta.strip())
                    elif not said_something:
                        # Small models do that now and then; an empty message would look like a fault of the chat.
                        raise CharacterFailed(
                            f"{self._info.name} has no answer to that. Try again, or say more."
                        )
                    yield delta
        except ConfigurationError as error:
            # Its text is for whoever runs the server.
            raise CharacterFailed(f"{self._info.name} cannot answer on this server.") from error

    async def aclose(self) -> None:
        await self._model.detach(self)


def smol(
    settings: LocalModelSettings | None = None,
    *,
    system_prompt: str = SMOL_PROMPT,
    max_tokens: int = 256,
) -> LocalCharacter:
    """The character that is there with nothing set up.

    Args:
        settings: The model to use instead of the bundled one with its usual settings.
        system_prompt: What it is told first.
        max_tokens: The longest answer.

    Raises:
        ConfigurationError: xllamacpp or the model file is missing, or max_tokens is out of its range.
    """
    check_library()
    settings = settings or LocalModelSettings(path=find_model())
    check_model(settings.path)
    return LocalCharacter(
        CharacterInfo(
            id="smol",
            name="Smol",
            description="A very small language model that runs on this server. It speaks English.",
            greeting="Hi, I'm Smol! I'm a very small model, so don't believe everything I say. What's on your mind?",
        ),
        LocalModel(settings),
        system_prompt=system_prompt,
        max_tokens=max_tokens,
        temperature=0.4,
        # Without these a model of this size repeats itself, or ends in rows of emoji. A plain penalty on repeated
        # words does the opposite: it drives it away from all common ones.
        sampling={"min_p": 0.1, "dry_multiplier": 0.5, "dry_allowed_length": 4},
    )
