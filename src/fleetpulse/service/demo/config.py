"""The config the demo runs with: a config like anyone's, only with everything quickened."""

from collections.abc import Mapping
from typing import Final

_BEFORE: Final = """\
[http]
listen = "{listen}"
external_url = "http://{listen}"

[journal]
url = "sqlite:///fleetpulse.db"
"""

_QUICKENED: Final[Mapping[str, str]] = {
    "edge-prod": """\
interval = "{interval_s}s"             # default: 60s
sweep = {{ deployments = "3s", tunnels = "3s" }}
request_rate = "50/s"       # default: 5/s
stale_after = "20s"
""",
    "edge-old": """\
interval = "3s"             # default: 60s
sweep = {{ details = "4s" }}  # default: 1h
request_rate = "2/s"        # default: 3/m, and the real vendor bans who asks more often
""",
    "sims": """\
interval = "3s"             # default: 60s
sweep = {{ jobs = "3s" }}
request_rate = "5/s"        # default: 1/s
""",
    "gateways": """\
interval = "3s"             # default: 5m
request_rate = "5/s"        # default: 1/s
""",
    "laptops": """\
interval = "3s"             # default: 60s
offline_after = "1m"        # default: 15m
""",
}
"""By source: what stands in its entry beside how it is reached."""

_AFTER: Final = """\
[[rules]]
name = "FleetDeviceOffline"
for = "4s"                  # default: 5m, for Iomote 10m

[[rules]]
name = "FleetDeviceSilent"
after = "10s"               # default: 14d for laptops, 24h for SIMs
matchers = ['source="laptops"']

[[rules]]
name = "FleetTunnelOpen"
for = "0s"                  # default: 8h

[[rules]]
name = "FleetSourceDown"
for = "6s"                  # default: 5m

[route]
receiver = "chat"
group_wait = "2s"           # default: 30s
group_interval = "10s"      # default: 5m

[[route.routes]]
receiver = "chat"
matchers = ['alertname="FleetSourceBaseline"']
group_by = ["alertname"]    # one message for the first look at all of them
group_wait = "4s"

[[route.routes]]
receiver = "pager"
matchers = ['severity="critical"']
continue = true

[[route.routes]]
receiver = "chat"

[[receivers]]
name = "chat"
kind = "slack"
webhook_url = "{slack_url}/services/demo"

[[receivers]]
name = "pager"
kind = "webhook"
url = "{webhook_url}/hook"
"""


def demo_config(*, listen: str, devices: int, entries: Mapping[str, str], slack_url: str, webhook_url: str) -> str:
    """The text of config.toml. `entries` are the sources by their names, as far as they say how each is reached.

    A larger fleet is swept more slowly: a page of 1,000 takes some milliseconds.
    """
    interval_s = max(2, devices // 5_000)
    sources = [f"{entry}\n{_QUICKENED[name].format(interval_s=interval_s)}" for name, entry in entries.items()]
    after = _AFTER.format(slack_url=slack_url, webhook_url=webhook_url)
    return "\n".join([_BEFORE.format(listen=listen), *sources, after])
