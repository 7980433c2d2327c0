"""Slack through an incoming webhook: settings, the message people read, one try to send it."""

from fleetpulse.receivers.slack.receiver import SlackReceiver
from fleetpulse.receivers.slack.settings import SlackSettings

__all__ = ["SlackReceiver", "SlackSettings"]
