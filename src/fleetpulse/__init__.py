"""fleetpulse watches device fleets behind vendors' cloud APIs and tells people what broke."""
