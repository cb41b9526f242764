"""A hook of mkdocs: pages that lie beside the code (recipes/README.md, BENCHMARKS.md, …) are part of the site, too.

Documents link to each other and to files by paths that hold in the repository. On the site a link to a page leads to
that page, one to a file or folder that is no page is plain text, and one to nothing stays as it is, so that
`mkdocs build --strict` fails.
"""

import os
import re
import subprocess
from pathlib import Path

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PLACE = "project"  # below which pages from beside the code stand on the site
NAMES = ("README.md", "BENCHMARKS.md", "SERVING.md", "CONTRIBUTING.md", "CHANGELOG.md")
_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")
_FENCED = re.compile(r"^(`{3,}).*?^\1`*$", re.M | re.S)


def on_files(files: Files, config) -> Files:
    """The site's pages with those from beside the code."""
    for name in _listed():
        if Path(name).name in NAMES:
            files.append(File.generated(config, f"{PLACE}/{name}", abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page, config, files: Files) -> str:
    """The page's text with its links as they hold on the site; what stands in code is let be."""
    pieces, end = [], 0
    for fence in _FENCED.finditer(markdown):
        pieces += [_relinked(markdown[end : fence.start()], page.file, files), fence.group()]
        end = fence.end()
    return "".join([*pieces, _relinked(markdown[end:], page.file, files)])


def _relinked(text: str, of: File, files: Files) -> str:
    return _LINK.sub(lambda link: _link(link, of, files), text)


def _link(link: re.Match, of: File, files: Files) -> str:
    """One link, as it holds on the site."""
    target = link["target"]
    if ":" in target:  # an address
        return link.group()
    place = Path(os.path.normpath(Path(of.abs_src_path).parent / target))
    page = files.get_file_from_path(_uri(place))
    if page is not None:
        there = os.path.relpath(page.src_uri, os.path.dirname(of.src_uri) or ".")
        return f"{link['picture']}[{link['text']}]({there}{link['anchor'] or ''})"
    return link["text"] if place.exists() else link.group()


def _uri(place: Path) -> str:
    """Where a file of the repository stands among the site's sources."""
    if place.is_relative_to(DOCS):
        return place.relative_to(DOCS).as_posix()
    return f"{PLACE}/{place.relative_to(ROOT).as_posix()}" if place.is_relative_to(ROOT) else ""


def _listed() -> list[str]:
    """The Markdown files beside docs/, as git knows them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in listed if not name.startswith("docs/") and (ROOT / name).exists()]
