"""What all tests share: marks that say which events a test is about."""

import pytest
from hypothesis import settings
from tests.profiles import deterministic

settings.register_profile("deterministic", deterministic)
settings.load_profile("deterministic")


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        "sends(*names): the test sends these events, and each is acknowledged with success",
        "receives(*names): the test receives these events from the server",
    ):
        config.addinivalue_line("markers", line)
