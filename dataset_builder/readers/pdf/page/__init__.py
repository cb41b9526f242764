"""One page of a PDF, as pdfium gives it: characters, glyphs, lines, drawings, bitmaps, and what of it is damaged."""
