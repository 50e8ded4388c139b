"""The console's own files: a shell without data, the same for everybody, so that it needs no token.

All are read when the site opens, and nothing else is ever served from the disk.
"""

from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

STATIC = Path(__file__).resolve().parent / "static"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def routes() -> list[web.RouteDef]:
    """`/` and `/static/...`."""
    files = {path.name: path for path in STATIC.iterdir() if path.suffix in TYPES}
    shell = files.pop("index.html")
    return [
        web.get("/", _serving(shell)),
        *(web.get(f"/static/{name}", _serving(path)) for name, path in files.items()),
    ]


def _serving(path: Path) -> Handler:
    data, type = path.read_bytes(), TYPES[path.suffix]

    async def serve(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=data, content_type=type, charset="utf-8")

    return serve
