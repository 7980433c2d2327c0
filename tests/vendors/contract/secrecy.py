"""Whether the planted key can be read off a text, in any dress it may have taken."""

import re
from base64 import b64encode
from typing import Final

from vendors.contract.cases import KEY

_PIECES: Final = re.findall(r"[a-z0-9]{4,}", KEY)  # none of them is a word of ours
_WRAPPED: Final = [b64encode(each.encode()).decode()[-20:].rstrip("=") for each in (KEY, f"apikey:{KEY}")]


def leaked(shown: str) -> list[str]:
    """What of the key a text shows: pieces of it as it is, quoted or escaped, or the end of it in base64."""
    return [piece for piece in (*_PIECES, *_WRAPPED) if piece in shown]


def told_by(error: BaseException | None) -> str:
    """All that an error and what led to it could show to people."""
    chain: list[BaseException] = []
    while error is not None:
        assert error not in chain, f"{error!r} is said to have led to itself"
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(f"{each} {each!r} {each.args!r} {getattr(each, '__notes__', '')}" for each in chain)
