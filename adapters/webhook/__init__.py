"""The store's backend, told by signed webhooks."""
