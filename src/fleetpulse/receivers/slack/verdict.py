"""What Slack's answer means. A webhook says `ok`, or a word; look-alikes and some gateways say it in JSON with a 200.

Source: Slack's reference "Sending messages using incoming webhooks", section on errors.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from fleetpulse.outbound import Answer
from fleetpulse.receivers.answers import answered, excerpt, told
from fleetpulse.receivers.contract import Delivered, Outcome, Refused, RefusedReason, Retry
from fleetpulse.secrets import Redactor

_OK: Final = "ok"
_LIMITED: Final = {"rate_limited", "ratelimited"}

# Words that no further try changes: the metric's reason and the cure.
_TERMINAL: Final[Mapping[str, tuple[RefusedReason, str]]] = {
    "invalid_token": ("unauthorized", "the webhook's URL is wrong or was revoked: make a new one"),
    "action_prohibited": ("unauthorized", "the workspace forbids posting here: ask its administrator"),
    "posting_to_general_channel_denied": ("unauthorized", "only administrators may post in this channel"),
    "no_service": ("gone", "the webhook was removed or disabled: make a new one"),
    "no_service_id": ("gone", "the webhook's URL is incomplete: copy it again"),
    "no_active_hooks": ("gone", "the webhook was disabled: make a new one"),
    "no_team": ("gone", "the workspace is unknown or gone: make a new webhook"),
    "team_disabled": ("gone", "the workspace is disabled"),
    "channel_is_archived": ("gone", "the channel is archived: make a webhook for another one"),
    "channel_not_found": ("gone", "the channel is gone: make a webhook for another one"),
    "user_not_found": ("gone", "the person it was made for is gone: make a new webhook"),
    "invalid_payload": ("client_error", "the message was not understood"),
    "invalid_blocks": ("client_error", "the message's blocks were not accepted"),
    "invalid_blocks_format": ("client_error", "the message's blocks were not accepted"),
    "no_text": ("client_error", "the message holds no text"),
    "missing_text_or_fallback_or_attachments": ("client_error", "the message holds no text"),
    "msg_too_long": ("client_error", "the message is too long"),
    "msg_blocks_too_long": ("client_error", "the message is too long"),
}


def verdict(answer: Answer, *, host: str, redactor: Redactor) -> Outcome:
    """Delivered only for a 200 that says yes. An unknown word in a 2xx is tried again: it may be a page in the way."""
    word = _word(answer.body)
    success = 200 <= answer.status < 300  # noqa: PLR2004 - HTTP's own classes
    if success and word == _OK:
        return Delivered(answer.status)
    if word in _TERMINAL:
        reason, cure = _TERMINAL[word]
        return Refused(reason, told(host, answer.status, f"{word}, {cure}"))
    if not success:
        return answered(answer, host=host, redactor=redactor)
    said = told(host, answer.status, f"not ok but {excerpt(answer, redactor=redactor) or 'nothing'}")
    return Retry("rate_limited" if word in _LIMITED else "server_error", said, retry_after_s=answer.retry_after_s)


def _word(body: bytes) -> str:
    """The word in a plain or JSON body; empty where there is none."""
    try:
        said = msgspec.json.decode(body)
    except ValueError:  # msgspec's errors are ValueErrors, as is bad UTF-8
        return body.decode(errors="replace").strip()
    if not isinstance(said, dict):
        return ""
    return _OK if said.get("ok") is True else str(said.get("error", ""))
