"""What Prometheus scrapes: the fleet's pages rendered on change, and our own counters."""
