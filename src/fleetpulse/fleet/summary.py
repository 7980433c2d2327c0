"""The vendor's own count of an account, to be held against ours."""

import msgspec


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """As of one moment. None: not told. `enrolment_errors` failed enrolments stand on `affected_devices` devices."""

    devices: int | None = None
    enrolment_errors: int | None = None
    affected_devices: int | None = None
