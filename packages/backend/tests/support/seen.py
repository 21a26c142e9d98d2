"""Which events the running test has really seen on the wire."""

sent: set[str] = set()
"""Client events that were acknowledged with success."""

received: set[str] = set()
"""Server events that arrived."""


def forget() -> None:
    """A new test begins."""
    sent.clear()
    received.clear()
