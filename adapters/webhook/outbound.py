"""POSTs a delivery to the store's backend. A repeat carries the same id and the same bytes, so the store can tell.

The store cannot be asked whether it has one already, so nothing here is uncertain: what was not answered with 2xx
is a fault of the place and is sent again.
"""

from collections.abc import Mapping

import aiohttp

from adapters.webhook.signing import sign
from bot.errors import PlaceFault
from bot.settings import StorePolicy


class WebhookSender:
    """See `bot.ports.Webhook`. One connection pool for all stores."""

    def __init__(self, stores: Mapping[str, StorePolicy], timeout: float):
        self._stores = stores
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, store: str, delivery_id: str, body: bytes, at: float) -> None:
        policy = self._stores[store]
        if not policy.webhook_url:
            return  # switched off since it was planned
        headers = {
            "Content-Type": "application/json",
            "webhook-id": delivery_id,
            "webhook-timestamp": str(int(at)),
        }
        if policy.webhook_secret:
            headers["webhook-signature"] = sign(policy.webhook_secret, delivery_id, int(at), body)
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.post(
                policy.webhook_url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                if not 200 <= answer.status < 300:
                    raise PlaceFault(f"webhook answered {answer.status}", _retry_after(answer.headers))
        except (TimeoutError, aiohttp.ClientError) as error:
            raise PlaceFault(f"webhook: {type(error).__name__}") from error

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
