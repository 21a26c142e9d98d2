"""The contract's constants (section 1): the defaults of settings, and of the client."""

import pytest

from rejoinder.protocol import constants
from rejoinder.settings import Settings

DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_TIMEOUT_MS", 300_000),
        ("SESSION_SWEEP_MS", 60_000),
        ("ACK_TIMEOUT_MS", 5_000),
        ("MAX_RETRY_COUNT", 2),
        ("HEARTBEAT_INTERVAL_MS", 30_000),
        ("RECONNECTION_DELAY_MS", 1_000),
        ("RECONNECTION_DELAY_MAX_MS", 5_000),
        ("MAX_RECONNECTION_ATTEMPTS", 10),
        ("TYPING_TIMEOUT_MS", 6_000),
        ("PRESENCE_GRACE_MS", 10_000),
        ("HISTORY_LIMIT", 50),
        ("HISTORY_LIMIT_MAX", 100),
        ("CONTENT_LIMIT_BYTES", 32_768),
        ("PAYLOAD_LIMIT_BYTES", 65_536),
    ],
)
def test_a_constant_is_the_contract_s(name: str, value: int) -> None:
    assert getattr(constants, name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("session_timeout", 300),
        ("session_sweep", 60),
        ("typing_timeout", 6),
        ("presence_grace", 10),
        ("content_limit", 32_768),
        ("payload_limit", 65_536),
        ("send_rate", 10),
        ("send_burst", 20),
        ("connection_policy", "single"),
    ],
)
def test_a_setting_has_the_contract_s_default(name: str, value: object) -> None:
    assert DEFAULTS[name] == value
