from annotations.document import Document
from annotations.formats.reading import Place
from annotations.leaks import find_leaks

FIRST = "Der Gipfel in Riga endete ohne Ergebnis. Am Abend reiste der Präsident aus der Stadt wieder ab."


def leaks(*documents: tuple[str, str]) -> list[str]:
    placed = [(Document(f"d{n}", text), Place(path, n)) for n, (path, text) in enumerate(documents)]
    return [problem.what for problem in find_leaks(placed)]


def test_a_shared_sentence_across_files_is_a_leak_between_splits() -> None:
    found = leaks(
        ("train", FIRST),
        (
            "test",
            "Der Gipfel in Riga endete ohne\nErgebnis. Ganz anders ging es weiter, als man gedacht hatte.",
        ),
    )
    assert not found  # the line break makes two parts of it: neither is that sentence
    found = leaks(
        ("train", FIRST), ("test", "Der Gipfel in Riga endete ohne Ergebnis. Anders ging es weiter.")
    )
    assert len(found) == 1
    assert "leak between splits" in found[0]


def test_nearly_the_same_text_is_found() -> None:
    assert not leaks(("a", FIRST), ("a", "Ein ganz anderer Text über ein ganz anderes Treffen in Oslo."))
    longer = FIRST + " Niemand wollte danach noch etwas sagen, auch nicht die Gastgeber aus dem Norden."
    assert any(
        "repeats most" in what for what in leaks(("a", longer), ("a", longer.replace("Niemand", "Keiner")))
    )


def test_short_sentences_repeat_by_chance() -> None:
    assert not leaks(("a", "Das ist alles."), ("b", "Das ist alles."))
