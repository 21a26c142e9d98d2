import os
from pathlib import Path

import pytest

from rejoinder.characters.local.settings import LocalModelSettings, default_threads
from rejoinder.errors import ConfigurationError


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (8, 7)])
def test_one_core_is_left_to_the_chat(
    monkeypatch: pytest.MonkeyPatch, cores: int, threads: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    assert default_threads() == threads


def test_threads_where_the_system_does_not_tell_cores_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert default_threads() == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("context_tokens", 0), ("parallel", 0), ("waiting", -1), ("threads", 0), ("cache_mib", -1)],
)
def test_a_number_out_of_range_is_named(name: str, value: int) -> None:
    with pytest.raises(ConfigurationError, match=f"Set {name} of the local model to a number from"):
        LocalModelSettings(path=Path("model.gguf"), **{name: value})
