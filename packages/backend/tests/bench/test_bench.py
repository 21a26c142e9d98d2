"""What measures counts right, and no server that lies gets figures."""

import os
import platform
import sys
import time
from array import array
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from figures import Figures, Load, Plan, cpu_seconds, percentile, rss_kib
from report import alternately, file_system, machine, put_section
from servers import SECRET, Peer, Running, node, play, python, rejoinder, started
from tables import load_table, ratio_table
from wire import Trouble

HERE = Path(__file__).resolve().parent
BENCH = HERE.parents[3] / "bench"
SECONDS = 0.2
PATIENCE = 5.0


def plan(server: Running, load: Load, clients: int, room_size: int, patience: float) -> Plan:
    return Plan(
        load=load,
        url=server.url,
        pid=server.pid,
        secret=SECRET,
        seconds=SECONDS,
        warm_up=0.1,
        patience=patience,
        clients=clients,
        room_size=room_size,
        senders=2,
    )


def short(server: Running, load: Load, clients: int, room_size: int) -> Figures:
    return play(plan(server, load, clients, room_size, PATIENCE))


def liar(lie: str) -> Peer:
    return Peer(
        f"a server that lies: {lie}",
        [sys.executable, str(HERE / "lying.py"), lie],
        {"RELAY_SECRET": SECRET, "PYTHONPATH": str(BENCH)},
    )


def check(found: Figures) -> None:
    assert found.units > 0
    wall = found.units / found.rate
    # The timers of an event loop are whole milliseconds.
    assert 0.9 * SECONDS <= wall < PATIENCE
    assert found.server == pytest.approx(found.server_us * found.rate / 1e6)
    # The kernel counts in ticks, of which a small load may see none.
    assert 0 <= found.server < 1.2
    assert 0 < found.generator < 1.2
    assert 0 < found.p50 <= found.p99
    assert found.rss > 10


@pytest.mark.parametrize("make", [rejoinder, node, python])
def test_every_server_takes_the_same_load(make: Callable[[], Peer], tmp_path: Path) -> None:
    with started(make(), tmp_path) as server:
        busy = short(server, "fan-out", 30, 30)
        check(busy)
        assert busy.server_us > 0
        check(short(server, "pairs", 10, 2))
        check(short(server, "connects", 4, 1))
        idle = short(server, "idle", 50, 2)
        assert idle.units == 50
        # So few may cost less than what the server happens to free meanwhile.
        assert abs(idle.each) < 1024
        if make is rejoinder:
            check(short(server, "streams", 4, 1))


@pytest.mark.parametrize(
    ("lie", "caught"),
    [
        ("lose one", "lost, repeated or out of order"),
        ("lose all", "lost, repeated or out of order|still waits for 4 deliveries"),
        ("repeat", "lost, repeated or out of order"),
        ("reorder", "lost, repeated or out of order"),
        ("elsewhere", "another room|out of order"),
    ],
)
def test_a_server_that_lies_gets_no_figures(lie: str, caught: str, tmp_path: Path) -> None:
    with started(liar(lie), tmp_path) as server, pytest.raises(Trouble, match=caught):
        play(plan(server, "pairs", 8, 4, patience=1.0))


def test_a_last_message_that_is_lost_is_missed(tmp_path: Path) -> None:
    """With one sender nothing comes after a lost message that could show the hole."""
    with started(liar("lose all"), tmp_path) as server:
        alone = plan(server, "pairs", 1, 1, patience=0.5)
        with pytest.raises(Trouble, match=r"nothing was delivered|still waits for 1 deliveries"):
            play(alone)


def test_a_server_that_does_not_start_is_told_of(tmp_path: Path) -> None:
    broken = Peer("broken", [sys.executable, "-c", "raise SystemExit('no port is free')"])
    with pytest.raises(Trouble, match="no port is free"), started(broken, tmp_path):
        pass


def test_cpu_time_and_memory_are_the_processs_own() -> None:
    before, own = cpu_seconds(os.getpid()), time.process_time()
    while time.process_time() < own + 0.05:
        pass
    assert 0.03 <= cpu_seconds(os.getpid()) - before < 1
    assert rss_kib(os.getpid()) > 1024


def test_percentiles() -> None:
    times = array("d", [5, 1, 4, 2, 3])
    assert [percentile(times, percent) for percent in (1, 50, 99, 100)] == [1, 3, 5, 5]
    assert percentile(array("d"), 50) == 0


def test_the_order_of_the_servers_turns_round() -> None:
    assert list(alternately(["a", "b", "c"], 3)) == [*"abc", *"cba", *"abc"]


def figures(server_us: float, each: float = 0) -> Figures:
    return Figures(
        units=1000, rate=500, server_us=server_us, p50=1, p99=2, rss=64, server=0.9,
        generator=0.5, each=each,
    )  # fmt: skip


def test_tables_show_the_median_and_the_ratios(tmp_path: Path) -> None:
    found: dict[tuple[Load, str], list[Figures]] = {
        ("fan-out", "ours"): [figures(30), figures(10), figures(20)],
        ("fan-out", "theirs"): [figures(40)],
        ("streams", "ours"): [figures(7)],
        ("idle", "ours"): [figures(1, each=12)],
        ("idle", "theirs"): [figures(1, each=24)],
    }
    assert load_table("fan-out", found)[2:] == [
        "| ours | 500 | 20.0 µs | 10.0 to 30.0 | 1.0 ms | 2.0 ms | 64 MiB | 90% | 50% |",
        "| theirs | 500 | 40.0 µs | 40.0 to 40.0 | 1.0 ms | 2.0 ms | 64 MiB | 90% | 50% |",
    ]
    assert load_table("idle", found)[2] == "| ours | 12.0 KiB | 12.0 to 12.0 | 64 MiB |"
    ratios = ratio_table(found, "ours")
    assert ratios == [
        "| ours | against theirs |",
        "|---|---|",
        "| fan-out: CPU for a delivery | 0.50 |",
        "| idle: memory for a connection | 0.50 |",
    ]
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- chat: made by a command -->\nold\n<!-- chat: end -->\nb\n")
    put_section(page, "chat", ratios)
    text = page.read_text()
    assert "0.50" in text
    assert "old" not in text
    assert (text[:2], text[-3:]) == ("a\n", "\nb\n")


@pytest.mark.parametrize(("server", "told"), [(0.5, "95% (the limit)"), (0.99, "95%")])
def test_a_load_generator_that_set_the_pace_is_told_of(server: float, told: str) -> None:
    run = msgspec.structs.replace(figures(10), server=server, generator=0.95)
    table = load_table("pairs", {("pairs", "ours"): [figures(10), run, figures(10)]})
    assert table[-1].endswith(f"| {told} |")


def test_the_machine_is_described_without_a_name(tmp_path: Path) -> None:
    told = machine("Node v20")
    assert told.endswith(", Node v20")
    assert platform.node() not in told
    assert "/" not in file_system(tmp_path)
