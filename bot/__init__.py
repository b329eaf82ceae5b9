"""Decides: stages, audiences, relay rules, readers and what each is owed. Knows no vendor and no SQL."""
