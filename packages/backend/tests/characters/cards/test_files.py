"""Cards in and out of each kind of file: nothing is lost, and nothing bad comes in."""

import io
import json
import struct
import zipfile
import zlib
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings, strategies as st
from tests.characters.cards.samples import ALL, V1, V2, V3, picture, text

from rejoinder.characters.cards import (
    CardFile,
    Format,
    UnusableCard,
    charx,
    left_out,
    png,
    read,
    text as json_text,
    write,
)
from rejoinder.errors import ChatError

FORMATS = get_args(Format)


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for path, content in entries.items():
            archive.writestr(path, content)
    return packed.getvalue()


@pytest.mark.parametrize("version", ALL)
@pytest.mark.parametrize("wanted", FORMATS)
def test_a_round_trip_loses_nothing(version: str, wanted: Format) -> None:
    source = read(text(ALL[version]))
    again = read(write(source, wanted))
    assert again.format == wanted
    assert again.card.version == version
    assert again.card == source.card
    assert again.card.raw == ALL[version]
    assert list(again.card.raw) == list(ALL[version])


def test_reads_what_there_is() -> None:
    card = read(text(V3)).card
    assert (card.name, card.nickname, card.creator) == ("Ada", "Countess", "someone")
    assert card.alternate_greetings == ("Oh, {{user}}!", "What now?")
    assert card.tags == ("history", "공학")
    assert card.book is not None
    assert (card.book.scan_depth, card.book.token_budget) == (2, 500)
    (entry,) = card.book.entries
    assert (entry.keys, entry.priority, entry.position) == (("engine",), 3, "after_char")


def test_a_byte_order_mark_is_none_of_the_card() -> None:
    assert read(b"\xef\xbb\xbf" + text(V1)).card.name == "Ada"


def test_of_two_cards_in_a_picture_the_newer_counts_and_is_all_that_is_written() -> None:
    both = picture((b"chara", {**V2, "spec_version": "old"}), (b"ccv3", V3))
    source = read(both)
    assert source.card.version == "3"
    written = write(source, "png")
    kinds = [(chunk.kind, chunk.data.partition(b"\0")[0]) for chunk in png.chunks(written)]
    assert (b"tEXt", b"ccv3") in kinds
    assert (b"tEXt", b"chara") not in kinds
    assert [kind for kind, _ in kinds] == [b"IHDR", b"prVt", b"tEXt", b"IDAT", b"tEXt", b"IEND"]
    assert b"a picture" in written
    assert read(picture((b"chara", V2))).card.version == "2"


def test_a_charx_keeps_its_files_and_a_picture_goes_into_one() -> None:
    files = {
        "assets/icon/images/main.png": png.blank(),
        "app.json": b"{}",
        "a/b c.bin": bytes(range(256)),
    }
    source = read(zipped({"card.json": text(V3), **files}))
    assert source.files == files
    again = read(write(source, "charx"))
    assert again == source
    assert read(write(source, "png")).picture.startswith(png.SIGNATURE)
    assert left_out(source, "charx") == ""
    assert left_out(source, "png") == left_out(source, "json") == "3 files"
    drawn = read(picture((b"ccv3", V3)))
    assert read(write(drawn, "charx")).files == {"assets/icon/images/main.png": drawn.picture}
    assert (left_out(drawn, "json"), left_out(drawn, "png")) == ("picture", "")


def test_a_zip_behind_a_jpeg() -> None:
    assert read(b"\xff\xd8\xff\xe0 a picture" + zipped({"card.json": text(V3)})).card.name == "Ada"


def without(raw: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**raw, "data": {**raw["data"], **changes}}


def nested(depth: int) -> bytes:
    deep = b"[" * depth + b"]" * depth
    return b'{"spec": "chara_card_v2", "data": {"name": "Ada", "x": ' + deep + b"}}"


def header(width: int, height: int) -> bytes:
    good = picture((b"chara", V2))
    chunk = png.Chunk(b"IHDR", struct.pack(">II5B", width, height, 8, 0, 0, 0, 0))
    return good[:8] + chunk.encoded() + good[8 + 25 :]


def bomb() -> bytes:
    return zipped({"card.json": text(V3), "zeros": bytes(charx.MAX_OPEN_BYTES + 1)})


def lying_bomb() -> bytes:
    """One whose directory says that it is small."""
    packed = zipped({"card.json": b" " * (json_text.MAX_BYTES + 1)})
    size = struct.pack("<I", json_text.MAX_BYTES + 1)
    return packed.replace(size, struct.pack("<I", 100))


def encrypted() -> bytes:
    packed = bytearray(zipped({"card.json": text(V3)}))
    place = packed.index(b"PK\x01\x02")
    packed[place + 8] |= 1
    return bytes(packed)


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no JSON"),
    "no JSON": (b"hello", "no JSON"),
    "no UTF-8": (b'{"name": "\xff"}', "no JSON"),
    "no object": (b"[]", "no JSON object"),
    "no card": (b"{}", "no character card"),
    "not a number": (b'{"spec": NaN}', "no JSON"),
    "infinite": (b'{"spec": 1e999}', "no JSON"),
    "a huge number": (b'{"spec": ' + b"9" * 5000 + b"}", "no JSON"),
    "too deep": (nested(70), "nested too deep"),
    "far too deep": (nested(100_000), "nested too deep"),
    "too long": (b" " * (json_text.MAX_BYTES + 1), "larger than"),
    "no data": (text({"spec": "chara_card_v2"}), "no object"),
    "data of another type": (text({"spec": "chara_card_v3", "data": 5}), "data is no object"),
    "no name": (text(without(V2, name=" ")), "no name"),
    "a name that can't be seen": (text(without(V2, name="\u200b\x00")), "no name"),
    "a name that is too long": (text(without(V2, name="a" * 257)), "longer than"),
    "a name of another type": (text(without(V2, name=5)), "name is not text"),
    "greetings of another type": (text(without(V2, alternate_greetings=[5])), "a list of texts"),
    "a book of another type": (text(without(V2, character_book=5)), "character_book is no object"),
    "entries of another type": (text(without(V2, character_book={"entries": {}})), "no list"),
    "an entry of another type": (text(without(V2, character_book={"entries": [5]})), r"entries\[0\]"),
    "an order of another type": (
        text(without(V2, character_book={"entries": [{"insertion_order": True}]})),
        r"entries\[0\]\.insertion_order is not a number",
    ),
    "a flag of another type": (
        text(without(V2, character_book={"entries": [{"enabled": 1}]})), "not true or false",
    ),
    "too many entries": (text(without(V2, character_book={"entries": [{}] * 5001})), "5000"),
    "too many keys": (
        text(without(V2, character_book={"entries": [{"keys": ["a"] * 20_001}]})), "20000 keys",
    ),
    "a picture of nothing": (png.blank(), "holds no character card"),
    "half a picture": (picture((b"chara", V2))[:-20], "damaged"),
    "a picture with a wrong checksum": (picture((b"chara", V2))[:-1] + b"x", "damaged"),
    "a picture without an end": (picture((b"chara", V2))[:-12], "damaged"),
    "a picture without a beginning": (png.SIGNATURE + picture((b"chara", V2))[8 + 25 :], "damaged"),
    "a picture far too wide": (header(1_000_000, 1_000_000), "damaged"),
    "a picture of no size": (header(0, 5), "damaged"),
    "a length that is none": (png.SIGNATURE + b"\xff" * 100, "damaged"),
    "no base64": (
        png.with_card(png.blank(), b"chara", b"").replace(
            png.Chunk(b"tEXt", b"chara\0").encoded(), png.Chunk(b"tEXt", b"chara\0!!!").encoded()
        ),
        "damaged",
    ),
    "a picture with no card in it": (png.with_card(png.blank(), b"chara", b"no JSON"), "no JSON"),
    "no zip": (b"PK\x03\x04 and so on", "damaged"),
    "half a zip": (zipped({"card.json": text(V3)})[:-30], "damaged"),
    "an empty zip": (zipped({}), "card.json is missing"),
    "a zip of something else": (zipped({"a.json": text(V3)}), "card.json is missing"),
    "a zip bomb": (bomb(), "more than a card may have"),
    "a zip bomb that lies": (lying_bomb(), "damaged|more than a card"),
    "an encrypted zip": (encrypted(), "encrypted"),
    "a zip with a rare compression": (zipped({"card.json": text(V3)}, zipfile.ZIP_BZIP2), "a way"),
    "a way out": (zipped({"card.json": text(V3), "../a": b""}), "paths"),
    "another way out": (zipped({"card.json": text(V3), "/etc/a": b""}), "paths"),
    "a drive": (zipped({"card.json": text(V3), "c:/a": b""}), "paths"),
    "many files": (zipped({str(number): b"" for number in range(1001)}), "more than 1000 files"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str) -> None:
    content, says = REFUSED[name]
    with pytest.raises(UnusableCard, match=says) as refused:
        read(content)
    assert isinstance(refused.value, ChatError)


def test_refuses_what_is_too_large() -> None:
    with pytest.raises(UnusableCard, match="larger than 64 MiB"):
        read(b"PK\x03\x04" + bytes(charx.MAX_BYTES))
    with pytest.raises(UnusableCard, match="larger than 32 MiB"):
        read(png.SIGNATURE + bytes(png.MAX_BYTES))


def test_a_depth_that_is_allowed() -> None:
    assert read(nested(50).replace(b'"x"', b'"first_mes": "", "x"')).card.name == "Ada"


GOOD = [text(V2), picture((b"ccv3", V3)), zipped({"card.json": text(V3), "a.png": b"\x89"}, 0)]


def check(content: bytes) -> None:
    """Whatever it is: a card, which can be written and read again, or the one error."""
    try:
        source = read(content)
    except UnusableCard as error:
        assert str(error).endswith(".")  # noqa: PT017
        return
    assert isinstance(source, CardFile)
    assert read(write(source, "charx")).card == source.card


@given(st.binary(max_size=400))
@example(b"\x89PNG\r\n\x1a\n")
def test_any_bytes(content: bytes) -> None:
    for start in (b"", png.SIGNATURE, b"PK\x03\x04", b"{"):
        check(start + content)


@given(st.data())
@settings(max_examples=300)
def test_good_files_gone_bad(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(GOOD)))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.integers(0, 2)):
            case 0:
                content[place] = data.draw(st.integers(0, 255))
            case 1:
                del content[place : place + data.draw(st.integers(1, 20))]
            case _:
                content[place:place] = data.draw(st.binary(max_size=8))
        if not content:
            break
    check(bytes(content))


@given(st.data())
def test_pictures_whose_checksums_are_right_but_nothing_else(data: st.DataObject) -> None:
    kinds = st.sampled_from([b"IHDR", b"tEXt", b"IDAT", b"IEND", b"zTXt", b"iTXt"])
    contents = st.binary(max_size=40) | st.sampled_from(
        [b"chara\0", b"ccv3\0e30=", b"ccv3", struct.pack(">II5B", 1, 1, 8, 0, 0, 0, 0)]
    )
    parts = data.draw(st.lists(st.tuples(kinds, contents), max_size=6))
    start = [*png.chunks(png.blank())][:1] if data.draw(st.booleans()) else []
    chunks = [
        *start,
        *(png.Chunk(kind, content) for kind, content in parts),
        png.Chunk(b"IEND", b""),
    ]
    check(png.SIGNATURE + b"".join(chunk.encoded() for chunk in chunks))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)
fields = st.sampled_from([*V3["data"], "unknown"])
entry_fields = st.sampled_from([*V3["data"]["character_book"]["entries"][0], "unknown"])


@given(
    st.dictionaries(fields, json_values, max_size=6),
    st.dictionaries(entry_fields, json_values, max_size=4),
)
@settings(max_examples=200)
def test_any_values_in_any_fields(changes: dict[str, Any], entry: dict[str, Any]) -> None:
    book = {"character_book": {"entries": [entry]}}
    for raw in (without(V3, **changes), without(V2, **book), {**V1, **changes}):
        content = text(raw)
        try:
            source = read(content)
        except UnusableCard:
            continue
        assert json.loads(write(source, "json")) == json.loads(content)


def test_the_picture_of_a_card_without_one_is_a_real_one() -> None:
    chunks = {chunk.kind: chunk.data for chunk in png.chunks(png.blank())}
    assert zlib.decompress(chunks[b"IDAT"]) == b"\0\x80"


def test_what_several_files_open_to_is_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    card = text(V3)
    several = zipped({"card.json": card, "a": bytes(400), "b": bytes(400)})
    monkeypatch.setattr(charx, "MAX_OPEN_BYTES", len(card) + 800)
    assert len(read(several).files) == 2
    monkeypatch.setattr(charx, "MAX_OPEN_BYTES", len(card) + 799)
    with pytest.raises(UnusableCard, match="opens to more"):
        read(several)
