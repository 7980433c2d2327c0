"""Sweeping's tests run in moved time."""

from moved_time import moved_throttle, pytest_asyncio_loop_factories  # noqa: F401 - pytest finds them by name
