"""The page: whole, self-contained, and deaf to whatever stands in a text, a name or a label."""

import shutil
import subprocess
import tempfile
import threading
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from annotations.document import Annotation, Document, Mention, Relation
from eval.report import html, page
from eval.run import evaluate
from eval.scoring import Conditions
from tests.eval import worlds
from tests.eval.report.payloads import payloads

GOLD = worlds.random_documents(1, 8)
REPORT = evaluate(GOLD, worlds.predictions_on(GOLD, 2), worlds.given_on(GOLD, 3))
VOID = {"meta", "input", "br", "img", "link", "base"}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Skeleton(HTMLParser):
    """Tags and the names of their attributes; what is inside does not matter."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, *(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action", "data"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def skeleton(text: str) -> Skeleton:
    parser = Skeleton()
    parser.feed(text)
    parser.close()
    return parser


def test_every_tag_is_closed_and_nothing_points_outside():
    found = skeleton(html.render(REPORT))
    assert found.open == []
    assert found.links == []
    names = {tag[0] for tag in found.tags}
    assert names.isdisjoint({"script", "iframe", "link", "img", "object", "embed", "form", "base", "a"})
    assert not any(name.startswith("on") or name == "style" for tag in found.tags for name in tag[1:])


def test_the_style_is_ascii_so_that_its_hash_holds_in_any_encoding():
    assert (html.TEMPLATES / "style.css").read_bytes().isascii()


def test_the_policy_allows_this_style_and_nothing_else():
    text = html.render(REPORT)
    assert "default-src 'none'; style-src 'sha256-" in text.replace("&#39;", "'")
    assert "@import" not in text
    assert "url(" not in text


def test_the_page_names_what_it_shows_and_what_it_does_not(monkeypatch):
    assert "documents are shown" not in html.render(REPORT)
    monkeypatch.setattr(page, "SHOWN", 3)
    text = html.render(REPORT)
    assert "3 of 8 documents are shown: those with most errors." in text
    assert text.count("<details") == 3


def test_waterfalls_go_from_the_whole_to_the_rest():
    for side in ("missed", "spurious"):
        first, *losses, last = page.waterfall(REPORT, side)
        assert first.count - sum(step.count for step in losses) == last.count
        assert first.width == 100
        assert losses[-1].start == pytest.approx(last.width)


@pytest.mark.parametrize("count", [1, 2, 5, 6, 40])
def test_any_number_of_documents_makes_a_page(count):
    gold = worlds.random_documents(4, count, 20)
    for predicted in (gold, worlds.predictions_on(gold, 1), [replace(d, annotation=None) for d in gold]):
        assert skeleton(html.render(evaluate(gold, predicted))).open == []


def hostile(words: list[str]) -> str:
    """A page with the words in every place where words from outside can stand."""
    documents, given = [], []
    for number, each in enumerate(words):
        text = f"{each} x {each}"
        first, second = Mention(0, len(each), f"PER{each}"), Mention(len(each) + 3, len(text), f"ORG{each}")
        relation = Relation(first, second, "AIDS", modality=each)
        annotation = Annotation((first, second), (relation,))
        documents.append(Document(f"{number} {each}", text, language=each, date=each, annotation=annotation))
        given.append(documents[-1])
    crossing = Annotation((Mention(0, 3, "PER"), Mention(1, 4, "ORG")), ())
    predicted = [replace(d, annotation=crossing) if n % 2 else d for n, d in enumerate(documents)]
    everything = "\n".join(words)
    conditions = Conditions(everything, split=everything, notes=tuple(words))
    return evaluate(documents, predicted, given, conditions)


@cache
def all_payloads() -> list[str]:
    return payloads("http://127.0.0.1:9")


def test_no_payload_changes_the_skeleton_of_the_page():
    words = all_payloads()
    assert len(words) >= 500
    tame = [f"{n:03}".ljust(len(word), "x") for n, word in enumerate(words)]
    for start in range(0, len(words), 13):
        there, here = (skeleton(html.render(hostile(w[start : start + 13]))) for w in (words, tame))
        assert there.tags == here.tags
        assert there.open == []


class Canary(BaseHTTPRequestHandler):
    seen: list[str] = []  # noqa: RUF012 - shared on purpose

    def do_GET(self):
        self.seen.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def canary():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    Canary.seen.clear()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def browse(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the page is after the browser has had two seconds with it, and what the console said."""
    (folder / "page.html").write_bytes(text.encode("utf-8"))
    with tempfile.TemporaryDirectory() as profile:
        command = [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ]
        command += [
            "--disable-background-networking",
            f"--user-data-dir={profile}",
            "--enable-logging=stderr",
        ]
        command += ["--virtual-time-budget=2000", "--dump-dom", (folder / "page.html").as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def dumped(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Now and then a headless browser on a busy machine leaves without a word: then once more."""
    seen = browse(text, folder)
    return seen if seen.stdout else browse(text, folder)


needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@needs_chromium
def test_the_canary_flies_where_nothing_is_escaped(canary, tmp_path):
    dumped("<!doctype html><title>x</title>" + "\n".join(payloads(canary)[:20]), tmp_path)
    assert len(Canary.seen) > 3


@needs_chromium
@pytest.mark.parametrize("frame", [False, True])
def test_no_payload_runs_and_no_request_leaves(canary, tmp_path, monkeypatch, frame):
    monkeypatch.setattr(page, "SHOWN", 1000)
    report = hostile(payloads(canary))
    text = html.render(report)
    if frame:
        text = "<!doctype html><title>notebook</title>" + report._repr_html_()
    seen = dumped(text, tmp_path)
    assert Canary.seen == []
    assert "<title>canary" not in seen.stdout
    assert "Refused to" not in seen.stderr  # the policy had nothing to stop
    assert "violates" not in seen.stderr
    assert len(seen.stdout) > len(text) / 2
