import numpy as np
import pytest

from pipeline.pretraining import vectors


def slow(texts: list[np.ndarray], vocabulary: int, contexts: list[int], reach: int) -> np.ndarray:
    """The obvious twin."""
    table = np.zeros((vocabulary, 2 * len(contexts)))
    for text in texts:
        for here, piece in enumerate(text):
            for there, near in enumerate(text):
                distance = abs(here - there)
                if 0 < distance <= reach and near in contexts and piece >= 5:
                    side = 0 if there < here else len(contexts)
                    table[piece, side + contexts.index(near)] += 1 / distance
    return table


@pytest.mark.parametrize("at_once", [3, 7, 1000])
def test_counts_are_those_of_the_slow_twin(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(vectors, "_AT_ONCE", at_once)
    random = np.random.default_rng(1)
    texts = [random.integers(0, 12, size).astype(np.uint16) for size in (0, 1, 2, 50)]
    counts = np.bincount(np.concatenate(texts), minlength=12)
    counts[:5] = -1
    contexts = np.argsort(-counts, kind="stable")[:4].tolist()
    found = vectors.cooccurrences(texts, 12, 4, 3)
    assert found == pytest.approx(slow(texts, 12, contexts, 3), abs=1e-4)


def test_independent_pieces_tell_nothing() -> None:
    table = np.outer([1, 2, 3], [1, 1]).astype(np.float32)
    assert vectors.positive_information(table) == pytest.approx(np.zeros((3, 2)), abs=1e-5)


def test_factors_keep_what_a_table_of_low_rank_says() -> None:
    random = np.random.default_rng(1)
    half = random.random((40, 6)).astype(np.float32)
    found = vectors.factored(half @ half.T, 6, random)
    assert found @ found.T == pytest.approx(half @ half.T, abs=1e-2)


def test_pieces_of_like_use_are_near_and_unseen_ones_have_a_length() -> None:
    random = np.random.default_rng(1)
    text = np.array([[9, random.integers(5, 7), 10, 8, random.integers(11, 13), 7] for _ in range(300)])
    found = vectors.static_vectors([text.ravel().astype(np.uint16)], (14, 3), 8, 2, 1)
    assert found.shape == (14, 3) and found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(14), abs=1e-4)
    assert found[5] @ found[6] > 0.95 > 0.5 > found[5] @ found[11]
