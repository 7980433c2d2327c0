"""What answers over HTTP: probes, the exposition, the plain page."""
