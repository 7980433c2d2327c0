"""The vendors' JSON becomes our words: `contract.py` is what a vendor offers, one package each is how."""
