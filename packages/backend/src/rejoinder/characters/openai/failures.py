"""What went wrong with an endpoint, as a sentence for whoever talks with the character.

The sentences name the character and nothing of the inside: no key, no address, nothing that the endpoint said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Locale = Literal["en", "ko"]
Kind = Literal[
    "unreachable", "refused", "busy", "gone", "declined", "too_long", "broken", "cut", "late", "silent",
    "unreadable", "filtered", "empty", "no_room", "leaving",
]  # fmt: skip

SENTENCES: Final[Mapping[Locale, Mapping[Kind, str]]] = MappingProxyType(
    {
        "en": {
            "unreachable": "{name} can't be reached right now. Try again in a minute.",
            "refused": "{name} can't answer: this server has no access to its model. Tell whoever runs the server.",
            "busy": "{name} is asked too much right now. Try again {when}.",
            "gone": "{name} can't answer: its model is not there any more. Tell whoever runs the server.",
            "declined": "The model of {name} did not take this message. Try it with other words.",
            "too_long": "This conversation is too long for {name}. Try a shorter message.",
            "broken": "The model of {name} has a problem. Try again in a minute.",
            "cut": "The answer of {name} broke off. Try again.",
            "late": "{name} did not begin to answer in time. Try again.",
            "silent": "{name} fell silent in the middle of the answer. Try again.",
            "unreadable": "The model of {name} sent something that can't be read. Try again.",
            "filtered": "The model of {name} kept its answer back, because of its rules. Try it with other words.",
            "empty": "{name} has no answer to that. Try again, or say more.",
            "no_room": "What {name} was told to be leaves no room for a message.",
            "leaving": "The answer was cut short because {name} is leaving.",
        },
        # The name stands where no particle after it depends on its last letter.
        "ko": {
            "unreachable": "지금은 {name}에 연결할 수 없습니다. 잠시 후 다시 시도해 주세요.",
            "refused": "서버에 {name}의 모델을 사용할 권한이 없어 답할 수 없습니다. 서버 관리자에게 알려 주세요.",
            "busy": "지금은 {name}에게 요청이 너무 많습니다. {when} 다시 시도해 주세요.",
            "gone": "{name}의 모델이 더 이상 없어 답할 수 없습니다. 서버 관리자에게 알려 주세요.",
            "declined": "{name}의 모델이 이 메시지를 받지 않았습니다. 다른 표현으로 시도해 주세요.",
            "too_long": "대화가 {name}에게 너무 깁니다. 더 짧은 메시지로 시도해 주세요.",
            "broken": "{name}의 모델에 문제가 있습니다. 잠시 후 다시 시도해 주세요.",
            "cut": "{name}의 답변이 중간에 끊겼습니다. 다시 시도해 주세요.",
            "late": "{name}의 답변이 제시간에 시작되지 않았습니다. 다시 시도해 주세요.",
            "silent": "{name}의 답변이 도중에 멈췄습니다. 다시 시도해 주세요.",
            "unreadable": "{name}의 모델이 읽을 수 없는 내용을 보냈습니다. 다시 시도해 주세요.",
            "filtered": "{name}의 모델이 자체 규칙에 따라 답변을 보류했습니다. 다른 표현으로 시도해 주세요.",
            "empty": "{name}에게서 답변이 없습니다. 다시 시도하거나 더 자세히 말해 주세요.",
            "no_room": "{name}의 설정이 너무 길어 메시지를 넣을 자리가 없습니다.",
            "leaving": "{name}의 연결이 종료되어 답변이 중단되었습니다.",
        },
    }
)
_WHEN: Final[Mapping[Locale, tuple[str, str]]] = MappingProxyType(
    {"en": ("in a minute", "in {seconds} seconds"), "ko": ("잠시 후", "{seconds}초 후")}
)
# Worth another try, as long as nothing of the answer has come.
_PASSING: Final = frozenset[Kind]({"unreachable", "busy", "broken", "cut"})
_CODES: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "context_length_exceeded": "too_long",
        "insufficient_quota": "refused",
        "invalid_api_key": "refused",
    }
)
_STATUSES: Final[Mapping[int, Kind]] = MappingProxyType(
    {
        401: "refused",
        402: "refused",
        403: "refused",
        404: "gone",
        405: "gone",
        407: "refused",
        408: "broken",
        410: "gone",
        413: "too_long",
        429: "busy",
    }
)
_LONGEST_WAIT = 86_400.0


@dataclass(eq=False)
class EndpointError(Exception):
    """An answer has failed. `detail` is for the log, and says nothing that the endpoint said."""

    kind: Kind
    detail: str
    retry_after: float | None = None
    """Seconds that the endpoint asks to be left alone for."""

    def __post_init__(self) -> None:
        super().__init__(self.kind, self.detail)

    @property
    def passing(self) -> bool:
        """Whether another try may help."""
        return self.kind in _PASSING


def sentence(kind: Kind, name: str, locale: Locale, retry_after: float | None = None) -> str:
    """What people are told."""
    soon, later = _WHEN[locale]
    when = soon if retry_after is None else later.format(seconds=max(1, round(retry_after)))
    return SENTENCES[locale][kind].format(name=name, when=when)


def of_status(status: int, code: str, retry_after: str) -> EndpointError:
    """The failure that an HTTP status means, with the endpoint's code of an error and its header `Retry-After`."""
    seconds = _seconds(retry_after) if status in {429, 503} else None
    return EndpointError(_kind(status, code), f"status {status}", seconds)


def _kind(status: int, code: str) -> Kind:
    if code in _CODES:
        return _CODES[code]
    if status in _STATUSES:
        return _STATUSES[status]
    return "declined" if 400 <= status < 500 else "broken"  # noqa: PLR2004 - HTTP's numbers are their names


def _seconds(retry_after: str) -> float | None:
    # It may also be a date; the clocks of two machines say too little about that.
    try:
        seconds = float(retry_after)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _LONGEST_WAIT else None
