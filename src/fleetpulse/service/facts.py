"""What alerting has to know of each configured source."""

from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.service.catalogue import VENDORS
from fleetpulse.vendors.settings import SourceSettings


def facts_of(source: SourceSettings) -> SourceFacts:
    """The facts of a configured source."""
    vendor = VENDORS[source.vendor]
    return SourceFacts(
        source.name,
        vendor=source.vendor,
        title=vendor.title,
        credential=source.credential.replace("_", " "),  # as people say it: token, api key
        main_resource=next(iter(source.resources)),
        labels=source.labels,
        watched=source.enabled,
        offline_for=source.offline_for,
        silent_after=source.silent_after,
        missing_hint=source.missing_hint,
    )
