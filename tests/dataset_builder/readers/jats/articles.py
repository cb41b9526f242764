"""Small articles as XML, for the tests of this room."""

NAMESPACES = 'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML"'


def fig(n, caption="<p>Dose.</p>", href=None, label=None, inside=""):
    label = f"Figure {n}" if label is None else label
    return (
        f'<fig id="F{n}"><label>{label}</label><caption>{caption}</caption>'
        f'<graphic xlink:href="{href or f"f{n}.png"}"/>{inside}</fig>'
    )


def xref(n, text=None):
    return f'<xref ref-type="fig" rid="F{n}">{text or f"Figure {n}"}</xref>'


def article(body="", meta="", prolog="", rest="", journal=""):
    front = f"<front><journal-meta>{journal}</journal-meta><article-meta>{meta}</article-meta></front>"
    return f'{prolog}<article {NAMESPACES} xml:lang="EN">{front}<body>{body}</body>{rest}</article>'


def context(article, label="Figure 1"):
    return next(f.context for f in article.figures if f.label == label)
