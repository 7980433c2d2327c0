"""What alembic runs: the migrations on the connection, and in the transaction, of whoever opens the journal."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
