"""For people who write a store, a bus or a character of their own: the suites that ours pass, and what they need.

The suite for characters is in `rejoinder.testing.characters`.
"""

from rejoinder.testing.clock import FakeClock
from rejoinder.testing.cluster import CLUSTER_CHECKS, check_cluster
from rejoinder.testing.delivery import Closed, Entry, RecordingDelivery, Sent
from rejoinder.testing.store import STORE_CHECKS, check_store

__all__ = [
    "CLUSTER_CHECKS",
    "STORE_CHECKS",
    "Closed",
    "Entry",
    "FakeClock",
    "RecordingDelivery",
    "Sent",
    "check_cluster",
    "check_store",
]
