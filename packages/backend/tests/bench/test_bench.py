"""What measures counts right, and no server that lies gets figures."""

import os
import platform
import sys
import time
from array import array
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree as ET

import msgspec
import pytest
from figures import Figures, Load, Plan, cpu_seconds, percentile, rss_kib
from frames import bounds, frame
from loads import SPECS, plan_of
from page import figures_page, plot, write_plots
from report import alternately, file_system, machine, put_section
from servers import PEERS, RELAY, SECRET, Key, Peer, Running, play, started
from tables import Found, load_table
from targets import idle_target, target_table
from wire import Trouble

HERE = Path(__file__).resolve().parent
SECONDS = 0.2
PATIENCE = 5.0

# Clients, members of a room, messages.
TINY: dict[Load, tuple[int, int, int]] = {
    "fan-out": (30, 30, 0),
    "pairs": (10, 2, 0),
    "streams": (4, 1, 0),
    "crowd": (10, 10, 0),
    "connects": (4, 1, 0),
    "storm": (20, 2, 5),
    "idle": (50, 2, 0),
    "pages": (4, 2, 120),
}


def plan(server: Running, load: Load, patience: float = PATIENCE) -> Plan:
    clients, room_size, messages = TINY[load]
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
        messages=messages,
        rate=100.0,
    )


def sized(plan: Plan, clients: int, room_size: int) -> Plan:
    return msgspec.structs.replace(plan, clients=clients, room_size=room_size)


def liar(lie: str) -> Peer:
    return Peer(
        "python",
        f"a server that lies: {lie}",
        [sys.executable, str(HERE / "lying.py"), lie],
        RELAY,
    )


def check(load: Load, found: Figures) -> None:
    assert found.units > 0
    wall = found.units / found.rate
    # The timers of an event loop are whole milliseconds.
    assert wall < PATIENCE
    if load not in ("storm", "idle"):
        assert wall >= 0.9 * SECONDS
    if load != "pages":
        assert found.server == pytest.approx(found.server_us * found.rate / 1e6)
    assert 0 < found.server < 1.2
    assert 0 < found.generator < 1.2
    if load != "idle":
        assert 0 < found.p50 <= found.p99
    assert found.rss > 10


@pytest.mark.parametrize("key", get_args(Key))
def test_every_server_takes_the_same_loads(key: Key, tmp_path: Path) -> None:
    peer = PEERS[key]()
    found: dict[Load, Figures] = {}
    with started(peer, tmp_path) as server:
        for load in peer.loads:
            found[load] = play(plan(server, load))
            check(load, found[load])
    assert found["idle"].units == TINY["idle"][0]
    # So few may cost less than what the server happens to free meanwhile.
    assert abs(found["idle"].each) < 1024
    if "storm" in found:
        assert found["storm"].units % TINY["storm"][0] == 0
        assert found["storm"].whole > 0
    if "pages" in found:
        pages = found["pages"]
        assert 0 < pages.alone_p50 <= pages.alone_p99
        assert 0 < pages.send_p50 <= pages.send_p99


@pytest.mark.parametrize(
    ("lie", "caught"),
    [
        ("lose one", "lost, repeated or out of order"),
        ("lose all", "lost, repeated or out of order|still waits for deliveries"),
        ("repeat", "lost, repeated or out of order"),
        ("reorder", "lost, repeated or out of order"),
        ("elsewhere", "another room|out of order"),
        ("change one", "lost, repeated or out of order"),
    ],
)
def test_a_server_that_lies_gets_no_figures(lie: str, caught: str, tmp_path: Path) -> None:
    with started(liar(lie), tmp_path) as server, pytest.raises(Trouble, match=caught):
        play(sized(plan(server, "pairs", patience=1.0), 8, 4))


@pytest.mark.parametrize(
    ("lie", "load", "caught"),
    [
        ("lose a chunk", "streams", "a chunk was lost"),
        ("lose a chunk of one", "crowd", "lost, repeated or out of order"),
        ("forget", "storm", "was given .* of what they missed"),
    ],
)
def test_a_server_that_lies_of_more_gets_none_either(
    lie: str, load: Load, caught: str, tmp_path: Path
) -> None:
    with started(liar(lie), tmp_path) as server, pytest.raises(Trouble, match=caught):
        play(plan(server, load, patience=1.0))


def test_a_last_message_that_is_lost_is_missed(tmp_path: Path) -> None:
    """With one sender nothing comes after a lost message that could show the hole."""
    with started(liar("lose all"), tmp_path) as server:
        alone = sized(plan(server, "pairs", patience=0.5), 1, 1)
        with pytest.raises(Trouble, match=r"nothing was delivered|still waits for deliveries"):
            play(alone)


def test_a_server_that_does_not_start_is_told_of(tmp_path: Path) -> None:
    broken = Peer("python", "broken", [sys.executable, "-c", "raise SystemExit('no port is free')"])
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


NAMES: dict[Key, str] = {"rejoinder": "ours", "bare": "bare", "node": "Node", "python": "Python"}


def some() -> Found:
    return {
        ("fan-out", "rejoinder"): [figures(30), figures(10), figures(20)],
        ("fan-out", "node"): [figures(40), figures(40), figures(20)],
        ("streams", "rejoinder"): [figures(7)],
        ("streams", "python"): [figures(10)],
        ("idle", "rejoinder"): [figures(1, each=12)],
        ("idle", "node"): [figures(1, each=24)],
    }


def test_tables_show_the_median_and_the_range() -> None:
    assert load_table("fan-out", some(), NAMES)[1:] == [
        "|---|---|---|---|---|---|---|---|---|",
        "| ours | 500 | 20.0 µs | 10.0 to 30.0 | 1.0 ms | 2.0 ms | 64 MiB | 90% | 50% |",
        "| Node | 500 | 40.0 µs | 20.0 to 40.0 | 1.0 ms | 2.0 ms | 64 MiB | 90% | 50% |",
    ]
    assert (
        load_table("idle", some(), NAMES)[2]
        == "| ours | 1,000 | 12.0 KiB | 12.0 to 12.0 | 64 MiB |"
    )


def test_ratios_stand_beside_their_targets() -> None:
    assert target_table(some(), NAMES) == [
        "| ours | against Node | against Python |",
        "|---|---|---|",
        "| ours, fan-out: CPU for a delivery | 0.50 (0.25 to 1.00), at most 0.7: met |  |",
        "| ours, streams: CPU for a chunk |  | 0.70 (0.70 to 0.70), at most 0.2: **not met** |",
        "| ours, idle: memory for a connection | 0.50 (0.50 to 0.50) |  |",
    ]
    assert idle_target(some())[-1].endswith("12.0 KiB, at most 16 KiB: met.")
    assert target_table({("fan-out", "rejoinder"): [figures(1)]}, NAMES) == []


def test_the_page_and_its_plots_are_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- chat: made by a command -->\nold\n<!-- chat: end -->\nb\n")
    put_section(page, "chat", figures_page(some(), NAMES, "plots"))
    text = page.read_text()
    assert "old" not in text
    assert (text[:2], text[-3:]) == ("a\n", "\nb\n")
    assert "In no run was the load generator the limit." in text
    assert "Here 1,000 and not 5,000: the limit of open files." in text
    written = write_plots(some(), NAMES, tmp_path / "plots")
    assert [path.name for path in written] == ["fan-out.svg", "streams.svg", "idle.svg"]
    for path in written:
        assert f"](plots/{path.name})" in text


def test_a_plot_is_drawn_to_scale() -> None:
    names: dict[Key, str] = {**NAMES, "node": "<Node>"}
    drawing = ET.fromstring(plot("fan-out", some(), names))
    bars = [float(bar.attrib["width"]) for bar in drawing.findall("{*}rect")]
    assert bars[0] * 2 == pytest.approx(bars[1])
    assert [text.text for text in drawing.findall("{*}text")][1:] == [
        "ours", "20.0 µs", "<Node>", "40.0 µs",
    ]  # fmt: skip


def test_every_load_has_a_size_that_fits_into_the_files_allowed() -> None:
    assert set(SPECS) == set(get_args(Load)) == set(TINY)
    assert plan_of("idle", "", 1, "", 1, 20_000).clients == 5000
    assert plan_of("idle", "", 1, "", 1, 1_405).clients == 1004
    assert plan_of("fan-out", "", 1, "", 1, 1024).clients == 500


@pytest.mark.parametrize("size", [0, 125, 126, 65_535])
def test_frames_are_as_long_as_they_say(size: int) -> None:
    sent = frame(bytes(size))
    # A client's frame has four bytes of a key more than a server's.
    plain = sent[:1] + bytes([sent[1] & 0x7F]) + sent[2:]
    begin, end = bounds(plain + bytes(4), 0) or (0, 0)
    assert end - begin == size
    assert bounds(plain[: end - 1], 0) is None
    assert bounds(plain[:1], 0) is None


@pytest.mark.parametrize(("server", "told"), [(0.5, "95% (the limit)"), (0.99, "95%")])
def test_a_load_generator_that_set_the_pace_is_told_of(server: float, told: str) -> None:
    run = msgspec.structs.replace(figures(10), server=server, generator=0.95)
    found: Found = {("pairs", "rejoinder"): [figures(10), run, figures(10)]}
    assert load_table("pairs", found, NAMES)[-1].endswith(f"| {told} |")
    said = "marked as the limit" in "".join(figures_page(found, NAMES, None))
    assert said == told.endswith("(the limit)")


def test_the_machine_is_described_without_a_name(tmp_path: Path) -> None:
    told = machine("Node v20")
    assert told.endswith(", Node v20")
    assert platform.node() not in told
    assert "/" not in file_system(tmp_path)
