"""Nothing that anybody sends costs much memory, stops the server, or keeps the answers to the others from coming in order."""

import pytest
from tests.socket_io.hostile import attacks
from tests.socket_io.hostile.conftest import Start
from tests.socket_io.hostile.good import good_clients
from tests.socket_io.hostile.malformed import storm

MORE_MIB = 50.0
PACKETS = 50_000
LOG_BYTES = 1024


@pytest.mark.parametrize("name", attacks.ATTACKS)
async def test_an_attack_leaves_the_others_in_peace(start: Start, name: str) -> None:
    target = start()
    async with good_clients(target.port):
        before = target.memory
        target.forget_peak()
        await attacks.ATTACKS[name](target.port, 1)
        assert target.peak - before < MORE_MIB


@pytest.mark.parametrize("flags", [(), ("--asgi",)], ids=["straight", "asgi"])
async def test_malformed_packets_leave_the_others_in_peace(
    start: Start, flags: tuple[str, ...]
) -> None:
    target = start(*flags)
    async with good_clients(target.port):
        before = target.memory
        target.forget_peak()
        connections = await storm(target.port, seed=1, packets=PACKETS // 2)
        assert target.peak - before < MORE_MIB
    assert len(target.log) <= LOG_BYTES * connections
    assert all(len(line) <= LOG_BYTES for line in target.log.splitlines())
