"""One file of an article -> `article.Article`: `jats` reads XML, `pdf` reads PDF; `pictures` serves both.

A change of a file here makes `ldrt build` read the articles again.
"""
