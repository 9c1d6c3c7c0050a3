import time

import pytest
from hypothesis import given

from pipeline import segments
from tests.generated import TEXTS


@given(TEXTS)
def test_segments_and_sentences_cover_the_text(text: str) -> None:
    spans = list(segments.segments(text))
    assert "".join(text[a:b] for a, b in spans) == text
    borders = segments.sentences(text, "de").tolist()
    assert borders == sorted(set(borders))
    assert (borders[0], borders[-1]) == (0, len(text))


@given(TEXTS)
def test_words_hold_every_sign_that_is_no_space(text: str) -> None:
    starts, ends = segments.words(text)
    inside = {i for a, b in zip(starts.tolist(), ends.tolist(), strict=True) for i in range(a, b)}
    outside = [c for i, c in enumerate(text) if i not in inside]
    assert all(c.isspace() or not c.isprintable() or c in "\u0308\u00ad\u200d" for c in outside)


def test_decomposed_umlauts_and_soft_hyphens_stay_in_their_word() -> None:
    text = "Fu\u0308rst Außen\u00administer"
    starts, ends = segments.words(text)
    assert [text[a:b] for a, b in zip(starts, ends, strict=True)] == text.split()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Er kam. Sie ging.", 2),
        ("Am 3. Oktober kam er an.", 1),
        ("Der 1. FC Köln spielt im 19. Jahrhundert.", 1),
        ("Dr. Weber sprach mit Nr. 5.", 1),
        ("„Wir gehen.“ Das sagte er.", 2),
        ("Ein umgebrochener\nSatz geht weiter.", 1),
    ],
)
def test_german_sentences(text: str, count: int) -> None:
    assert len(segments.sentences(text, "de")) - 1 == count


def test_a_headline_is_no_part_of_the_first_sentence() -> None:
    text = (
        "Gipfel in Riga\n"
        + "Der Präsident sprach lange mit seinen Gästen über die Lage im Norden des Landes " * 2
    )
    assert segments.sentences(text, "de")[1] == 15


def test_long_segments_are_cut_at_white_space() -> None:
    text = "wort " * 5000
    spans = list(segments.segments(text))
    assert max(b - a for a, b in spans) <= segments.LONGEST_SEGMENT
    assert all(text[b - 1] == " " for _, b in spans)


@pytest.mark.parametrize("pattern", ["„", '"', "(", ".", "a", "a.", "\u0301", "\n", "1. "])
def test_no_pattern_takes_quadratic_time(pattern: str) -> None:
    def seconds(length: int) -> float:
        text = pattern * (length // len(pattern))
        started = time.perf_counter()
        segments.sentences(text, "de")
        segments.words(text)
        segments.paragraphs(text)
        return time.perf_counter() - started

    seconds(2_000)
    assert seconds(64_000) < 40 * max(seconds(8_000), 0.01)  # linear is 8 times
