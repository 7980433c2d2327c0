"""One notification as a Slack message: a headline, a sentence, a line each, the output of what failed, links.

Pure: the same notification gives the same bytes. Limits: Slack's Block Kit reference, 2026; the sizes below are chosen
so that their sum stays under what one message may hold, so nothing is ever cut after it was escaped.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from fleetpulse.alerting.notification import AlertStatus, Notification, ToldAlert
from fleetpulse.receivers.slack.escape import fence, link, mrkdwn, plain, printed, units
from fleetpulse.receivers.slack.lines import ended_lines, firing_lines, listed_summary, subject

_SECTION_UNITS: Final = 3_000  # Slack's limit of a section's text
_HEADLINE_UNITS: Final = 150  # Slack's limit of a header's text
_REMAINDER_UNITS: Final = 1_000
_DETAIL_UNITS: Final = 600
_FALLBACK_UNITS: Final = 600  # a phone shows two or three lines of it
_OUTPUT_UNITS: Final = 1_000
_DEVICES_UNITS: Final = 1_500  # ten devices with names and ids of ordinary length, and nearly always of any
_OUTPUTS: Final = 3
_LISTED: Final = 10
_LISTED_BESIDE: Final = 5  # of those that ended, while others fire

Block = dict[str, Any]


def render(notification: Notification, *, redact: Callable[[str], str]) -> bytes:
    """The finished JSON body. `redact` takes known secrets out of words before they are escaped."""
    headline = redact(notification.text).strip() or _headline(notification)
    detail = redact(notification.detail).strip()
    blocks = [
        *_heading(headline),
        *_sentence(detail, limit=_DETAIL_UNITS),
        *_list(notification, redact=redact),
        *_particulars(notification, detail=detail, redact=redact),
        *_links(notification, redact=redact),
    ]
    spoken = f"{headline} - {detail}" if detail else headline
    return msgspec.json.encode(
        {
            "text": mrkdwn(spoken, limit=_FALLBACK_UNITS) or "[NOTIFICATION]",
            "blocks": blocks,
            "unfurl_links": False,  # a preview of our own page under every alert is noise
            "unfurl_media": False,
        }
    )


def _headline(notification: Notification) -> str:
    """A headline for a group that came without one."""
    place = " \u00b7 ".join(notification.group_labels.values()) or notification.receiver
    if notification.status is AlertStatus.RESOLVED:
        return f"[RESOLVED] {place}"
    if notification.before and notification.before != notification.firing:
        return f"[FIRING {notification.before} \u2192 {notification.firing}] {place}"
    return f"[FIRING {notification.firing}] {place}" if notification.firing > 1 else f"[FIRING] {place}"


def _heading(headline: str) -> list[Block]:
    """The headline; a long one, as a deployment's is, goes on in a sentence below, so that nothing is lost."""
    head, _, rest = headline.partition(": ")
    if _fits(headline):
        head, rest = headline, ""
    elif not _fits(head):
        head = rest = headline
    text = plain(head, limit=_HEADLINE_UNITS) or "[NOTIFICATION]"
    return [{"type": "header", "text": _plain_text(text)}, *_sentence(rest, limit=_REMAINDER_UNITS)]


def _fits(headline: str) -> bool:
    return plain(headline, limit=_HEADLINE_UNITS) == plain(headline, limit=_HEADLINE_UNITS + 1)


def _sentence(words: str, *, limit: int) -> list[Block]:
    text = plain(words, limit=limit)
    return [{"type": "section", "text": _plain_text(text)}] if text else []


def _list(notification: Notification, *, redact: Callable[[str], str]) -> list[Block]:
    alerts = notification.alerts
    if _lone(alerts) is not None:
        return []
    firing = firing_lines(alerts, now=notification.at, most=_LISTED, redact=redact)
    ended = ended_lines(alerts, most=_LISTED_BESIDE if firing else _LISTED, redact=redact)
    heading = ["*Ended*"] if firing and ended else []
    return [_section(text) for text in _packed([*firing, *heading, *ended])]


def _particulars(notification: Notification, *, detail: str, redact: Callable[[str], str]) -> list[Block]:
    """The description of a lone alert that is not a device's, on which devices it failed, and the output of that."""
    lone = _lone(notification.alerts)
    texts = []
    if lone is not None:
        known = f"{redact(notification.text)} {detail}"
        description = redact(lone.annotations.get("description", "")).strip()
        texts.append("" if description in known else mrkdwn(description, limit=_REMAINDER_UNITS))
        texts.append("\n".join(_failure(lone, known=known, redact=redact)))
    else:
        failures = (
            [subject(alert, redact=redact), *lines]
            for alert in notification.alerts
            if (lines := _failure(alert, known=listed_summary(alert, redact=redact), redact=redact))
        )
        texts += ["\n".join(lines) for lines in islice(failures, _OUTPUTS)]
    return [_section(text) for text in texts if text]


def _failure(alert: ToldAlert, *, known: str, redact: Callable[[str], str]) -> list[str]:
    """On which devices something failed, and what it printed there, unless that is no more than is `known` already."""
    if alert.status is not AlertStatus.FIRING:
        return []
    devices = mrkdwn(redact(alert.annotations.get("devices", "")), limit=_DEVICES_UNITS)
    output = printed(redact(alert.annotations.get("output", "")))
    lines = [f"Failed on {devices}" if devices else "", "" if output in known else fence(output, limit=_OUTPUT_UNITS)]
    return [line for line in lines if line]


def _lone(alerts: Sequence[ToldAlert]) -> ToldAlert | None:
    """The only alert, where it is not a device's: headline and sentence have named it already."""
    alone = len(alerts) == 1 and not alerts[0].labels.get("device")
    return alerts[0] if alone else None


def _links(notification: Notification, *, redact: Callable[[str], str]) -> list[Block]:
    """Only what can be opened: no link of ours without an `external_url`."""
    first = next(iter(sorted(notification.alerts, key=lambda alert: not alert.new)), None)
    why = notification.link(first) if first else ""
    runbook = notification.common_annotations.get("runbook_url") or (
        first.annotations.get("runbook_url", "") if first else ""
    )
    row = [link(why, label="Why") if why else "", link(redact(runbook), label="Runbook")]
    text = " \u00b7 ".join(filter(None, row))
    return [{"type": "context", "elements": [_mrkdwn_text(text)]}] if text else []


def _packed(lines: Iterable[str]) -> list[str]:
    """Lines joined into as few sections as they fit, none cut."""
    sections: list[str] = []
    for line in lines:
        joined = f"{sections[-1]}\n{line}" if sections else line
        if sections and units(joined) <= _SECTION_UNITS:
            sections[-1] = joined
        else:
            sections.append(line)
    return sections


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn_text(text)}


def _mrkdwn_text(text: str) -> Block:
    # verbatim: a vendor's word is never made a link, a channel or a mention
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _plain_text(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
