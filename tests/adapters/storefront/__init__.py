"""The store-facing HTTP side on a stub core."""
