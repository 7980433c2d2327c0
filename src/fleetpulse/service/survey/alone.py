"""Surveys without a service: vendors with budgets of their own, for as long as a command runs."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import msgspec

from fleetpulse.outbound import Account, Budgets, Outbound
from fleetpulse.secrets import Redactor
from fleetpulse.service.catalogue import VENDORS, credential
from fleetpulse.service.survey.survey import Survey
from fleetpulse.service.version import VERSION
from fleetpulse.vendors.contract import Vendor
from fleetpulse.vendors.settings import SourceSettings
from fleetpulse.web.views import Depth


class Requests:
    """Counts the requests of one account object."""

    def __init__(self) -> None:
        self.made = 0

    def observe(self, _code: int | str, _seconds: float) -> None:
        """Count one, however it ended."""
        self.made += 1


class Guest(msgspec.Struct, frozen=True):
    """A vendor to be surveyed, and how often it was asked."""

    settings: SourceSettings
    vendor: Vendor
    requests: Callable[[], int]
    redact: Callable[[str], str]

    def survey(self, depth: Depth) -> Survey:
        """A survey of it."""
        return Survey(
            vendor=self.vendor,
            depth=depth,
            since=self.settings.deployments_since,
            requests=self.requests,
            redact=self.redact,
        )


@asynccontextmanager
async def guests(sources: Iterable[SourceSettings]) -> AsyncIterator[Mapping[str, Guest]]:
    """The vendors of these sources by name. Those that share an account share a budget here too.

    Errors: SecretUnreadableError.
    """
    redactor, budgets = Redactor(), Budgets()
    async with Outbound(version=VERSION, redactor=redactor) as outbound:
        yield {source.name: _guest(source, outbound, budgets) for source in sources}


def _guest(settings: SourceSettings, outbound: Outbound, budgets: Budgets) -> Guest:
    secret = credential(settings, redactor=outbound.redactor)
    host = urlsplit(settings.base_url).netloc
    requests = Requests()
    account = Account(
        outbound=outbound,
        budget=budgets.get(host, secret.reveal(), settings.request_rate, in_flight=settings.in_flight),
        base_url=settings.base_url,
        observe=requests.observe,
        ca_file=settings.ca_file,
        proxy=settings.proxy,
        timeout_s=settings.timeout.total_seconds(),
    )
    vendor = VENDORS[settings.vendor].build(settings, account=account, secret=secret)
    return Guest(settings, vendor, lambda: requests.made, outbound.redactor.redact)
