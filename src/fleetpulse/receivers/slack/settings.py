"""What a `[[receivers]]` entry of kind `slack` holds."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from fleetpulse.durations import Rate, RequestRate
from fleetpulse.receivers.address import address_problem
from fleetpulse.receivers.settings import ReceiverSettings


class SlackSettings(ReceiverSettings):
    """An incoming webhook of Slack: one channel, chosen when the webhook was made."""

    file_checks: ClassVar[Mapping[str, Callable[[str], str]]] = {
        "webhook_url_file": partial(address_problem, https=True)
    }

    kind: Literal["slack"] = Field(default="slack", description="The kind of receiver.")
    webhook_url: SecretStr | None = Field(
        default=None,
        description="The incoming webhook's URL. Whoever has it can post, so it is a secret.",
    )
    webhook_url_file: Path | None = Field(default=None, description="A file holding the URL, read again at each send.")
    rate: RequestRate | None = Field(
        default=Rate(1, 1.0),  # Slack's documented limit: one message per second and channel
        description="Messages at most in a period, like 1/s.",
    )

    def problems(self) -> list[tuple[str, str]]:
        """One URL, given once, over https."""
        if self.webhook_url is not None and self.webhook_url_file is not None:
            return [("webhook_url", "is given twice: keep either webhook_url or webhook_url_file")]
        if self.webhook_url is None:
            missing = self.webhook_url_file is None
            return [("webhook_url", "is missing: give webhook_url or webhook_url_file")] if missing else []
        problem = address_problem(self.webhook_url.get_secret_value(), https=True)
        return [("webhook_url", problem)] if problem else []
