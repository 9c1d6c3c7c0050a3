import json
import random

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from annotations.document import Annotation, Document, Mention, Relation
from annotations.formats.jsonl import write_jsonl
from eval.align import Pair
from eval.calibrate import main
from eval.calibration import (
    fit_temperature,
    load_temperatures,
    mention_samples,
    relation_samples,
    reliability,
    save_temperatures,
)
from tests.eval import worlds


def overconfident(count: int = 4000, temperature: float = 2.5) -> list[tuple[float, bool]]:
    rng = random.Random(1)
    samples = []
    for _ in range(count):
        logit = rng.gauss(1, 1)
        right = rng.random() < 1 / (1 + np.exp(-logit))
        samples.append((float(1 / (1 + np.exp(-logit * temperature))), bool(right)))
    return samples


def test_bins_hold_every_prediction_once():
    samples = [(0.0, False), (0.1, True), (0.100001, True), (0.55, False), (1.0, True)]
    found = reliability(samples)
    assert [b.count for b in found.bins] == [2, 1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert found.count == 5
    assert found.brier == pytest.approx(np.mean([0, 0.81, (1 - 0.100001) ** 2, 0.55**2, 0]))


def test_the_error_is_the_weighted_distance_from_the_diagonal():
    samples = [(0.8, True)] * 6 + [(0.8, False)] * 4 + [(0.3, False)] * 10
    assert reliability(samples).error == pytest.approx(0.5 * 0.2 + 0.5 * 0.3)


def test_nothing_is_no_error_and_no_telling_score():
    assert reliability([]).error == 0.0
    assert not reliability([]).is_telling
    assert not reliability([(1.0, True), (1.0, False)]).is_telling
    assert reliability([(0.4, True)]).is_telling


def test_the_fitted_temperature_is_the_likeliest_one():
    samples = overconfident()
    found = fit_temperature(samples)
    assert found.temperature == pytest.approx(2.5, rel=0.1)
    assert found.error_after < found.error_before / 3
    scores, right = np.array([s for s, _ in samples]), np.array([r for _, r in samples])

    def loss(log: float) -> float:
        scaled = 1 / (1 + np.exp(-np.log(scores / (1 - scores)) / np.exp(log)))
        return float(-np.mean(np.log(np.where(right, scaled, 1 - scaled))))

    best = minimize_scalar(loss, bounds=(-3, 3), method="bounded").x
    assert np.log(found.temperature) == pytest.approx(best, abs=1e-3)


def test_a_temperature_keeps_the_order_and_survives_the_file(tmp_path):
    found = fit_temperature(overconfident(500))
    scores = [found.apply(s / 20) for s in range(21)]
    assert scores == sorted(scores)
    assert all(0 < s < 1 for s in scores)
    save_temperatures(tmp_path / "calibration.json", {"mentions": found})
    assert load_temperatures(tmp_path / "calibration.json") == {"mentions": found}


NEGATIVE = {"temperature": -1.0, "fitted_on": 1, "error_before": 0.0, "error_after": 0.0}
BROKEN = {**NEGATIVE, "temperature": "1.0"}


@pytest.mark.parametrize(
    "content", [[], {"mentions": {"temperature": 1.0}}, {"mentions": BROKEN}, {"mentions": NEGATIVE}]
)
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="no temperatures; expected error_after"):
        load_temperatures(path)


def test_no_predictions_cannot_be_fitted():
    with pytest.raises(ValueError, match="no predictions to fit"):
        fit_temperature([])


def test_all_right_or_all_wrong_stays_within_bounds():
    for right in (True, False):
        assert 0.05 <= fit_temperature([(0.9, right)] * 10).temperature <= 20.0


def test_samples_are_predictions_with_what_came_true():
    putin, kim = Mention(0, 5, "PER"), Mention(6, 9, "PER")
    gold = Document("d", "Putin Kim", annotation=Annotation((putin, kim), (Relation(putin, kim, "AIDS"),)))
    said = (
        Relation(putin, kim, "AIDS", score=0.7),
        Relation(kim, putin, "AIDS", score=0.2),
    )
    mentions = (Mention(0, 5, "PER", score=0.9), Mention(6, 9, "ORG", score=0.6))
    pairs = [Pair(gold, Document("d", "Putin Kim", annotation=Annotation(mentions, said)))]
    assert mention_samples(pairs) == [(0.9, True), (0.6, False)]
    assert relation_samples(pairs) == [(0.7, True), (0.2, False)]


def test_the_command_fits_on_a_development_set_and_says_what_it_did(tmp_path, capsys):
    gold = worlds.random_documents(1, 20)
    write_jsonl(tmp_path / "gold.jsonl", gold)
    write_jsonl(tmp_path / "predicted.jsonl", worlds.predictions_on(gold, 2), scores=True)
    arguments = [str(tmp_path / "gold.jsonl"), str(tmp_path / "predicted.jsonl")]
    assert main([*arguments, "--output", str(tmp_path / "c.json")]) == 0
    assert set(load_temperatures(tmp_path / "c.json")) == {"mentions", "relations"}
    assert "mentions: temperature" in capsys.readouterr().out
    write_jsonl(tmp_path / "plain.jsonl", gold)
    assert main([arguments[0], str(tmp_path / "plain.jsonl"), "--output", str(tmp_path / "d.json")]) == 2
    assert "the predictions carry no scores" in capsys.readouterr().err
    assert main([arguments[0], str(tmp_path / "gone"), "--output", str(tmp_path / "d.json")]) == 2
