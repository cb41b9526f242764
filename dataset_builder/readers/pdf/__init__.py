"""A PDF -> `Article`: pdfium reads pages, the rules of `layout` find figures and text, docling does what is left."""
