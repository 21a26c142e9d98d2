"""Characters that a model on this machine speaks for, with no account and no key."""

from rejoinder.characters.local.character import LocalCharacter, smol
from rejoinder.characters.local.files import find_model
from rejoinder.characters.local.model import LocalModel
from rejoinder.characters.local.settings import LocalModelSettings

__all__ = ["LocalCharacter", "LocalModel", "LocalModelSettings", "find_model", "smol"]
