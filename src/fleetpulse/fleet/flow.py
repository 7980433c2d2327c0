"""An update flow: a recipe that deployments carry out."""

from datetime import datetime

import msgspec


class UpdateFlow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow as the vendor last told it; `severity` is that of the worst known weakness, in the vendor's spelling."""

    id: str
    name: str = ""
    severity: str = ""
    created_at: datetime | None = None
