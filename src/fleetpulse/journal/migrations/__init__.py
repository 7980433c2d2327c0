"""Migrations of the journal's schema, run by alembic when a journal is older than this version."""
