"""The contract's constants (section 1), as defaults of the settings and for the TypeScript client."""

from typing import Final

SESSION_TIMEOUT_MS: Final = 300_000
SESSION_SWEEP_MS: Final = 60_000
ACK_TIMEOUT_MS: Final = 5_000
MAX_RETRY_COUNT: Final = 2
HEARTBEAT_INTERVAL_MS: Final = 30_000
RECONNECTION_DELAY_MS: Final = 1_000
RECONNECTION_DELAY_MAX_MS: Final = 5_000
MAX_RECONNECTION_ATTEMPTS: Final = 10
TYPING_TIMEOUT_MS: Final = 6_000
PRESENCE_GRACE_MS: Final = 10_000

HISTORY_LIMIT: Final = 50
HISTORY_LIMIT_MAX: Final = 100
CONTENT_LIMIT_BYTES: Final = 32 * 1024
PAYLOAD_LIMIT_BYTES: Final = 64 * 1024
ID_LENGTH_MAX: Final = 128
