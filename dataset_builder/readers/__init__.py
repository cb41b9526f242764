"""Articles -> figures: a folder of files -> packages, each XML or PDF -> `Article`, and what reading needs.

`packages` finds the files of each article; `jats` and `pdf` read one; what both share: `mentions` (labels, mentions,
sentences in ten languages), `images`, `panels`, `licenses`, `notices`, `language`. A change of a module here makes
`ldrt build` read the articles again.
"""
