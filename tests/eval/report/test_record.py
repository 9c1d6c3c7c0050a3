import json

import orjson
import pytest

from eval.counts import total
from eval.metrics import METRICS
from eval.report.markdown import plain, render, summary
from eval.report.record import load_scores, to_record
from eval.run import evaluate, write_report
from tests.eval import worlds

GOLD = worlds.random_documents(1, 8)
REPORT = evaluate(GOLD, worlds.predictions_on(GOLD, 2), worlds.given_on(GOLD, 3))
RECORD = json.loads(orjson.dumps(to_record(REPORT)))


def test_what_is_stored_comes_back(tmp_path):
    write_report(REPORT, tmp_path)
    assert load_scores(tmp_path / "report.json") == REPORT.scores


@pytest.mark.parametrize("name", list(METRICS))
def test_every_number_can_be_derived_from_the_documents(name):
    stored = RECORD["metrics"][name]["groups"]["all"]
    rows = [counts for document in RECORD["documents"] for counts in document["tallies"][name].values()]
    hits, spurious, missed, halves = (sum(column) for column in zip(*rows, strict=True))
    assert (stored["hits"], stored["spurious"], stored["missed"]) == (hits, spurious, missed)
    assert stored["f1"] == pytest.approx(
        (2 * hits + halves) / (2 * hits + 2 * halves + spurious + missed), abs=1e-6
    )
    assert f"|metric:{name}|" in f"|{RECORD['metrics'][name]['signature']}|"


def test_intervals_hold_their_scores_and_need_gold():
    for record in RECORD["metrics"].values():
        for group in (*record["groups"].values(), *record.get("labels", {}).values()):
            if "interval" in group:
                low, high = group["interval"]
                assert low <= group["f1"] <= high
                assert group["support"] >= 10


def test_losses_sum_to_what_is_missed():
    for mode in ("given", "strict"):
        for side in ("missed", "spurious"):
            for group in ("all", "static", "actors"):
                lost = sum(RECORD["losses"][mode][side][group].values())
                assert lost == RECORD["metrics"][f"relations.{mode}.modality"]["groups"][group][side]


def test_groups_are_parts_of_the_whole():
    for name in ("relations.given", "relations.strict", "relations.boundaries"):
        groups = RECORD["metrics"][name]["groups"]
        for what in ("hits", "spurious", "missed"):
            assert groups["all"][what] == groups["static"][what] + groups["actors"][what]


def test_markdown_has_the_same_numbers():
    text = render(REPORT)
    counts = total(REPORT.scores.tally("relations.given"))
    assert f"{100 * counts.f1:.1f}" in text
    assert str(REPORT.scores.signature) in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    assert all(len({line.count(" | ") for line in table.splitlines()}) == 1 for table in tables)
    assert summary(REPORT).splitlines()[0].split() == [
        "precision",
        "recall",
        "F1",
        "95",
        "%",
        "interval",
        "gold",
    ]


@pytest.mark.parametrize(
    "words", ["<b>x</b>", "a|b", "[x](javascript:1)", "\x1b[31m", "a\nb", "\u202eabc", "`x`"]
)
def test_words_from_outside_stay_words(words):
    shown = plain(words)
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    for sign in "<|[`":
        assert shown.count(sign) == shown.count(f"\\{sign}")
