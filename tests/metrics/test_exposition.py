from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from fleetpulse.metrics.exposition import (
    LARGE_CHUNK_BYTES,
    SMALL_CHUNK_BYTES,
    Family,
    chunks,
    escape,
    escape_all,
    labels,
)

PRINTED = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n"), max_size=30)


@given(PRINTED)
def test_a_label_value_is_read_as_it_was_written(value: str) -> None:
    (family,) = text_string_to_metric_families(f"up{labels(device=value)} 1\n")

    assert family.samples[0].labels == {"device": value}


@given(st.text())
def test_any_text_makes_one_line_of_utf_8(value: str) -> None:
    line = f"up{labels(device=value)} 1"

    assert len(line.encode().split(b"\n")) == 1
    assert b"\x00" not in line.encode()


def test_control_characters_and_lone_surrogates_are_spelled_out() -> None:
    assert escape("a\x1bb\rc\x9bd\ud800") == r"a\\u001bb\\u000dc\\u009bd\\ud800"


@given(st.lists(st.text(max_size=5), max_size=5))
def test_escaping_many_is_escaping_each(values: list[str]) -> None:
    assert list(escape_all(values)) == [escape(value) for value in values]


def test_a_family_heads_itself_once() -> None:
    family = Family("fleet_x_bytes", "One \\ and\nanother.")

    assert family.head() == b"# HELP fleet_x_bytes One \\\\ and\\nanother.\n# TYPE fleet_x_bytes gauge\n"


@given(st.lists(st.integers(0, 3 * SMALL_CHUNK_BYTES), max_size=8))
def test_chunks_hold_the_same_bytes_and_only_the_last_is_small(sizes: list[int]) -> None:
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]

    cut = list(chunks(pieces))

    assert b"".join(cut) == b"".join(pieces)
    assert all(len(chunk) >= SMALL_CHUNK_BYTES for chunk in cut[:-1])


def test_a_huge_piece_is_cut() -> None:
    sizes = [len(chunk) for chunk in chunks([b"x" * (2 * LARGE_CHUNK_BYTES + 1)])]

    assert sizes == [LARGE_CHUNK_BYTES, LARGE_CHUNK_BYTES, 1]
