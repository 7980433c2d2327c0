"""Where notifications go: `contract.py` is what a receiver offers, one package each is how."""
