"""The files of the demo page, as the front end's build left them."""

from pathlib import Path

from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

POLICY = (
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
ONE_YEAR = "public, max-age=31536000, immutable"


class PageFiles(StaticFiles):
    """Static files with the headers that a page wants."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        headers = response.headers
        headers["content-security-policy"] = POLICY
        headers["x-content-type-options"] = "nosniff"
        headers["referrer-policy"] = "no-referrer"
        # The build names files under assets/ by their content.
        headers["cache-control"] = ONE_YEAR if path.startswith("assets") else "no-cache"
        return response


def page_folder() -> Path:
    """Where the built page is."""
    return Path(__file__).parent / "page"


def routes(folder: Path) -> list[BaseRoute]:
    """The routes of the page, or one that says how to build it."""
    if (folder / "index.html").is_file():
        return [Mount("/", PageFiles(directory=folder, html=True))]
    return [Route("/", not_built)]


async def not_built(_request: object) -> Response:
    """There is a server and no page."""
    return PlainTextResponse(
        "The chat server runs. Its demo page is not built: run `make setup`.\n"
    )
