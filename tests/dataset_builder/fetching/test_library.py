"""`ldrt fetch --zotero`: exports as Zotero and its plug-ins write them, and odd ones; files and ids."""

import json
import os

import pytest

import ldrt
from dataset_builder.fetching.library.bibtex import BadEntry, parse_bibtex
from dataset_builder.fetching.library.references import attached, read_references
from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.sample.corpus import write_corpus
from tests.dataset_builder.fetching.conftest import fetch, names, rows

# ---- BibTeX ----

ENTRIES = {
    "braces": ("@article{a, title = {A {B} c}}", {"title": "A {B} c"}),
    "quotes": ('@article{a, title = "A {"}B{"} c"}', {"title": 'A {"}B{"} c'}),
    "bare words": ("@article{a, year = 2020, month = jan}", {"year": "2020", "month": "jan"}),
    "joined": ('@string{j = "Journal "}\n@article{a, journal = J # {of} # " x"}', {"journal": "Journal of x"}),
    "parentheses": ("@article(a, title = {A (b) c})", {"title": "A (b) c"}),
    "in capitals, closed behind a comma": ("  @ARTICLE {a,\n\tTITLE={A},\n}", {"title": "A"}),
    "of two fields the first": ("@article{a, title = {A}, title = {B}}", {"title": "A"}),
    "no field": ("@misc{a,\n}", {}),
    "text and other things around": (
        "% me@x.org\nfree text, {\n@comment{jabref-meta: x}\n@preamble{ {\\x} }\n@misc{a, note = {b@c.de}}\nrest }",
        {"note": "b@c.de"},
    ),
    "a path that ends in a backslash": ("@misc{a, file = {C:\\x\\}, note = {y}}", {"file": "C:\\x\\", "note": "y"}),
}


@pytest.mark.parametrize(("text", "fields"), ENTRIES.values(), ids=ENTRIES)
def test_bibtex_entries(text, fields):
    (entry,) = parse_bibtex(text)
    assert (entry.key, entry.fields) == ("a", fields)


BROKEN = {
    "never closed": "@article{b, title = {A {B c},\n year = 2000}\n",
    "closed too early": "@article{b, title = {A} B}, year = 2000}\n",
    "no key": "@article{title = {A}}\n",
    "no value": "@article{b, title = , year = 2000}\n",
    "a quote too few": '@article{b, title = "A, year = 2000}\n',
    "cut off": "@article{b, title = {A}",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_entry_costs_itself_alone(broken):
    first, bad, last = parse_bibtex("@misc{a, note = {1}}\n\n" + broken + "\n@misc{c, note = {3}}\n")
    assert (first.key, last.key, last.fields) == ("a", "c", {"note": "3"})
    assert isinstance(bad, BadEntry)
    assert bad.line == 3


FILES = {
    "Zotero": ("Full Text PDF:files/12/Smith 2020.pdf:application/pdf", ["files/12/Smith 2020.pdf"]),
    "several": ("A:files/1/a.pdf:application/pdf;S:files/2/b.html:text/html", ["files/1/a.pdf", "files/2/b.html"]),
    "escaped": (r"Full\: Text:C\:\\Users\\me\\a\;b.pdf:application/pdf", [r"C:\Users\me\a;b.pdf"]),
    "Better BibTeX": ("/home/me/a.pdf;/home/me/b.pdf", ["/home/me/a.pdf", "/home/me/b.pdf"]),
    "escaped signs": (r"T:files/a\_b\$\{1\}.pdf:application/pdf", ["files/a_b${1}.pdf"]),
    "JabRef": (":a/b.pdf:PDF", ["a/b.pdf"]),
    "a bare drive": (r"C:\Users\x.pdf", [r"C:\Users\x.pdf"]),
    "a bare drive between": (r"T:C:\Users\x.pdf:application/pdf", [r"C:\Users\x.pdf"]),
    "nothing": ("", []),
    "only signs": (";: ;::;", []),
}


@pytest.mark.parametrize(("value", "paths"), FILES.values(), ids=FILES)
def test_attached_files(value, paths):
    assert list(attached(value)) == paths


IDS = {
    "doi": ("doi = {10.5555/A(1)2}", "10.5555/A(1)2"),
    "escaped doi": (r"doi = {10.5555/a\_b}", "10.5555/a_b"),
    "doi as address": ("doi = {https://doi.org/10.5555/x}", "10.5555/x"),
    "doi in the address": ("url = {https://doi.org/10.5555/x}", "10.5555/x"),
    "pmcid before doi": ("doi = {10.5555/x}, pmcid = {PMC12}", "PMC12"),
    "bare pmcid": ("pmcid = {12}", "PMC12"),
    "BibLaTeX": ("eprint = {PMC12}, eprinttype = {pmcid}", "PMC12"),
    "pmid": ("pmid = {123}", "pmid:123"),
    "BibLaTeX's pmid": ("eprint = {123}, eprinttype = {pubmed}", "pmid:123"),
    "in the note": ("note = {PMID: 123\nPMCID: PMC12}", "PMC12"),
    "another eprint": ("eprint = {2501.15370}, eprinttype = {arxiv}", None),
    "a number in a note": ("note = {123 pages}", None),
    "no DOI": ("doi = {forthcoming}", None),
}


@pytest.mark.parametrize(("fields", "found"), IDS.values(), ids=IDS)
def test_ids_of_an_entry(tmp_path, fields, found):
    (tmp_path / "x.bib").write_text(f"@article{{a, {fields}}}")
    ((reference,), _) = read_references(tmp_path / "x.bib")
    assert reference.id == found


TITLES = {
    "Plain  title": "Plain title",
    "{Dose} in \\emph{vivo}": "Dose in vivo",
    'Die Gr{\\"o}{\\ss}e \\& 10 \\%': "Die Größe & 10 %",
    "The $\\alpha$-ray and {\\'e}t\\'e": "The α-ray and été",
    "{" * 5000 + "Deep" + "}" * 5000: "Deep",
}


@pytest.mark.parametrize(("title", "plain"), TITLES.items(), ids=range(len(TITLES)))
def test_titles_lose_their_latex(tmp_path, title, plain):
    (tmp_path / "x.bib").write_text(f"@article{{a, title = {{{title}}}}}")
    ((reference,), _) = read_references(tmp_path / "x.bib")
    assert reference.title == plain


# ---- CSL JSON ----


@pytest.mark.parametrize("wrapped", [False, True])
def test_csl_json(tmp_path, wrapped):
    items = [
        {"id": "http://zotero.org/users/1/items/AB", "title": "A <i>b</i> &lt; c", "DOI": "10.5555/x", "PMID": 5},
        {"id": 7, "note": "PMID: 6\nPMCID: PMC7", "title": None},
        "no item",
        {"title": "no id"},
    ]
    (tmp_path / "x.json").write_text(json.dumps({"items": items} if wrapped else items))
    references, bad = read_references(tmp_path / "x.json")
    assert [(each.key, each.title, each.id) for each in references] == [
        ("http://zotero.org/users/1/items/AB", "A b &lt; c", "10.5555/x"),
        ("7", None, "PMC7"),
    ]
    assert [each["id"] for each in bad] == ["x.json, item 3", "x.json, item 4"]


@pytest.mark.parametrize("text", ["", "notes", "[]", "{}", "[1", "[" * 100_000, '{"items": 3}', "@comment{x}"])
def test_what_is_no_export(tmp_path, text):
    (tmp_path / "x.bib").write_text(text)
    with pytest.raises(ValueError, match=r"^x\.bib: "):
        read_references(tmp_path / "x.bib")


# ---- copies ----


@pytest.fixture
def library(tmp_path):
    """An export with files, as Zotero lays it out."""
    folder = tmp_path / "My library"
    for name in ("files/1/a.pdf", "files/2/a.pdf", "files/2/x.xml", "files/3/.hidden.pdf"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"%PDF " + name.encode())
    (folder / "files/3/snapshot.html").write_text("<html/>")
    return folder


BIB = r"""
@article{one2020, title = {{One}}, doi = {10.5555/one}, file = {PDF:files/1/a.pdf:application/pdf}}
@article{two/2020, file = {PDF:files/1/a.pdf:application/pdf;files\\2\\a.pdf;X:files/2/x.xml:;:files/1/a.pdf:PDF}}
@article{two_2020, pmcid = {PMC77}, file = {:files/3/.hidden.pdf:PDF;S:files/3/snapshot.html:text/html}}
@misc{lost, file = {PDF:files/9/gone.pdf:application/pdf;T:files/1:application/pdf}}
@misc{page, file = {S:files/3/snapshot.html:text/html}}
"""


def test_attached_files_are_copied_without_asking_anybody(library, tmp_path, capsys):
    (library / "x.bib").write_text(BIB)
    output = tmp_path / "articles"
    words = ["fetch", "--zotero", str(library / "x.bib"), "--output", str(output)]
    assert ldrt.main(words) == 0
    assert names(output / "zotero") == ["one2020", "two_2020", "two_2020-2"]
    assert names(output / "zotero/two_2020") == ["2-a.pdf", "a.pdf", "article.json", "x.xml"]
    assert (output / "zotero/two_2020/2-a.pdf").read_bytes() == b"%PDF files/2/a.pdf"
    assert names(output / "zotero/two_2020-2") == ["article.json", "hidden.pdf"]
    sidecar = json.loads((output / "zotero/one2020/article.json").read_text())
    assert [sidecar[name] for name in ("source", "doi", "title", "pmcid")] == ["zotero", "10.5555/one", "One", None]
    assert str(tmp_path) not in json.dumps(sidecar)
    failed = [(row["id"], row["reason"].split(":")[0]) for row in rows(output / "failed.jsonl")]
    nothing = "no PDF or XML attached, and no DOI, PMCID or PMID to fetch it by"
    assert failed == [("lost", "the attached file is not there"), ("lost", nothing), ("page", nothing)]
    assert "3 references copied, 0 were there" in capsys.readouterr().out


def test_a_second_run_copies_what_has_changed(library, tmp_path, capsys):
    (library / "x.bib").write_text(BIB)
    output = tmp_path / "articles"
    words = ["fetch", "--zotero", str(library / "x.bib"), "--output", str(output)]
    ldrt.main(words)
    inodes = {path: path.stat().st_ino for path in output.glob("zotero/*/*.pdf")}
    assert len(inodes) == 4
    (library / "files/3/.hidden.pdf").write_bytes(b"%PDF with notes")
    (library / "x.bib").write_text(BIB.replace("{{One}}", "{{Uno}}"))
    capsys.readouterr()
    assert ldrt.main(words) == 0
    assert "2 references copied, 1 were there" in capsys.readouterr().out
    changed = {path.parent.name for path, inode in inodes.items() if path.stat().st_ino != inode}
    assert changed == {"one2020", "two_2020-2"}
    assert (output / "zotero/two_2020-2/hidden.pdf").read_bytes() == b"%PDF with notes"
    assert json.loads((output / "zotero/one2020/article.json").read_text())["title"] == "Uno"
    (output / "zotero/two_2020/a.pdf").unlink()
    assert ldrt.main(words) == 0
    assert (output / "zotero/two_2020/a.pdf").exists()


def test_pipes_and_folders_are_no_files(library, tmp_path, capsys):
    os.mkfifo(library / "files/pipe.pdf")
    (library / "files/folder.pdf").mkdir()
    long = "x" * 300
    (library / "x.bib").write_text(f"@misc{{a, file = {{files/pipe.pdf;files/folder.pdf;{long}.pdf}}}}")
    assert ldrt.main(["fetch", "--zotero", str(library / "x.bib"), "--output", str(tmp_path / "articles")]) == 1
    assert "no article came of" in capsys.readouterr().err
    assert len(rows(tmp_path / "articles/failed.jsonl")) == 4


# ---- the others by their ids ----

MIXED = (
    BIB + "@misc{in_pmc, doi = {10.5555/pmc1}}\n@misc{by_pmcid, pmcid = {PMC2}}\n@misc{gone, doi = {10.5555/gone}}\n"
)


def test_references_without_files_are_fetched(server, library, tmp_path, capsys):
    (library / "x.bib").write_text(MIXED)
    output = tmp_path / "articles"
    words = ("--zotero", library / "x.bib", "--output", output)
    assert fetch(server, *words) == 0
    assert names(output) == ["PMC1", "PMC2", "articles.jsonl", "failed.jsonl", "zotero"]
    assert [row["id"] for row in rows(output / "failed.jsonl")] == ["lost", "lost", "page", "10.5555/gone"]
    asked = len(server.seen)
    assert fetch(server, *words) == 0
    assert len(server.seen) == asked
    (library / "x.bib").write_text(MIXED + "@misc{more, pmcid = {PMC10}}\n")
    assert fetch(server, *words) == 0
    assert "PMC10" in names(output)


def test_a_dry_run_copies_nothing(server, library, tmp_path, capsys):
    (library / "x.bib").write_text(MIXED)
    output = tmp_path / "articles"
    assert fetch(server, "--zotero", library / "x.bib", "--output", output, "--dry_run", "true") == 0
    assert names(output) == ["articles.jsonl", "failed.jsonl"]
    assert "3 references with files, 3 to fetch by their ids\n2 articles" in capsys.readouterr().out


def test_ids_that_name_nothing_in_pmc_do_not_stop_the_copies(server, library, tmp_path):
    (library / "x.bib").write_text(BIB + "@misc{gone, doi = {10.5555/gone}}\n")
    assert fetch(server, "--zotero", library / "x.bib", "--output", tmp_path / "articles") == 0
    assert [row["id"] for row in rows(tmp_path / "articles/failed.jsonl")][-1] == "10.5555/gone"


def test_csl_json_is_fetched_by_ids(server, tmp_path):
    (tmp_path / "x.json").write_text(json.dumps([{"id": "a", "DOI": "10.5555/PMC1"}, {"id": "b", "PMCID": "PMC2"}]))
    assert fetch(server, "--zotero", tmp_path / "x.json", "--output", tmp_path / "articles") == 0
    assert names(tmp_path / "articles")[:2] == ["PMC1", "PMC2"]


def test_who_asks_services_says_who_it_is_before_anything_is_copied(library, tmp_path, capsys):
    (library / "x.bib").write_text(MIXED)
    assert ldrt.main(["fetch", "--zotero", str(library / "x.bib"), "--output", str(tmp_path / "articles")]) == 2
    assert "--contact" in capsys.readouterr().err
    assert not (tmp_path / "articles").exists()


# ---- what the build makes of it ----


def test_the_build_takes_what_a_pdf_does_not_say_from_the_library(tmp_path):
    sample = tmp_path / "sample"
    write_corpus(sample, articles=10)
    pdf = next(path for path in sorted(sample.glob("pdf-*.pdf")))
    (tmp_path / "x.bib").write_text(
        f"@article{{a, title = {{My title}}, pmcid = {{PMC5}}, doi = {{10.5555/mine}}, file = {{{pdf}}}}}"
    )
    articles, dataset = tmp_path / "articles", tmp_path / "dataset"
    assert ldrt.main(["fetch", "--zotero", str(tmp_path / "x.bib"), "--output", str(articles)]) == 0
    assert ldrt.main(["build", str(articles), "--output", str(dataset), "--workers", "1"]) == 0
    figures = [*read_jsonl(dataset / ".work/verdicts.jsonl")]
    assert figures
    assert {row["pmcid"] for row in figures} == {"PMC5"}
    assert "My title" not in {row["title"] for row in figures}  # the article's own words go first
    assert json.loads((dataset / "provenance/manifest.json").read_text())["stages"]["build"]["archives"] is None
