import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pretraining.masking import Masking, chances, draw
from pipeline.pretraining.tokenizer import SPECIAL

MASK, SIZE = SPECIAL.index("[MASK]"), 60
CONTINUES = np.array([number >= 40 for number in range(SIZE)])


def rows(seed: int, count: int = 40) -> np.ndarray:
    ids = np.random.default_rng(seed).integers(0, SIZE, (count, 30))
    ids[:, 0], ids[:, -1] = 2, 3
    return ids


@given(st.integers(0, 1000), st.floats(0.05, 0.9))
def test_what_is_hidden_can_be_put_back(seed: int, share: float) -> None:
    ids = rows(seed)
    before = ids.copy()
    masked = Masking(share, CONTINUES, MASK)(ids, np.random.default_rng(seed))
    assert (ids == before).all()
    restored = masked.ids.ravel().copy()
    restored[masked.positions] = masked.targets
    assert (restored == ids.ravel()).all()
    assert (masked.targets >= len(SPECIAL)).all()
    assert (np.diff(masked.positions) > 0).all()


@given(st.integers(0, 1000))
def test_words_are_hidden_whole(seed: int) -> None:
    ids = rows(seed)
    masked = Masking(0.3, CONTINUES, MASK)(ids, np.random.default_rng(seed))
    chosen = np.zeros(ids.size, dtype=bool)
    chosen[masked.positions] = True
    chosen = chosen.reshape(ids.shape)
    for row, column in zip(*np.nonzero(CONTINUES[ids]), strict=True):
        if ids[row, column - 1] >= len(SPECIAL):
            assert chosen[row, column] == chosen[row, column - 1]


def test_the_share_is_met_and_most_of_it_shows_the_mask() -> None:
    ids = rows(1, 3000)
    masked = Masking(0.25, CONTINUES, MASK)(ids, np.random.default_rng(1))
    assert len(masked.positions) / (ids >= len(SPECIAL)).sum() == pytest.approx(0.25, abs=0.01)
    shown = masked.ids.ravel()[masked.positions]
    assert (shown == MASK).mean() == pytest.approx(0.8, abs=0.02)
    assert (shown == masked.targets).mean() == pytest.approx(0.1 + 0.1 / 55, abs=0.02)


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0])
def test_a_share_that_hides_nothing_or_all_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Masking(share, CONTINUES, MASK)


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=300), st.floats(0.1, 0.9))
def test_chances_add_up_and_follow_counts(counts: list[int], part: float) -> None:
    expected = max(1, int(part * len(counts)))
    found = chances(np.array(counts), expected)
    assert found.sum() == pytest.approx(expected, rel=1e-3)
    assert (found > 0).all() and (found <= 1).all()
    assert (np.diff(found[np.argsort(counts, kind="stable")]) >= 0).all()


def test_all_pieces_compete_where_there_are_no_more() -> None:
    assert (chances(np.array([5, 1]), 2) == 1).all()


def test_pieces_are_drawn_by_their_chance() -> None:
    chance = np.array([1.0, 0.5, 0.1], dtype=np.float32)
    random = np.random.default_rng(1)
    drawn = [draw(chance, random) for _ in range(2000)]
    often = np.bincount(np.concatenate([one.ids for one in drawn]), minlength=3) / 2000
    assert often == pytest.approx(chance, abs=0.04)
    assert all((one.log_chance == np.log(chance[one.ids])).all() for one in drawn)
