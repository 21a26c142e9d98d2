import pytest

from rejoinder.characters.openai import Endpoint, Patience
from rejoinder.errors import ConfigurationError


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"base_url": ""}, "base_url"),
        ({"base_url": "ftp://a/v1"}, "base_url"),
        ({"base_url": "https://"}, "base_url"),
        ({"base_url": "https://me:key@a/v1"}, "base_url"),
        ({"base_url": "https://a/v1?key=1"}, "base_url"),
        ({"base_url": "https://a:99999/v1"}, "base_url"),
        ({"key": "sk-1\nX: y"}, "key"),
        ({"key": "sk-안녕"}, "key"),
        ({"context_tokens": 255}, "context_tokens"),
        ({"context_tokens": 256, "max_tokens": 129}, "number from 1 to 128"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"extra": {"stream": False, "n": 2}}, "Leave n, stream out"),
    ],
)
def test_refuses_what_cannot_work(given: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as refused:
        Endpoint(**{"base_url": "https://a.example/v1", **given})  # type: ignore[arg-type]
    assert "sk-1" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["https://a.example/v1", "http://127.0.0.1:11434/v1/", "http://[::1]:80"]
)
def test_takes_what_can(url: str) -> None:
    assert Endpoint(base_url=url).base_url == url


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"first": 0}, "first"),
        ({"between": -1}, "between"),
        ({"whole": float("nan")}, "whole"),
        ({"tries": 0}, "tries"),
        ({"tries": 11}, "tries"),
    ],
)
def test_refuses_no_patience(given: dict[str, float], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Patience(**given)  # type: ignore[arg-type]
