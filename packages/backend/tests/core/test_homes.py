"""Where a room is at home."""

from collections import Counter

from hypothesis import given, strategies as st

from rejoinder.core.homes import home_of

SERVERS = ("one", "two", "three")
names = st.text(min_size=1, max_size=8)


@given(room=names, servers=st.lists(names, min_size=1, max_size=6, unique=True), data=st.data())
def test_all_servers_see_the_same_home(room: str, servers: list[str], data: st.DataObject) -> None:
    home = home_of(room, servers)
    assert home in servers
    assert home_of(room, data.draw(st.permutations(servers))) == home


@given(room=names, servers=st.lists(names, min_size=2, max_size=6, unique=True))
def test_a_room_moves_only_if_its_home_goes(room: str, servers: list[str]) -> None:
    home = home_of(room, servers)
    for gone in servers:
        if gone != home:
            assert home_of(room, [server for server in servers if server != gone]) == home


def test_rooms_are_spread_over_the_servers() -> None:
    homes = Counter(home_of(f"room {number}", SERVERS) for number in range(3000))
    assert all(900 < homes[server] < 1100 for server in SERVERS)
