"""Minutes of waiting pass at once here."""

from moved_time import (  # noqa: F401 - pytest finds them by name
    moved_connections,
    moved_throttle,
    pytest_asyncio_loop_factories,
)
