"""The one error of everything that reads a card."""

from rejoinder.errors import InvalidPayload


class UnusableCard(InvalidPayload):
    """A file is no character card, a damaged one, or one that is too large. The text says which."""
