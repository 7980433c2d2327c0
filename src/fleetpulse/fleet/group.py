"""A group of devices, where the vendor keeps them as things of their own."""

import msgspec


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group by the vendor's id and its name for people."""

    id: str
    name: str = ""
