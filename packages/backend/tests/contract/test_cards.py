"""Character cards over REST: imported, offered at once, exported, deleted; their pictures; who may."""

import asyncio
import io
import json
import zipfile
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.characters.cards import samples
from tests.characters.openai.faulty import Exchange, faulty
from tests.support import schema
from tests.support.chat import Connect
from tests.support.process import OPERATOR, ServerProcess, Start
from tests.support.rest import Answer, request
from tests.support.tokens import token, unique

from rejoinder.characters.cards import png
from rejoinder.characters.cards.files import read

JPEG = b"\xff\xd8\xff\xe0" + b"a picture, as far as anybody looks" + b"\xff\xd9"
HTML = b"<html><script>alert(1)</script>"


def image(side: int = 8) -> bytes:
    """A PNG of more than a pixel, with texts in it."""
    rows = b"".join(b"\0" + bytes([30 * n % 256]) * side for n in range(side))
    parts = [
        png.Chunk(b"IHDR", png._HEADER.pack(side, side, 8, 0, 0, 0, 0)),
        png.Chunk(b"tEXt", b"Comment\0secret"),
        png.Chunk(b"IDAT", zlib.compress(rows)),
        png.Chunk(b"IEND", b""),
    ]
    return png.SIGNATURE + b"".join(part.encoded() for part in parts)


def card(name: str = "", **more: Any) -> dict[str, Any]:
    data = {**samples.V3["data"], "name": name or unique("Ada"), **more}
    return {**samples.V3, "data": data}


def charx(raw: object, files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("card.json", json.dumps(raw))
        for path, content in files.items():
            archive.writestr(path, content)
    return packed.getvalue()


@pytest.fixture
def cards_server(start: Start, tmp_path: Path) -> ServerProcess:
    return start("--characters", str(_file(tmp_path)))


def _file(folder: Path, address: str = "http://127.0.0.1:9/v1") -> Path:
    path = folder / "characters.toml"
    path.write_text(
        f'[endpoints.near]\nbase_url = "{address}"\nmodel = "m"\nask_tokens = false\n'
        '[cards]\nendpoint = "near"\n'
    )
    return path


async def put(server: ServerProcess, content: bytes, bearer: str = "") -> Answer:
    bearer = bearer or token(unique("user"))
    return await request(server, "POST", "/api/characters", bearer=bearer, raw=content)


async def listed(server: ServerProcess) -> dict[str, dict[str, Any]]:
    found = await request(server, "GET", "/api/characters")
    return {each["id"]: each for each in found.body}


async def fetched(
    server: ServerProcess, path: str, bearer: str = ""
) -> tuple[int, dict[str, str], bytes]:
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{server.url}/{path.lstrip('/')}", headers=headers) as response,
    ):
        return response.status, dict(response.headers), await response.read()


@pytest.mark.parametrize("kind", ["json", "png", "charx"])
async def test_a_card_is_imported_talked_to_exported_and_deleted(
    start: Start, connect: Connect, tmp_path: Path, kind: str, room: str
) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.say("Hello, ", "I am Ada.")

    async with faulty(script) as endpoint:
        flags = ("--characters", str(_file(tmp_path, endpoint.url)))
        server = await asyncio.to_thread(start, *flags)
        ann = token(unique("user"))
        raw = card("에이다 Ada")
        content = {
            "json": json.dumps(raw).encode(),
            "png": png.with_card(image(), b"ccv3", json.dumps(raw).encode()),
            "charx": charx(raw, {"assets/icon/images/main.png": image()}),
        }[kind]
        imported = await put(server, content, ann)
        assert imported.status == 201, imported.body
        assert schema.problems({"$ref": "#/$defs/CardImported"}, imported.body) == []
        character = imported.body["character"]
        assert (character["name"], character["card"]) == ("에이다 Ada", True)
        assert ("picture" in character) == (kind != "json")
        assert (await listed(server))[character["id"]] == character
        again = await put(server, content, ann)
        assert (again.status, again.body["fresh"]) == (200, False)

        kim = await connect(server)
        await kim.join(room, characterId=character["id"])
        await kim.ask(room, "Who are you?", characterId=character["id"])
        assert (await kim.sees("message:stream:end"))["content"] == "Hello, I am Ada."

        one = f"/api/characters/{character['id']}"
        for wanted in ("json", "png", "charx"):
            status, headers, exported = await fetched(server, f"{one}/card?format={wanted}", ann)
            assert status == 200
            assert read(exported).card.raw == raw
            assert read(exported).format == wanted
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert f"Ada.{wanted}" in headers["Content-Disposition"]
        assert (await request(server, "DELETE", one, bearer=ann)).status == 200
        assert character["id"] not in await listed(server)
        assert (await request(server, "DELETE", one, bearer=ann)).code == "not_found"
        assert list((server.data_dir / "characters").iterdir()) == []
        await kim.refused(
            "message:send:stream",
            {"roomId": room, "content": "x", "characterId": character["id"]},
            "not_found",
        )


async def test_a_picture_is_a_picture_and_holds_no_card(cards_server: ServerProcess) -> None:
    raw = card(system_prompt="a secret prompt")
    content = png.with_card(image(), b"ccv3", json.dumps(raw).encode())
    character = (await put(cards_server, content)).body["character"]
    status, headers, shown = await fetched(cards_server, character["picture"])
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "immutable" in headers["Cache-Control"]
    kinds = [chunk.kind for chunk in png.chunks(shown)]
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]
    assert b"secret" not in shown
    status, headers, _ = await fetched(cards_server, character["picture"].partition("?")[0])
    assert (status, headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"assets/icon/images/main.jpg": JPEG}, "image/jpeg"),
        ({"assets/icon/images/main.webp": b"RIFF\0\0\0\0WEBPVP8 "}, "image/webp"),
        ({"assets/icon/images/main.png": HTML}, ""),
        ({"assets/icon/images/main.svg": b"<svg onload='alert(1)'/>"}, ""),
        ({"assets/other/main.jpg": JPEG}, ""),
    ],
)
async def test_only_what_begins_as_a_picture_is_shown(
    cards_server: ServerProcess, files: dict[str, bytes], kind: str
) -> None:
    character = (await put(cards_server, charx(card(), files))).body["character"]
    one = f"api/characters/{character['id']}/picture"
    status, headers, _ = await fetched(cards_server, one)
    assert status == (200 if kind else 404)
    assert ("picture" in character) == bool(kind)
    if kind:
        assert headers["Content-Type"] == kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"no card",
        HTML,
        image(),
        JPEG,
        b"PK\x03\x04",
        json.dumps(card("")).encode()[:-9],
    ],
)
async def test_what_is_no_card_is_refused_with_a_sentence(
    cards_server: ServerProcess, content: bytes
) -> None:
    refused = await put(cards_server, content)
    assert (refused.status, refused.code) == (400, "invalid_payload")
    assert str(cards_server.data_dir) not in refused.body["error"]
    assert not (cards_server.data_dir / "characters").exists()


async def test_a_large_file_is_taken_and_a_too_large_one_is_not(
    cards_server: ServerProcess,
) -> None:
    large = charx(card(), {"assets/other/sound.bin": b"x" * (20 << 20)})
    assert (await put(cards_server, large)).status == 201
    assert (await put(cards_server, b"{" + b" " * (33 << 20))).code == "too_large"


async def test_what_is_no_card_of_the_library_is_neither_exported_nor_deleted(
    cards_server: ServerProcess,
) -> None:
    ann = token(unique("user"))
    for character_id in ("echo", "nobody", "..%2F..%2Fsecret"):
        one = f"/api/characters/{character_id}"
        for method, path in (("DELETE", one), ("GET", f"{one}/card")):
            assert (await request(cards_server, method, path, bearer=ann)).code == "not_found"
    assert "echo" in await listed(cards_server)


async def test_in_production_only_the_operator_may(start: Start, tmp_path: Path) -> None:
    server = start("--mode=production", "--characters", str(_file(tmp_path)))
    ann, content = token(unique("user")), json.dumps(card()).encode()
    info = await request(server, "GET", "/api/info")
    assert info.body["cards"] == "operator"
    assert (await put(server, content, ann)).code == "forbidden"
    imported = await put(server, content, OPERATOR)
    assert imported.status == 201
    one = f"/api/characters/{imported.body['character']['id']}"
    for method, path in (("GET", f"{one}/card"), ("DELETE", one)):
        assert (await request(server, method, path, bearer=ann)).code == "forbidden"
        assert (await request(server, method, path)).code == "unauthorized"
    assert (await request(server, "DELETE", one, bearer=OPERATOR)).status == 200


async def test_without_anybody_to_speak_for_it(server: ServerProcess) -> None:
    info = await request(server, "GET", "/api/info")
    assert info.body["cards"] == "nobody"
    refused = await put(server, json.dumps(card()).encode())
    assert (refused.status, refused.code) == (503, "unavailable")
    assert "nobody who could speak for a card" in refused.body["error"]


async def test_a_card_is_there_after_a_restart(cards_server: ServerProcess) -> None:
    content = png.with_card(image(), b"ccv3", json.dumps(card()).encode())
    character = (await put(cards_server, content)).body["character"]
    cards_server.stop()
    cards_server.start()
    assert (await listed(cards_server))[character["id"]] == character


async def test_slow_uploads_keep_no_import_and_no_export_waiting(
    cards_server: ServerProcess,
) -> None:
    enough = asyncio.Event()

    async def trickling(content: bytes) -> AsyncIterator[bytes]:
        for at in range(len(content)):
            if enough.is_set():
                yield content[at:]
                return
            yield content[at : at + 1]
            with suppress(TimeoutError):
                await asyncio.wait_for(enough.wait(), 0.5)

    async def slow(http: aiohttp.ClientSession) -> int:
        headers = {"authorization": f"Bearer {token(unique('user'))}"}
        body = trickling(json.dumps(card()).encode())
        address = cards_server.url + "/api/characters"
        async with http.post(address, headers=headers, data=body) as response:
            return response.status

    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as uploads:
        slow_ones = [uploads.create_task(slow(http)) for _ in range(5)]
        async with asyncio.timeout(40):
            added = await put(cards_server, json.dumps(card()).encode())
            assert added.status == 201
            path = f"/api/characters/{added.body['character']['id']}/card"
            exported = await request(cards_server, "GET", path, bearer=token(unique("user")))
            assert exported.status == 200
        assert not any(each.done() for each in slow_ones)
        enough.set()
    assert [each.result() for each in slow_ones] == [201] * 5
