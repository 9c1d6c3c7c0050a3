"""The two modes against seqeval, against a conlleval written anew from its rules, and against the clock."""

import os
import random
import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as leniently
from seqeval.metrics.v1 import precision_recall_fscore_support as strictly
from seqeval.scheme import IOB2

from annotations.document import Annotation, Document, Mention
from eval.align import Pair
from eval.counts import total
from eval.metrics import METRICS
from eval.sequences import TagError, read_tags, score

CASES = int(os.environ.get("JUDGE_CASES", "600"))
LABELS = ("PER", "GPE", "ORG")


def random_tags(rng: random.Random, length: int, prefixes: str = "BI") -> list[str]:
    return [
        "O" if rng.random() < 0.4 else f"{rng.choice(prefixes)}-{rng.choice(LABELS)}" for _ in range(length)
    ]


def nudge(rng: random.Random, tags: list[str]) -> list[str]:
    return [tag if rng.random() < 0.8 else rng.choice(random_tags(rng, 3)) for tag in tags]


def random_case(rng: random.Random) -> tuple[list[list[str]], list[list[str]]]:
    gold = [random_tags(rng, rng.randrange(0, 14)) for _ in range(rng.randrange(1, 4))]
    return gold, [nudge(rng, tags) for tags in gold]


def conlleval(tags: list[str]) -> set[tuple[str, int, int]]:
    """Chunks by the rules of the shared task's script: state, flag by flag, one piece at a time."""
    chunks, opened, before = set(), None, ("O", "")
    for position, tag in enumerate([*tags, "O"]):
        flag, label = (tag[0], tag[2:]) if tag != "O" else ("O", "")
        same = label == before[1]
        ends = before[0] in "BI" and (flag in "BO" or not same)
        starts = flag == "B" or (flag == "I" and (before[0] == "O" or not same))
        if ends and opened is not None:
            chunks.add((before[1], opened, position - 1))
            opened = None
        if starts:
            opened = position
        before = (flag, label)
    return chunks


def strict_chunks(tags: list[str]) -> set[tuple[str, int, int]]:
    """IOB2 to the letter: B, then every I of the same label right behind it."""
    chunks = set()
    for start, tag in enumerate(tags):
        if tag.startswith("B-"):
            end = start
            while end + 1 < len(tags) and tags[end + 1] == f"I-{tag[2:]}":
                end += 1
            chunks.add((tag[2:], start, end))
    return chunks


def by_oracle(gold, predicted, chunks):
    ours = {(n, *chunk) for n, tags in enumerate(gold) for chunk in chunks(tags)}
    theirs = {(n, *chunk) for n, tags in enumerate(predicted) for chunk in chunks(tags)}
    return len(ours & theirs), len(theirs - ours), len(ours - theirs)


def by_seqeval(gold, predicted, mode):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if mode == "lenient":
            return leniently(gold, predicted, average="micro")[:3]
        return strictly(gold, predicted, average="micro", scheme=IOB2)[:3]


@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_agrees_with_seqeval_and_the_oracle(mode):
    rng = random.Random(5)
    chunks = strict_chunks if mode == "strict" else conlleval
    for _ in range(CASES):
        gold, predicted = random_case(rng)
        found = score(gold, predicted, mode).overall
        assert (found.hits, found.spurious, found.missed) == by_oracle(gold, predicted, chunks)
        f1 = pytest.approx(found.f1, abs=1e-15)
        assert by_seqeval(gold, predicted, mode) == (found.precision, found.recall, f1)


TAGS = st.sampled_from(("O", "B-PER", "I-PER", "B-GPE", "I-GPE"))


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.lists(st.lists(st.tuples(TAGS, TAGS), max_size=8), min_size=1, max_size=3))
def test_the_smallest_case_that_disagrees(rows):
    gold, predicted = ([[pair[side] for pair in row] for row in rows] for side in (0, 1))
    for mode, chunks in (("strict", strict_chunks), ("lenient", conlleval)):
        found = score(gold, predicted, mode).overall
        assert (found.hits, found.spurious, found.missed) == by_oracle(gold, predicted, chunks)


def test_counts_what_is_invalid():
    result = score([["B-PER", "O", "B-PER"]], [["I-PER", "O", "B-PER"]])
    assert (result.invalid_sequences, result.invalid_tags) == (1, 1)
    assert result.overall.hits == 1
    assert score([["B-PER"]], [["I-PER"]], "lenient").overall.hits == 1


def test_reads_single_and_end_tags_leniently_only():
    assert score([["B-PER", "E-PER", "S-GPE"]], [["B-PER", "I-PER", "S-GPE"]], "lenient").overall.f1 == 1.0
    with pytest.raises(TagError, match="unknown tag 'S-GPE'"):
        score([["S-GPE"]], [["S-GPE"]], "strict")


@pytest.mark.parametrize(
    ("gold", "predicted", "said"),
    [
        ([["O"]], [], "1 sequences of gold, 0 predicted"),
        ([["O"]], [["O", "O"]], "sequence 1 has 1 tags in gold, 2 predicted"),
        ([["X"]], [["O"]], "unknown tag 'X'"),
        ([["B-"]], [["O"]], "unknown tag 'B-'"),
    ],
)
def test_refuses_what_cannot_be_scored(gold, predicted, said):
    with pytest.raises(TagError, match=said):
        score(gold, predicted)


def test_the_outer_strict_score_is_that_of_seqeval_on_tags():
    rng = random.Random(11)
    for _ in range(CASES):
        readings = [flat(rng, 30) for _ in range(2)]
        documents = [Document("d", "x" * 30, annotation=Annotation(r)) for r in readings]
        found = total(METRICS["mentions.strict.outer"].count(Pair(*documents)))
        tags = [[as_tags(reading, 30)] for reading in readings]
        theirs = by_seqeval(*tags, "strict")
        assert theirs == (found.precision, found.recall, pytest.approx(found.f1, abs=1e-15))


def flat(rng: random.Random, length: int) -> tuple[Mention, ...]:
    mentions, position = [], rng.randrange(4)
    while position < length - 4:
        end = position + rng.randrange(1, 4)
        mentions.append(Mention(position, end, rng.choice(LABELS)))
        position = end + rng.randrange(3)
    return tuple(mentions)


def as_tags(mentions: tuple[Mention, ...], length: int) -> list[str]:
    tags = ["O"] * length
    for mention in mentions:
        inside = [f"I-{mention.label}"] * (mention.end - mention.start - 1)
        tags[mention.start : mention.end] = [f"B-{mention.label}", *inside]
    return tags


def test_a_million_pieces_in_two_seconds():
    rng = random.Random(1)
    gold = [random_tags(rng, 100) for _ in range(100)] * 100
    predicted = [nudge(rng, tags) for tags in gold[:100]] * 100
    started = time.process_time()
    result = score(gold, predicted)
    assert time.process_time() - started < 2.0
    assert result.overall.gold % 100 == 0


def test_reads_the_last_column(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("-DOCSTART- O\n\n# x\nPutin NE B-PER\nging V O\n\n\nKiew NE B-GPE\n", "utf-8")
    assert read_tags(path) == [["B-PER", "O"], ["B-GPE"]]
