"""How Hypothesis runs here: the same examples every time, whatever machine and load."""

from hypothesis import HealthCheck, settings

deterministic = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=(HealthCheck.too_slow,),
)
