"""Settings, catalogue, wiring, supervision, command line: the only room that sees all the others."""
