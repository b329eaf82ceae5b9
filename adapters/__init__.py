"""Adapters speak: one folder per neighbour. They import `bot`, never each other and never `storage`."""
