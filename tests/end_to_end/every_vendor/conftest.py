"""A day passes in seconds here."""

from moved_time import moved_throttle, pytest_asyncio_loop_factories  # noqa: F401 - pytest finds them by name
from vendors.contract.conftest import case, elsewhere, spoiler  # noqa: F401 - likewise
