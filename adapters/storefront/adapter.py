"""Everything a store's backend and its shoppers' browsers talk to, ready to be mounted."""

from aiohttp import web

from adapters.storefront import openapi
from adapters.storefront.api import StoreApi, StoreKeys
from adapters.storefront.files_routes import FileRoutes
from adapters.storefront.origins import Origins
from adapters.storefront.routes import Route, endpoint
from adapters.storefront.stream import StreamHub
from adapters.storefront.tokens import Tokens
from adapters.storefront.widget_routes import WidgetRoutes
from bot.ports import Bus, Clock, Files, Reads, Wakeup
from bot.settings import Settings


class StorefrontAdapter:
    """`/v1`, `/widget.js`, `/widget/v1`, `/openapi.json` and `/docs`; with a store for files, what passes them."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        reads: Reads,
        wakeup: Wakeup,
        clock: Clock,
        files: Files | None = None,
    ):
        self.tokens = Tokens(settings.secret, settings.stores, settings.widget_token_seconds, clock)
        self.hub = StreamHub(reads, wakeup, clock, settings.timing)
        self._settings = settings
        self._keys = StoreKeys(list(settings.stores.values()))
        self._api = StoreApi(settings, bus, reads, self.tokens, clock)
        self._widget = WidgetRoutes(
            settings, bus, reads, clock, tokens=self.tokens, origins=Origins(settings), hub=self.hub
        )
        self._files = FileRoutes(settings, bus, reads, files, clock) if files is not None else None

    def table(self) -> list[Route]:
        """Every route with what it takes and answers."""
        files = self._files.table() if self._files is not None else []
        return [*self._api.table(), *self._widget.table(), *files]

    def routes(self) -> list[web.RouteDef]:
        """Every route as aiohttp mounts it."""
        table = self.table()
        return [
            *(endpoint(row, self._keys.store_of, self._widget.window_of) for row in table),
            *(
                web.options(row.path, self._widget.preflight)
                for row in table
                if row.path.startswith("/widget/v1/")
            ),
            *openapi.routes(table, self._settings.public_url),
        ]

    def mount(self, app: web.Application) -> None:
        """Add the routes, the widget's cross-origin headers, and closing the streams when the server stops."""
        app.add_routes(self.routes())
        app.on_response_prepare.append(self._widget.allow_origin)
        app.on_shutdown.append(self._shut_down)

    async def close(self) -> None:
        """End all streams."""
        await self.hub.close()

    async def _shut_down(self, app: web.Application) -> None:
        await self.close()
