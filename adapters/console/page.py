"""The console's three files, read once. Nothing in them comes from anybody else's server."""

import hashlib
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Page:
    """Serves page.html, console.js and console.css."""

    def __init__(self) -> None:
        self._html = (FOLDER / "page.html").read_text(encoding="utf-8")
        self._assets = {
            "console.js": ((FOLDER / "console.js").read_bytes(), "text/javascript"),
            "console.css": ((FOLDER / "console.css").read_bytes(), "text/css"),
        }

    def html(self, access: str) -> web.Response:
        """The page. `access` tells it what to ask for: "open" (a name), "link" (a name), "ask" (a token too).

        It holds no data, so one who may not sign in gets it too, with 401 and a form for the token.
        """
        return web.Response(
            text=self._html.replace("{{access}}", access),
            status=401 if access == "ask" else 200,
            content_type="text/html",
            headers=HEADERS | {"Cache-Control": "no-store"},
        )

    def asset(self, request: web.Request, name: str) -> web.Response:
        """A script or a style sheet; 304 if the browser has this very one."""
        body, kind = self._assets[name]
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = HEADERS | {"Cache-Control": "no-cache", "ETag": etag}
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)
