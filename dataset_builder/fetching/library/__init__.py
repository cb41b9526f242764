"""A library of references (a Zotero export) as a source of articles: read, and its attached files copied."""
