"""The config the demo runs with: a config like anyone's, only with everything quickened."""

from typing import Final

_CONFIG: Final = """\
[http]
listen = "{listen}"
external_url = "http://{listen}"

[journal]
url = "sqlite:///fleetpulse.db"

[[sources]]
name = "edge-prod"
vendor = "jfrog-connect"
base_url = "{jfrog_url}"
project_key = "yard"
token = "demo-token"
interval = "{interval_s}s"        # yours: 60s
sweep = {{ deployments = "3s" }}
request_rate = "50/s"
stale_after = "20s"

[[sources]]
name = "sims"
vendor = "hologram"
base_url = "{hologram_url}/api/1"
api_key = "demo-key"
interval = "3s"
request_rate = "10/s"

[[rules]]
name = "FleetDeviceOffline"
for = "4s"                # default: 5m

[[rules]]
name = "FleetSourceDown"
for = "6s"                # default: 5m

[route]
receiver = "chat"
group_wait = "2s"         # default: 30s
group_interval = "10s"    # default: 5m

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


def demo_config(
    *, listen: str, devices: int, jfrog_url: str, hologram_url: str, slack_url: str, webhook_url: str
) -> str:
    """The text of config.toml. A larger fleet is swept more slowly: a page of 1,000 takes some milliseconds."""
    return _CONFIG.format(
        listen=listen,
        interval_s=max(2, devices // 5_000),
        jfrog_url=jfrog_url,
        hologram_url=hologram_url,
        slack_url=slack_url,
        webhook_url=webhook_url,
    )
