"""The sentences that the server itself says to people, in each language it speaks."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DEFAULT_LOCALE: Final = "en"

REPLACED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "You signed in on another device, so this connection was ended.",
        "ko": "다른 기기에서 로그인하여 이 연결이 종료되었습니다.",
    }
)


def locale_of(wanted: str, default: str = DEFAULT_LOCALE) -> str:
    """The first language of an `Accept-Language` value (RFC 9110, section 12.5.4) that the server speaks."""
    ranked: list[tuple[float, int, str]] = []
    for place, item in enumerate(wanted[:200].split(",")):
        tag, _, parameters = item.strip().partition(";")
        weight = parameters.strip().removeprefix("q=") or "1"
        try:
            ranked.append((-float(weight), place, tag.split("-")[0].lower()))
        except ValueError:
            continue
    spoken = (
        language for weight, _, language in sorted(ranked) if weight < 0 and language in REPLACED
    )
    return next(spoken, default)
