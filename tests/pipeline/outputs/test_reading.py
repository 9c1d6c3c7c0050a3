import re
from html import unescape

from hypothesis import given

from annotations.document import Annotation, Document, Mention
from pipeline.outputs.reading import render, section
from tests.generated import documents


def page(document: Document) -> str:
    assert document.annotation is not None
    found = section(document, document.annotation, trained_on=False)
    return render([found], title="t", model="m", left_out=0)


@given(documents())
def test_the_text_is_all_there_and_nothing_of_it_is_markup(document: Document) -> None:
    html = page(document)
    body = html[html.index('<div class="text"') : html.index("<h3>Between actors")]
    shown = unescape(re.sub(r"<b>[A-Z]+</b>|<[^>]*>", "", body))
    assert "".join(shown.split()) == "".join(document.text.split()) or "\x00" in document.text


def test_injection_stays_text() -> None:
    attack = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    document = Document(attack, attack, annotation=Annotation((Mention(0, len(attack), "PER"),)))
    html = page(document)
    assert "<script" not in html
    assert "<img" not in html
    assert "default-src 'none'" in html


def test_inner_marks_stand_inside_outer_ones() -> None:
    document = Document(
        "d", "Ukraine-Krieg", annotation=Annotation((Mention(0, 7, "GPE"), Mention(0, 13, "EVENT")))
    )
    html = page(document)
    assert re.search(
        r'class="EVENT"[^>]*><mark class="GPE"[^>]*>Ukraine<b>GPE</b></mark>-Krieg<b>EVENT</b>', html
    )
