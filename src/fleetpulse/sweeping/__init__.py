"""The pollers: when a resource is swept, what is tried again, what a failed sweep means."""
