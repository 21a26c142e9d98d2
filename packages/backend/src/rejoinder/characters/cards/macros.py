"""The macros of a card: `{{char}}`, `{{user}}` and the like, replaced once; what they bring in is not looked at again."""

import random
import re
from dataclasses import dataclass, field

_MACRO = re.compile(r"\{\{([^{}]{1,4000})\}\}|<(user|char|bot)>", re.IGNORECASE)
_COMMA = re.compile(r"(?<!\\),")
_MAX_DIE = 10**9
_MAX_NAME = 128


@dataclass(slots=True)
class Macros:
    """What they stand for in one turn.

    Attributes:
        char: The character's name.
        user: The name of whoever talks with it.
        seed: Makes the same choices for the same seed.
    """

    char: str
    user: str
    seed: str = ""
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.char = _name(self.char)
        self.user = _name(self.user)
        # Chance for a story, not for a secret.
        self._random = random.Random(self.seed)  # noqa: S311

    def expand(self, text: str, original: str | None = None) -> str:
        """The text with its macros replaced; those that are not known stay.

        Args:
            text: The text.
            original: What `{{original}}` stands for, the first time; None where there is nothing that it could be.
        """
        spent = False

        def replaced(match: re.Match[str]) -> str:
            nonlocal spent
            if match[2]:
                return self.user if match[2].lower() == "user" else self.char
            name, separator, argument = match[1].strip().partition(":")
            name = name.strip().lower()
            if name == "original" and original is not None and not separator:
                # Once, so that a card can't multiply it.
                brought, spent = "" if spent else original, True
                return brought
            value = self._value(name, argument if separator else None, match[1].strip())
            return match[0] if value is None else value

        return _MACRO.sub(replaced, text)

    def _value(self, name: str, argument: str | None, whole: str) -> str | None:
        if whole.startswith("//"):
            return ""
        if argument is None:
            return {"char": self.char, "user": self.user}.get(name)
        if name in {"random", "pick"}:
            choices = [item.replace("\\,", ",") for item in _COMMA.split(argument.lstrip(":"))]
            chooser = random.Random(argument) if name == "pick" else self._random  # noqa: S311
            return chooser.choice(choices).strip()
        if name == "roll":
            return self._rolled(argument.strip().lower().removeprefix("d"))
        if name == "reverse":
            return argument[::-1]
        return "" if name in {"comment", "hidden_key"} else None

    def _rolled(self, die: str) -> str | None:
        if die.isascii() and die.isdigit() and 0 < int(die[:12]) <= _MAX_DIE:
            return str(self._random.randint(1, int(die[:12])))
        return None


def _name(name: str) -> str:
    return "".join(filter(str.isprintable, name))[:_MAX_NAME]
