"""Measure the search of the embedded store: what the index costs, how large it is, and how long a search takes.

python bench/search.py [--messages 1000000] [--rooms 1000]
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

from rejoinder.core.search import wanted
from rejoinder.protocol.events import ChatMessage
from rejoinder.protocol.fields import iso
from rejoinder.stores.indexing import index_store
from rejoinder.stores.records import StoredMember
from rejoinder.stores.sqlite import SqliteStore

PAGE = 1000
TRIES = 50
HITS = 20
RARE = 0.0001
ROOMS_OF_ANN = 100
NOW = 1_767_225_600_000
WORDS = [
    "오늘",
    "날씨가",
    "참",
    "좋네요",
    "산책하러",
    "갈까요",
    "고양이가",
    "밥을",
    "안",
    "먹어요",
    "내일은",
    "비가",
    "온다고",
    "해요",
    "the",
    "weather",
    "is",
    "nice",
    "today",
    "let",
    "us",
    "go",
    "for",
    "a",
    "walk",
    "my",
    "cat",
    "does",
    "not",
    "eat",
    "회의는",
    "세",
    "시에",
    "시작합니다",
    "자료를",
    "보내",
    "주세요",
    "감사합니다",
    "please",
    "send",
    "the",
    "file",
]
QUERIES = ("고양", "고양이", "회의는 자료", "weather", "무지개", "비", "zyzzyva")


def _message(room_id: str, seq: int, chance: random.Random) -> ChatMessage:
    text = " ".join(chance.choices(WORDS, k=8))
    rare = " 무지개" if chance.random() < RARE else ""
    return ChatMessage(
        id=f"{room_id} {seq}",
        room_id=room_id,
        seq=seq,
        role="user",
        sender_id="ann",
        content=text + rare,
        state="complete",
        timestamp=iso(NOW + seq * 1000),
    )


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 2**20


async def _fill(store: SqliteStore, rooms: int, each: int) -> None:
    chance = random.Random(1)  # noqa: S311 - texts, not secrets
    for number in range(rooms):
        room_id = f"room {number:05}"
        await store.create_room(room_id, "ann", NOW, None)
        if number % max(1, rooms // ROOMS_OF_ANN) == 0:
            await store.add_member(room_id, StoredMember("ann", "Ann", NOW))
        for begin in range(1, each + 1, PAGE):
            last = min(each, begin + PAGE - 1)
            await store.put_messages(
                [_message(room_id, seq, chance) for seq in range(begin, last + 1)]
            )


async def _search(store: SqliteStore) -> None:
    for query in QUERIES:
        looked_for = wanted(query)
        if looked_for is None:
            continue
        times: list[float] = []
        found = await store.search("ann", looked_for, HITS)
        for _ in range(TRIES):
            begun = time.perf_counter()
            await store.search("ann", looked_for, HITS)
            times.append(time.perf_counter() - begun)
        ordered = sorted(times)
        print(
            f"{query}: {len(found.messages)} hits, p50 {ordered[len(ordered) // 2] * 1000:.1f} ms, "
            f"slowest {ordered[-1] * 1000:.1f} ms, complete: {found.complete}"
        )


async def main() -> None:
    """Fill a store, index it, search it, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rooms", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = SqliteStore(folder / "chat.db")
        await store.open()
        try:
            begun = time.perf_counter()
            await _fill(store, arguments.rooms, arguments.messages // arguments.rooms)
            print(f"filled in {time.perf_counter() - begun:.0f} s, {_size(folder):.0f} MiB")
            begun, cpu = time.perf_counter(), time.process_time()
            rows = await index_store(store, lambda _: None)
            took, used = time.perf_counter() - begun, time.process_time() - cpu
            print(
                f"indexed {rows} in {took:.0f} s, {used / rows * 1e6:.0f} us of CPU each, "
                f"{_size(folder):.0f} MiB"
            )
            await _search(store)
        finally:
            await store.close()


if __name__ == "__main__":
    asyncio.run(main())
