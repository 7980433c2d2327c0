"""Surveys: one source walked once by hand, without a journal, and what is told of it."""
