"""Webhooks: one CloudEvent per notification, or Alertmanager's own body, signed as Standard Webhooks do."""

from fleetpulse.receivers.webhook.receiver import WebhookReceiver
from fleetpulse.receivers.webhook.settings import WebhookFormat, WebhookSettings

__all__ = ["WebhookFormat", "WebhookReceiver", "WebhookSettings"]
