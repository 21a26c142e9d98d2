"""The contract's numbers."""

from rejoinder.protocol import constants


def test_the_contracts_numbers() -> None:
    declared = {name: value for name, value in vars(constants).items() if name.isupper()}
    assert declared == {
        "SESSION_TIMEOUT_MS": 5 * 60 * 1000,
        "SESSION_SWEEP_MS": 60 * 1000,
        "ACK_TIMEOUT_MS": 5 * 1000,
        "MAX_RETRY_COUNT": 2,
        "HEARTBEAT_INTERVAL_MS": 30 * 1000,
        "RECONNECTION_DELAY_MS": 1000,
        "RECONNECTION_DELAY_MAX_MS": 5000,
        "MAX_RECONNECTION_ATTEMPTS": 10,
        "TYPING_TIMEOUT_MS": 6 * 1000,
        "PRESENCE_GRACE_MS": 10 * 1000,
        "HISTORY_LIMIT": 50,
        "HISTORY_LIMIT_MAX": 100,
        "CONTENT_LIMIT_BYTES": 32 * 1024,
        "PAYLOAD_LIMIT_BYTES": 64 * 1024,
        "ID_LENGTH_MAX": 128,
        "TITLE_LENGTH_MAX": 100,
    }
