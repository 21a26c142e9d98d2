"""Characters that a model behind any OpenAI-compatible endpoint speaks for."""

from rejoinder.characters.openai.character import OpenAICharacter
from rejoinder.characters.openai.settings import Endpoint, Patience

__all__ = ["Endpoint", "OpenAICharacter", "Patience"]
