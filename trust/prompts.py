"""Prompt and rubric files, which people hand around: texts with places and conditions, and no programs.

    template = prompt_template("{{ evidence }}{% if kind %} Ask for {{ kind }}.{% endif %}", "detail.md")
    template.render(evidence="…", kind=None)

They are written in Jinja. What it has beyond that (attributes, calls, filters, loops, arithmetic) is refused before
anything of the file is run: through an attribute of a harmless object Jinja reaches the whole of Python.
"""

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const),
    *(nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),
)


def prompt_template(text: str, name: str) -> jinja2.Template:
    """The template of a prompt file; `name` is the file's, for errors. An unknown variable fails when it is rendered.

    Raises ValueError for a text that is no template, or that does more than put texts in places.
    """
    environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    try:
        tree = environment.parse(text)
    except jinja2.TemplateSyntaxError as error:
        raise ValueError(f"{name}, line {error.lineno}: {error.message}") from error
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            what = type(node).__name__.lower()
            raise ValueError(
                f"{name}, line {node.lineno}: a prompt has places ({{{{ x }}}}) and conditions, not `{what}`"
            )
    return environment.from_string(text)
