"""What measures the way through takes no figures of answers that lose something."""

from array import array

import pytest
from through import Viewer, event, measure
from wire import Trouble

CHUNK = b'42["message:stream:chunk",{"messageId":"m","index":%d,"offset":%d,"delta":"%b"}]'
END = b'42["message:stream:end",{"messageId":"m","content":"%b","state":"%b"}]'


def test_takes_a_time_of_each_delta_that_was_joined() -> None:
    times = array("d")
    viewer = Viewer(times)
    viewer.hear(CHUNK % (0, 0, b"1;2;"), b"")
    viewer.hear(CHUNK % (1, 4, b"3;"), b"")
    viewer.hear(END % (b"1;2;3;", b"complete"), b"")
    assert len(times) == 3
    assert min(times) > 0
    assert viewer.ended


@pytest.mark.parametrize(
    "heard",
    [
        [CHUNK % (1, 2, b"2;")],
        [CHUNK % (0, 0, b"1;"), CHUNK % (0, 0, b"1;")],
        [CHUNK % (0, 0, b"1;"), END % (b"1;2;", b"complete")],
        [CHUNK % (0, 0, b"1;"), END % (b"1;", b"stopped")],
        [b'42["message:stream:error",{"messageId":"m"}]'],
    ],
)
def test_notices_what_is_wrong(heard: list[bytes]) -> None:
    viewer = Viewer(array("d"))

    def hear() -> None:
        for each in heard:
            viewer.hear(each, b"")

    with pytest.raises(Trouble):
        hear()


def test_an_event_is_a_chunk_of_http() -> None:
    assert event("{}") == b"a\r\ndata: {}\n\n\r\n"


async def test_measures_a_real_server() -> None:
    found = await measure(3, 50, 0.5)
    assert found.deltas > 0
    assert 0 < found.p50 <= found.p99
