"""Cards with every field of the specifications, and with fields that those do not know."""

import base64
import copy
import json
from typing import Any

from rejoinder.characters.cards import png

V1: dict[str, Any] = {
    "name": "Ada",
    "description": "{{char}} builds engines.",
    "personality": "precise",
    "scenario": "A workshop.",
    "first_mes": "Hello {{user}}, hand me that wheel.",
    "mes_example": "<START>\n{{user}}: Hi\n{{char}}: Good day.",
}
V2: dict[str, Any] = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {
        **V1,
        "creator_notes": "<script>alert(1)</script> Best in the evening.",
        "system_prompt": "You are {{char}}. {{original}}",
        "post_history_instructions": "Keep it short, {{char}}.",
        "alternate_greetings": ["Oh, {{user}}!", "What now?"],
        "character_book": {
            "name": "The workshop",
            "scan_depth": 2,
            "token_budget": 500,
            "recursive_scanning": False,
            "extensions": {"some/app": {"x": [1, None]}},
            "entries": [
                {
                    "keys": ["engine"],
                    "content": "The engine has 25,000 parts.",
                    "extensions": {"weight": 0.5},
                    "enabled": True,
                    "insertion_order": 10,
                    "case_sensitive": False,
                    "name": "engine",
                    "priority": 3,
                    "id": 7,
                    "comment": "about it",
                    "selective": True,
                    "secondary_keys": [],
                    "constant": False,
                    "position": "after_char",
                }
            ],
        },
        "tags": ["history", "공학"],
        "creator": "someone",
        "character_version": "1.2",
        "extensions": {"agnai/voice": {"id": "v", "list": [True, False, None, 1.5, 10**20]}},
        "an_unknown_field": {"kept": "\ud83d alone"},
    },
    "another": ["kept", {}],
}
V3: dict[str, Any] = copy.deepcopy(V2)
V3["spec"], V3["spec_version"] = "chara_card_v3", "3.0"
V3["data"].update(
    nickname="Countess",
    assets=[
        {
            "type": "icon",
            "uri": "embeded://assets/icon/images/main.png",
            "name": "main",
            "ext": "png",
        }
    ],
    creator_notes_multilingual={"en": "Best in the evening.", "ko": "저녁에 가장 좋습니다."},
    source=["https://example.org/1"],
    group_only_greetings=[],
    creation_date=1700000000,
    modification_date=0,
)
V3["data"]["character_book"]["entries"][0]["use_regex"] = False
ALL = {"1": V1, "2": V2, "3": V3}


def text(raw: object) -> bytes:
    return json.dumps(raw).encode()


def picture(*cards: tuple[bytes, object]) -> bytes:
    """A PNG with these cards in it, by the keyword of each, and a part that nobody knows."""
    parts = [*png.chunks(png.blank())]
    parts.insert(1, png.Chunk(b"prVt", b"whatever"))
    for keyword, raw in cards:
        content = keyword + b"\0" + base64.b64encode(text(raw))
        parts.insert(2, png.Chunk(b"tEXt", content))
    parts.insert(2, png.Chunk(b"tEXt", b"Comment\0a picture"))
    return png.SIGNATURE + b"".join(part.encoded() for part in parts)
