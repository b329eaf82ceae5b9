"""Alembic's entry: runs on the connection that `storage.migrate` hands in."""

from alembic import context

from storage import tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tables.METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
