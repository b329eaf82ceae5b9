"""`/demo`: a storefront page with the widget in it, mounted by the demo only."""

from pathlib import Path

from aiohttp import web

PAGE = Path(__file__).with_name("demo.html")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; img-src 'self' data:"
)


def mount(app: web.Application) -> None:
    """Add the page; `/` leads to it."""

    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(
            text=PAGE.read_text(encoding="utf-8"),
            content_type="text/html",
            headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"},
        )

    async def to_page(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/demo")

    app.router.add_get("/demo", page)
    app.router.add_get("/", to_page)
