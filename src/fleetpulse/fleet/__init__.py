"""The words of the fleet, what happened to it, and the known fleet of an account. Pure."""
