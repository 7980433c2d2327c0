"""`fleetpulse demo`: the real service on simulated fleets, with a story that goes on until Ctrl-C."""

from fleetpulse.service.demo.playing import run_demo

__all__ = ["run_demo"]
