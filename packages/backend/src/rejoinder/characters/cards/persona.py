"""What a card brings to a prompt."""

from collections.abc import Iterable, Sequence

from rejoinder.characters.base import CharacterInfo, PastMessage, Turn
from rejoinder.characters.cards.lore import Found, brought_up
from rejoinder.characters.cards.macros import Macros
from rejoinder.characters.cards.model import Card
from rejoinder.characters.cards.patterns import Patterns
from rejoinder.characters.prompt import Counting, Message, OwnParts, Persona, harmless, largest

DEFAULT_PROMPT = "Write {{char}}'s next reply in this conversation between {{char}} and {{user}}. Stay in character."
SOMEBODY = "User"

# Shares of the room for a prompt. What is left is for the conversation.
_LORE_SHARE = 0.25
_EXAMPLES_UP_TO = 0.5
_NAME_LENGTH = 100
_NOTES_LENGTH = 500


class CardPersona(Persona):
    """Speaks as a card says.

    Args:
        card: The card.
        somebody: Stands for whoever talks with it where their name is not known, as in its greeting.
    """

    def __init__(self, card: Card, *, somebody: str = SOMEBODY) -> None:
        self._card = card
        self._somebody = somebody
        self._char = card.nickname or card.name

    def greetings(self) -> tuple[str, ...]:
        """How it may begin, the usual way first."""
        return self._greetings(self._somebody)

    def _greetings(self, user: str) -> tuple[str, ...]:
        macros = Macros(self._char, user, self._char)
        texts = (self._card.first_mes, *self._card.alternate_greetings)
        return tuple(macros.expand(text).strip() for text in texts if text.strip())

    def info(self, character_id: str) -> CharacterInfo:
        """What the page lists. It is text, whatever it looks like."""
        return CharacterInfo(
            id=character_id,
            name=shown_name(self._card),
            description=shortened(self._card.creator_notes.strip(), _NOTES_LENGTH),
            greeting=next(iter(self.greetings()), ""),
            # Whose name it is, is known when a room begins.
            greetings=self._greetings("{{user}}"),
        )

    def parts(self, turn: Turn, tokens: int) -> Counting[OwnParts]:
        card = self._card
        macros = Macros(self._char, turn.user_name or self._somebody, turn.message_id)
        original = macros.expand(DEFAULT_PROMPT)
        lore = yield from self._lore(turn, tokens, macros)

        def at(place: str) -> list[str]:
            return [text for found, text in lore if found.place == place]

        def titled(title: str, text: str, place: str) -> str:
            inside = [macros.expand(text).strip(), *at(place)]
            written = "\n".join(filter(None, inside))
            return f"{title}: {written}" if written else ""

        sections = [
            macros.expand(card.system_prompt, original).strip() or original,
            *at("before_char"),
            *at("before_desc"),
            macros.expand(card.description),
            *at("after_desc"),
            titled(f"{macros.char}'s personality", card.personality, "personality"),
            titled("Scenario", card.scenario, "scenario"),
            *at("after_char"),
        ]
        system = _system(sections)
        examples = macros.expand(card.mes_example).strip()
        if examples:
            with_examples = _system([*sections, f"How {macros.char} speaks:\n{examples}"])
            # They are the only part that a character is itself without.
            if (yield [with_examples]) <= tokens * _EXAMPLES_UP_TO:
                system = with_examples
        late = macros.expand(card.post_history_instructions, "").strip()
        return OwnParts(
            first=(system,), opening=self._opening(turn), last=(_system([late]),) if late else ()
        )

    def _opening(self, turn: Turn) -> tuple[PastMessage, ...]:
        greetings = self.greetings()
        written = {past.content.strip() for past in turn.history if past.role == "character"}
        # A room begins with a greeting as its first message, filled with the name of whoever began it.
        begun = bool(turn.history) and turn.history[0].role == "character"
        if not greetings or begun or written.intersection(greetings):
            return ()
        return (PastMessage("character", "", greetings[0]),)

    def _lore(
        self, turn: Turn, tokens: int, macros: Macros
    ) -> Counting[Sequence[tuple[Found, str]]]:
        """The entries of the lorebook for this turn, with their texts, as many as the budget allows."""
        book = self._card.book
        if book is None:
            return ()
        said = [*(past.content for past in turn.history), turn.text]
        found = [
            (each, text)
            for each in brought_up(book, said, Patterns())
            if (text := macros.expand(each.text).strip())
        ]
        budget = int(tokens * _LORE_SHARE)
        if book.token_budget is not None:
            budget = min(budget, book.token_budget)
        ranked = sorted(found, key=lambda pair: -pair[0].rank)

        def fits(number: int) -> Counting[bool]:
            return (yield [_system(text for _, text in ranked[:number])]) <= budget

        number = (yield from largest(len(ranked), fits)) if ranked else 0
        kept = {id(pair) for pair in ranked[:number]}
        return [pair for pair in found if id(pair) in kept]


def shown_name(card: Card) -> str:
    """The card's name as a name that can be shown."""
    name = " ".join("".join(c if c.isprintable() else " " for c in card.name).split())
    return shortened(name, _NAME_LENGTH)


def shortened(text: str, length: int) -> str:
    """The beginning of a text, with a mark where something is left out."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _system(sections: Iterable[str]) -> Message:
    written = "\n\n".join(filter(None, (section.strip() for section in sections)))
    return {"role": "system", "content": harmless(written)}
