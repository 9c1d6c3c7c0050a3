import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.windows import cut, cut_all, slices, stitch

SIZES = st.integers(1, 40).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1)))


@given(st.integers(0, 300), SIZES)
def test_each_piece_is_owned_once_and_no_window_is_too_long(length: int, sizes: tuple[int, int]) -> None:
    size, overlap = sizes
    windows = cut(length, size, overlap)
    owned = [piece for w in windows for piece in range(w.own_start, w.own_end)]
    assert owned == list(range(length))
    assert all(len(w) <= size and w.start <= w.own_start and w.own_end <= w.end for w in windows)


@given(st.integers(1, 300), SIZES)
def test_a_piece_stands_half_an_overlap_from_any_cut(length: int, sizes: tuple[int, int]) -> None:
    size, overlap = sizes
    for window in cut(length, size, overlap):
        if window.start > 0:
            assert window.own_start - window.start >= overlap // 2
        if window.end < length:
            assert window.end - window.own_end >= overlap // 2


@given(st.lists(st.integers(0, 90), max_size=5), SIZES)
def test_stitching_undoes_cutting(lengths: list[int], sizes: tuple[int, int]) -> None:
    tables = [torch.arange(n * 2.0).reshape(n, 2) + 1000 * d for d, n in enumerate(lengths)]
    windows = cut_all(lengths, *sizes)
    vectors = [tables[w.document][w.start : w.end] for w in windows]
    again = stitch(windows, vectors, 2)
    assert torch.equal(again, torch.cat([torch.zeros(0, 2), *tables]))


def test_slices_are_the_pieces_of_each_window() -> None:
    ids = [torch.arange(10).numpy(), torch.arange(3).numpy()]
    windows = cut_all([10, 3], 6, 2)
    assert [part.tolist() for part in slices(windows, ids)] == [
        [0, 1, 2, 3, 4, 5],
        [4, 5, 6, 7, 8, 9],
        [0, 1, 2],
    ]


def test_an_overlap_as_long_as_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 <= overlap < size"):
        cut(10, 4, 4)
