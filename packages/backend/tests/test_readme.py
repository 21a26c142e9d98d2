"""The README's example of embedding, run as it stands."""

import asyncio
import json
import re
import socket
import sys
import urllib.request
from pathlib import Path

import pytest
import socketio

ROOT = Path(__file__).resolve().parents[3]
LINES_MAX = 15
START_SECONDS = 30


def example(name: str) -> str:
    found = re.search(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_example_has_at_most_15_lines(name: str) -> None:
    assert len([line for line in example(name).splitlines() if line.strip()]) <= LINES_MAX


async def test_example_runs_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(example("README.md"), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "uvicorn", "example:app", "--fd", str(listener.fileno()),
            cwd=tmp_path, pass_fds=[listener.fileno()],
        )  # fmt: skip
        try:
            await talk(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            await process.wait()


async def talk(address: str) -> None:
    """Be answered by the example's character, and turned away by its rule on rooms."""
    request = urllib.request.Request(
        f"{address}/chat/api/guest", data=json.dumps({"name": "Ann"}).encode()
    )
    with await asyncio.to_thread(
        urllib.request.urlopen, request, timeout=START_SECONDS
    ) as response:
        guest = json.load(response)
    client = socketio.AsyncClient()
    ended: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()
    client.on("message:stream:end", ended.set_result)
    await client.connect(address, auth={"token": guest["token"]}, socketio_path="/chat/socket.io")
    try:
        assert (await client.call("room:join", {"roomId": "staff-1"}))["code"] == "forbidden"
        entered = await client.call("room:join", {"roomId": "lobby", "characterId": "parrot"})
        assert entered["success"] is True
        sent = await client.call("message:send:stream", {"roomId": "lobby", "content": "good day"})
        assert sent["success"] is True
        assert (await asyncio.wait_for(ended, 10))["content"] == "good! day! "
    finally:
        await client.disconnect()
