"""Alembic's entry: runs the migrations on the connection that headend.storage.migrate hands in."""

from alembic import context

from headend.storage import tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tables.metadata, render_as_batch=True, transactional_ddl=True)
# One transaction for all: an upgrade that is interrupted leaves the schema it found. Alembic commits or rolls back.
connection.exec_driver_sql("BEGIN IMMEDIATE")
with context.begin_transaction():
    context.run_migrations()
