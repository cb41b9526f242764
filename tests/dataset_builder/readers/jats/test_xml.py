"""XML from strangers: nothing is fetched, nothing explodes, and broken files say what they are."""

import socket
import threading
import time

import pytest

from dataset_builder.readers.article import REPAIRED
from tests.dataset_builder.readers.jats.articles import NAMESPACES, article, context, fig, xref


@pytest.fixture
def listener():
    """A loopback port and the number of connections it has seen."""
    seen = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.1)
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                try:
                    seen.append(server.accept()[0].close())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], seen
        stop.set()
        thread.join()


PROLOGS = {
    "external entity": '<!DOCTYPE article [<!ENTITY x SYSTEM "{url}">]>',
    "external DTD": '<!DOCTYPE article SYSTEM "{url}">',
    "public DTD": '<!DOCTYPE article PUBLIC "-//NLM//DTD JATS//EN" "{url}">',
    "parameter entity": '<!DOCTYPE article [<!ENTITY % p SYSTEM "{url}"> %p;]>',
    "stylesheet": '<?xml-stylesheet href="{url}"?>',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("prolog", PROLOGS.values(), ids=PROLOGS)
def test_nothing_is_fetched(read, listener, tmp_path, prolog, encoding):
    port, seen = listener
    secret = tmp_path / "secret.dtd"
    secret.write_text('<!ENTITY x "SECRET">')
    for url in (f"http://127.0.0.1:{port}/x", secret.as_uri()):
        xml = article(f"<p>Dose &x; in {xref(1)}.</p>{fig(1, '<p>&x;Dose.</p>')}", prolog=prolog.format(url=url))
        found = read(xml.encode(encoding))
        assert [(f.caption, f.context) for f in found.figures] == [("Dose.", ["Dose in Figure 1."])]
        assert "SECRET" not in found.markdown
    time.sleep(0.15)  # the listener's time-out
    assert not seen


def nested(depth: int, times: int, reverse: bool = False) -> str:
    declared = ['<!ENTITY a0 "boom">'] + [f'<!ENTITY a{i + 1} "{f"&a{i};" * times}">' for i in range(depth)]
    return "".join(declared[::-1] if reverse else declared)


BOMBS = {
    "a thousand million laughs": (nested(9, 10), "&a9;"),
    "declared from the largest on": (nested(9, 10, reverse=True), "&a9;"),
    "in single quotes": (nested(9, 10).replace('"', "'"), "&a9;"),
    "one large one, often": (f'<!ENTITY a9 "{"b" * 10_000}">', "&a9;" * 101),
    "a circle": ('<!ENTITY a9 "&b;"><!ENTITY b "&a9;">', "&a9;"),
    "deep": (nested(100, 1), "&a100;"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("place", ["<p>{}</p>", '<p id="{}">x</p>'])
@pytest.mark.parametrize(("entities", "used"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_of_entities_is_no_article(read, entities, used, place, encoding):
    started = time.process_time()
    xml = article(place.format(used) + fig(1), prolog=f"<!DOCTYPE article [{entities}]>")
    with pytest.raises(ValueError, match=r"^x.xml: its entities would expand to more than \d+ characters"):
        read(xml.encode(encoding))
    assert time.process_time() - started < 2


HARMLESS = {
    "characters": '<!ENTITY nbsp "&#160;"><!ENTITY alpha "&#945;">',
    "words": '<!ENTITY clinic "Clinic of Radiotherapy"><!ENTITY ours "our &clinic;">',
    "a bomb that is not lit": nested(9, 10),
}


@pytest.mark.parametrize("entities", HARMLESS.values(), ids=HARMLESS)
def test_harmless_entities_cost_no_article(read, entities):
    prolog = f"<!DOCTYPE article [{entities}]>"
    found = read(article(f"<p>&alpha; in {xref(1)}&ours;&a2;.</p>{fig(1)}", prolog=prolog))
    assert context(found) == ["α in Figure 1."]


def test_named_entities_are_characters_with_and_without_a_dtd(read):
    for prolog in ("", '<!DOCTYPE article SYSTEM "absent.dtd">'):
        found = read(article(fig(1, "<p>&alpha;&nbsp;&ge; 5 &micro;m &amp; &unknown;more</p>"), prolog=prolog))
        assert found.figures[0].caption == "α ≥ 5 µm & more"


def test_prefixes_left_to_the_dtd(read):
    xml = article(fig(1) + "<p><mml:math/></p>").replace(NAMESPACES, "").replace("<article >", "<article>")
    assert "f1.png" in read(xml).figures[0].image_error


DAMAGED = {  # what stands in the article -> how it is read, and whether that was a repair
    "reference to a control": ("see “oth&#x1;ers”", "see “others”", True),
    "control": ("see oth\x02ers", "see others", True),
    "reference beyond Unicode": ("oth&#1114112;ers", "others", True),
    "half of a pair": ("oth&#xD83D;ers", "others", True),
    "lone ampersand": ("black & white, R&D; too", "black & white, R too", True),
    "ampersand before a number": ("A&B &# 3", "A&B &# 3", True),
    "lone angle": ("p < 0.05 and x <5", "p < 0.05 and x <5", True),
    "tags that cross": ("<bold>one <italic>two</bold> three</italic>", "one two three", True),
    "reference to cp1252": ("1&#150;2 &#x93;x&#x94;", "1–2 “x”", False),
    "reference to no character of cp1252": ("con&#157;trol", "control", False),
}


@pytest.mark.parametrize(("inside", "expected", "repaired"), DAMAGED.values(), ids=DAMAGED)
def test_single_characters_do_not_cost_the_article(read, inside, expected, repaired):
    found = read(article(f"<p>We {inside} in {xref(1)}.</p>" + fig(1)))
    assert context(found) == [f"We {expected} in Figure 1."]
    assert found.notes == ([REPAIRED] if repaired else [])


ENCODINGS = {  # declaration, encoding of the bytes, whether that is a repair
    "cp1252 declared as ISO-8859-1": ("ISO-8859-1", "cp1252", False),
    "cp1252 declared as Latin 1": ("latin1", "cp1252", False),
    "cp1252 declared as UTF-8": ("UTF-8", "cp1252", True),
    "cp1252, nothing declared": (None, "cp1252", True),
    "cp1252 declared": ("windows-1252", "cp1252", False),
    "UTF-8": ("UTF-8", "utf-8", False),
    "UTF-8 declared as an encoding that is none": ("UTF-99", "utf-8", True),
}


@pytest.mark.parametrize(("declared", "encoding", "repaired"), ENCODINGS.values(), ids=ENCODINGS)
def test_encodings(read, declared, encoding, repaired):
    prolog = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    found = read(article(f"<p>Figs 1–2 of “Müller”, {xref(1)}.</p>{fig(1)}{fig(2)}", prolog=prolog).encode(encoding))
    assert [figure.context for figure in found.figures] == [["Figs 1–2 of “Müller”, Figure 1."]] * 2
    assert found.notes == ([REPAIRED] if repaired else [])


def test_latin_1_stays_latin_1(read):
    xml = article(fig(1, "<p>Müller, 5 µm</p>"), prolog='<?xml version="1.0" encoding="ISO-8859-1"?>')
    found = read(xml.encode("latin-1"))
    assert (found.figures[0].caption, found.notes) == ("Müller, 5 µm", [])


def test_a_repair_opens_nothing(read, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    prolog = f'<!DOCTYPE article [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    found = read(article(f"<p>&x; \x01 here</p>{fig(1)}", prolog=prolog))
    assert found.notes == [REPAIRED]
    assert "SECRET" not in found.markdown


BROKEN = {
    "empty": ("", "no well-formed XML"),
    "text": ("not found", "no well-formed XML"),
    "truncated": (article(fig(1))[:-30], "no well-formed XML"),
    "zeros": ("\0\0\0\0", "no well-formed XML"),
    "html": ("<html><body/></html>", "0 JATS articles"),
    "two articles": (f"<pmc-articleset>{article()}{article()}</pmc-articleset>", "2 JATS articles"),
    "another vocabulary": ("<article><para/></article>", "this is not JATS"),
    "deep": (article("<sec>" * 5000 + "</sec>" * 5000), "no well-formed XML"),
}


@pytest.mark.parametrize(("xml", "error"), BROKEN.values(), ids=BROKEN)
def test_broken_file(read, xml, error):
    with pytest.raises(ValueError, match=error) as raised:
        read(xml)
    assert str(raised.value).startswith("x.xml: ")
    assert "\n" not in str(raised.value)


def test_too_large(read, monkeypatch):
    monkeypatch.setattr("dataset_builder.readers.jats.reader.MAX_XML_BYTES", 100)
    with pytest.raises(ValueError, match="more than 100"):
        read(article())
