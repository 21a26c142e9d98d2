"""Character cards over REST: in, out, away, and their pictures. All of it is strangers' files."""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal, get_args
from urllib.parse import quote

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from rejoinder.characters.base import CharacterInfo
from rejoinder.characters.cards.files import Format, write
from rejoinder.characters.cards.persona import shown_name
from rejoinder.characters.registry import Characters
from rejoinder.characters.shelf import Shelf
from rejoinder.core.clock import Clock
from rejoinder.core.limits import RateLimit
from rejoinder.errors import Forbidden, InvalidPayload, NotFound
from rejoinder.protocol import events, rest
from rejoinder.protocol.fields import or_unset
from rejoinder.web.access import Access, guarded, path_id, take
from rejoinder.web.answers import answer, is_operator
from rejoinder.web.download import attachment, file_name
from rejoinder.web.uploads import Uploads

Policy = Literal["anyone", "operator"]
AT_ONCE: Final = 2
"""Files that are opened, or written, at the same time."""
KINDS: Final[dict[Format, str]] = {
    "json": "application/json",
    "png": "image/png",
    "charx": "application/zip",
}
ONE_YEAR: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Cards:
    """The characters of a server with what is shown of their cards."""

    shelf: Shelf
    characters: Characters
    who: Policy

    @property
    def policy(self) -> Literal["anyone", "operator", "nobody"]:
        """Who may import cards."""
        return self.who if self.shelf.takes else "nobody"

    async def summaries(self) -> list[rest.CharacterSummary]:
        """All characters."""
        versions = await self.shelf.versions()
        return [self.summary(info, versions.get(info.id)) for info in self.characters.list()]

    def summary(self, info: CharacterInfo, version: str | None) -> rest.CharacterSummary:
        """One, with the version of its picture."""
        address = f"api/characters/{quote(info.id, safe='')}/picture?v={version}"
        return rest.CharacterSummary(
            id=info.id,
            name=info.name,
            description=or_unset(info.description or None),
            greeting=or_unset(info.greeting or None),
            card=or_unset(True if self.shelf.has(info.id) else None),
            picture=or_unset(address if version else None),
            prompts=UNSET if info.prompts else False,
        )


class CardEndpoints:
    """The endpoints."""

    def __init__(
        self,
        cards: Cards,
        access: Access,
        operator_token: str,
        uploads: RateLimit,
        clock: Clock,
    ) -> None:
        self._cards = cards
        self._access = access
        self._operator_token = operator_token
        self._uploads = uploads
        self._clock = clock
        self._files = Uploads()
        self._places = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[BaseRoute]:
        """The routes, without the `/api` before them."""
        one = "/characters/{character_id}"
        return [
            Route("/characters", guarded(self.add), methods=["POST"]),
            Route(one, guarded(self.remove), methods=["DELETE"]),
            Route(f"{one}/card", guarded(self.export)),
            Route(f"{one}/picture", guarded(self.picture)),
        ]

    async def add(self, request: Request) -> Response:
        """`POST /api/characters`: keep the card in the body, and offer its character from now on."""
        who = await self._allowed(request)
        take(self._uploads, who, self._clock.now())
        async with self._files.file(request) as content, self._places:
            info, fresh = await self._cards.shelf.add(content)
        versions = await self._cards.shelf.versions()
        summary = self._cards.summary(info, versions.get(info.id))
        return answer(rest.CardImported(character=summary, fresh=fresh), 201 if fresh else 200)

    async def remove(self, request: Request) -> Response:
        """`DELETE /api/characters/{characterId}`: delete a card."""
        await self._allowed(request)
        await self._cards.shelf.remove(path_id(request, "character_id"))
        return answer(events.Ack(success=True))

    async def export(self, request: Request) -> Response:
        """`GET /api/characters/{characterId}/card?format=json|png|charx`: the card as a file."""
        await self._allowed(request)
        wanted = next(
            (name for name in KINDS if name == request.query_params.get("format", "json")), None
        )
        if wanted is None:
            raise InvalidPayload(f"Choose one of the formats {', '.join(get_args(Format))}.")
        async with self._places:
            file = await self._cards.shelf.file(path_id(request, "character_id"))
            content = await asyncio.to_thread(write, file, wanted)
        name = f"{file_name(shown_name(file.card), 'card')}.{wanted}"
        return Response(content, media_type=KINDS[wanted], headers=attachment(name))

    async def picture(self, request: Request) -> Response:
        """`GET /api/characters/{characterId}/picture`: for whoever is shown the character; it is no secret."""
        shown = await self._cards.shelf.picture(path_id(request, "character_id"))
        if shown is None:
            raise NotFound("There is no such picture.")
        newest = request.query_params.get("v") == shown.version
        return Response(
            shown.picture.content,
            media_type=shown.picture.kind,
            headers={
                "x-content-type-options": "nosniff",
                "content-security-policy": "default-src 'none'; sandbox",
                "content-disposition": "inline",
                "cache-control": ONE_YEAR if newest else "no-cache",
            },
        )

    async def _allowed(self, request: Request) -> str:
        """Who asks, if they may.

        Raises:
            Forbidden: only the operator may.
            Unauthorized: nobody who is known.
        """
        if is_operator(request, self._operator_token):
            return ""
        user = await self._access.user(request)
        if self._cards.who == "operator":
            raise Forbidden("On this server only who runs it can do that with character cards.")
        return user.id
