"""Which pages may talk to the widget's routes. Never cookies: a token in a header, and the page's Origin."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from bot.errors import NotAllowed
from bot.settings import Settings, StorePolicy

DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    host = host.strip("[]").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def normal(origin: str) -> str | None:
    """scheme://host[:port] in lower case without a default port; None if it is no web origin ("null", junk)."""
    try:
        parts = urlsplit(origin.strip().lower())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path.strip("/"):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


class Origins:
    """The allow-lists of all stores, read once.

    A store that names none may be tried from loopback pages while the server itself listens on loopback only.
    """

    def __init__(self, settings: Settings):
        self._local = is_loopback(settings.host)
        self._named = {name: self._listed(store.origins) for name, store in settings.stores.items()}

    @staticmethod
    def _listed(origins: Iterable[str]) -> frozenset[str]:
        return frozenset(known for origin in origins if (known := normal(origin)))

    def allows(self, store: str, origin: str) -> bool:
        """Whether a page of that origin may use the store's widget."""
        known = normal(origin)
        if known is None or store not in self._named:
            return False
        if known in self._named[store]:
            return True
        return not self._named[store] and self._local and is_loopback(urlsplit(known).hostname or "")

    def allows_any(self, origin: str) -> bool:
        """Whether it is a page of any store: a preflight carries no token that could say which."""
        return any(self.allows(store, origin) for store in self._named)

    def check(self, store: StorePolicy, origin: str | None, *, required: bool = False) -> None:
        """403 `origin_not_allowed` unless the request may come from there. No browser, no Origin: accepted with a
        token, so only `guest` requires one."""
        if origin is None and not required:
            return
        if origin is None or not self.allows(store.name, origin):
            named = "Requests without an Origin" if origin is None else f"Pages of {origin[:200]}"
            raise NotAllowed(
                f"{named} may not use this store's widget; name the page's origin in stores.{store.name}.origins.",
                code="origin_not_allowed",
            )
