"""The store's side: its backend's API and its shoppers' widget."""

from adapters.storefront.adapter import StorefrontAdapter
from adapters.storefront.tokens import Tokens

__all__ = ["StorefrontAdapter", "Tokens"]
