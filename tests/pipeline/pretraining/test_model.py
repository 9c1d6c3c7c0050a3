import numpy as np
import pytest
import torch

from pipeline.pretraining.model import MaskedPieces, Question, build
from pipeline.pretraining.optimizers import OPTIMIZERS, level
from pipeline.pretraining.settings import Encoder, Schedule

SIZE = 50
SHAPE = Encoder(layers=2, width=16, heads=2, inner=16, length=32, positions="rotary")


@pytest.fixture
def model() -> MaskedPieces:
    torch.manual_seed(1)
    return build(SHAPE, SIZE, None, 0.0).eval()


def question(seed: int = 1) -> Question:
    random = np.random.default_rng(seed)
    ids = torch.from_numpy(random.integers(5, SIZE, (3, 12)))
    positions = torch.tensor([1, 5, 17, 30])
    return Question(ids, positions, ids.flatten()[positions])


def test_the_loss_is_that_of_all_pieces_at_hidden_places(model: MaskedPieces) -> None:
    asked = question()
    states = model.encoder(input_ids=asked.ids).last_hidden_state
    scores = model.norm(torch.nn.functional.gelu(model.dense(states))) @ model.embeddings.T + model.bias
    expected = torch.nn.functional.cross_entropy(scores.flatten(0, 1)[asked.positions], asked.targets)
    assert model(asked).item() == pytest.approx(expected.item(), abs=1e-5)
    assert model.total(asked) == pytest.approx(4 * expected.item(), abs=1e-4)


def test_all_candidates_with_certainty_are_the_full_loss(model: MaskedPieces) -> None:
    asked = question()
    sampled = Question(asked.ids, asked.positions, asked.targets, torch.arange(SIZE), torch.zeros(SIZE))
    assert model(sampled).item() == pytest.approx(model(asked).item(), abs=1e-5)
    model(sampled).backward()
    assert all(torch.isfinite(weight.grad).all() for weight in model.parameters() if weight.grad is not None)


def test_drawn_candidates_leave_the_denominator_unbiased(model: MaskedPieces) -> None:
    asked = question()
    with torch.no_grad():
        model.embeddings.mul_(20)
        hidden = model.hidden(asked)
        scores = hidden @ model.embeddings.T + model.bias
        right = scores.gather(1, asked.targets[:, None]).squeeze(1)
        chance = torch.linspace(0.3, 1.0, SIZE)
        found = []
        for _ in range(3000):
            drawn = (torch.rand(SIZE) < chance).nonzero().squeeze(-1)
            one = Question(asked.ids, asked.positions[:1], asked.targets[:1], drawn, chance[drawn].log())
            found.append(model._sampled(hidden[:1], one.targets, drawn, chance[drawn].log()).exp())
    expected = (scores[0].logsumexp(-1) - right[0]).exp()
    assert torch.stack(found).mean().item() == pytest.approx(expected.item(), rel=0.03)


def test_embeddings_start_from_vectors() -> None:
    vectors = np.eye(SIZE, 16, dtype=np.float32)
    embeddings = build(SHAPE, SIZE, vectors, 0.5).embeddings
    assert embeddings[1].tolist() == pytest.approx((vectors[1] * 0.5 * 4).tolist())
    assert embeddings[0].abs().sum() == 0


@pytest.mark.parametrize(
    ("progress", "expected"), [(0, 0), (0.05, 0.5), (0.1, 1), (0.6, 1), (0.8, 0.5), (1, 0), (1.1, 0)]
)
def test_the_rate_rises_stays_and_falls(progress: float, expected: float) -> None:
    assert level(progress, rise=0.1, fall=0.4) == pytest.approx(expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_weight_has_one_optimizer_and_learns(model: MaskedPieces, name: str) -> None:
    schedule = Schedule(optimizer=name, rate=0.01, matrix_rate=0.01, decay=0.0, clip=1.0, rise=0.0, fall=0.0)
    made = OPTIMIZERS[name](model, schedule)
    held = [id(weight) for one in made for group in one.param_groups for weight in group["params"]]
    assert sorted(held) == sorted(id(weight) for weight in model.parameters())
    before = model(question()).item()
    for _ in range(20):
        for one in made:
            one.zero_grad()
        model(question()).backward()
        for one in made:
            one.step()
    assert model(question()).item() < before - 0.5
