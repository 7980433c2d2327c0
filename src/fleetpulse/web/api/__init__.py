"""`/api/v1`: what is known as JSON, and what people may have done by hand."""

from fleetpulse.web.api.routes import Api

__all__ = ["Api"]
