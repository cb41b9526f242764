"""ChatML, as Qwen's tokenizers have it: tokens and a template for the tiny models of the families built on it."""

END_OF_TURN, PADDING = "<|im_end|>", "<|endoftext|>"
TOKENS = (PADDING, "<|im_start|>", END_OF_TURN)

_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}{{- message['content'] -}}{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}{{- 'IMAGE' -}}{%- else -%}{{- part['text'] -}}{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""


def chat_template(image_text: str) -> str:
    """Turns between `<|im_start|>` and `<|im_end|>`; `image_text` stands for a picture."""
    return _TEMPLATE.replace("IMAGE", image_text)
