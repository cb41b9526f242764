"""The hedge lexicon: words and phrases by language and category, and the contexts in which they are no hedges.

Our own list, kept small on purpose: a word is in it only if it hedges in most of its uses in biomedical text and is no
ordinary word of another language below (all languages are searched together by default). The categories follow
Kilicoglu & Bergler 2008 ("Recognizing speculative language in biomedical research articles", BMC Bioinformatics 9:S10);
"appears", "possibly" and "might" are the words named by arXiv 2501.15370. It is Python and not YAML because
`evaluate.load` copies a metric's Python files only. Raise VERSION with every change: scores of two versions are not
comparable.
"""

VERSION = "1.1"

CATEGORIES = ("modal", "verb", "adjective", "adverb", "noun", "approximator")

LEXICON: dict[str, dict[str, list[str]]] = {
    "en": {
        "modal": ["may", "might", "could"],
        "verb": [
            *("appear", "appears", "appeared", "appearing", "seem", "seems", "seemed", "seemingly"),
            *("suggest", "suggests", "suggested", "suggesting", "hypothesize", "hypothesized", "hypothesise"),
            *("speculate", "speculated", "presume", "presumed", "believe", "believed", "suspect", "suspected"),
            *("assume", "assumed", "tend to", "tends to", "tended to", "look like", "looks like", "cannot be excluded"),
            *("cannot be ruled out", "it is conceivable"),
        ],
        "adjective": [
            *("possible", "probable", "likely", "unlikely", "plausible", "putative", "presumable", "suspicious for"),
            *("uncertain", "unclear", "consistent with", "suggestive of"),
        ],
        "adverb": [
            *("possibly", "probably", "perhaps", "maybe", "presumably", "apparently", "potentially", "putatively"),
            *("supposedly", "conceivably", "arguably", "plausibly", "not necessarily"),
        ],
        "noun": ["possibility", "likelihood that", "hypothesis that", "assumption that", "suspicion"],
        "approximator": [
            *("approximately", "roughly", "about", "around", "circa", "nearly", "almost", "somewhat", "more or less"),
            *("to some extent",),
        ],
    },
    "de": {
        "modal": ["könnte", "könnten", "dürfte", "dürften"],
        "verb": [
            *("scheint", "scheinen", "schien", "schienen", "deutet darauf hin", "deuten darauf hin", "vermuten"),
            *("vermutet", "lässt vermuten", "lassen vermuten", "legt nahe", "legen nahe", "nicht auszuschließen"),
        ],
        "adjective": ["möglich", "mögliche", "möglichen", "mutmaßlich", "mutmaßliche", "unklar", "fraglich"],
        "adverb": [
            *("möglicherweise", "wahrscheinlich", "vermutlich", "vielleicht", "wohl", "anscheinend", "offenbar"),
            *("eventuell", "womöglich", "mutmaßlicherweise"),
        ],
        "noun": ["verdacht auf", "vermutung", "hypothese, dass", "annahme, dass"],
        "approximator": ["etwa", "ungefähr", "annähernd", "schätzungsweise", "nahezu", "gewissermaßen"],
    },
    "fr": {
        "modal": ["pourrait", "pourraient"],
        "verb": [
            *("semble", "semblent", "semblait", "paraît", "paraissent", "suggère", "suggèrent", "suggérant"),
            *("laisse penser", "laissent penser", "peut être dû", "peut-être dû", "on suppose", "ne peut être exclu"),
        ],
        "adjective": ["probables", "possibles", "vraisemblable", "présumé", "présumée", "incertain", "incertaine"],
        "adverb": [
            *("peut-être", "probablement", "possiblement", "éventuellement", "vraisemblablement", "apparemment"),
            *("sans doute",),
        ],
        "noun": ["hypothèse que", "suspicion de"],
        "approximator": ["environ", "à peu près", "approximativement", "presque", "quasiment", "en quelque sorte"],
    },
    "es": {
        "modal": ["podría", "podrían", "pudiera", "pudieran"],
        "verb": [
            *("parece", "parecen", "parecía", "sugiere", "sugieren", "sugirió", "sugerían", "se cree que"),
            *("se supone", "se sospecha", "no se puede descartar"),
        ],
        "adjective": ["posible", "posibles", "presunto", "presunta", "incierto", "incierta", "verosímil"],
        "adverb": [
            *("posiblemente", "probablemente", "quizás", "quizá", "tal vez", "aparentemente", "presumiblemente"),
            *("potencialmente", "a lo mejor"),
        ],
        "noun": ["hipótesis de que", "sospecha de", "posibilidad de que"],
        "approximator": ["aproximadamente", "alrededor de", "cerca de", "casi", "más o menos", "en cierta medida"],
    },
    "pt": {
        "modal": ["poderia", "poderiam", "pudesse"],
        "verb": [
            *("parecem", "parecia", "sugere", "sugerem", "sugeriu", "sugerindo", "acredita-se", "supõe-se"),
            *("suspeita-se", "não se pode descartar"),
        ],
        "adjective": ["possível", "possíveis", "provável", "prováveis", "incerto", "incerta", "presumível"],
        "adverb": ["possivelmente", "provavelmente", "talvez", "presumivelmente", "supostamente"],
        "noun": ["hipótese de que", "suspeita de", "possibilidade de que"],
        "approximator": ["cerca de", "em torno de", "quase", "mais ou menos", "em certa medida"],
    },
    "it": {
        "modal": ["potrebbe", "potrebbero"],
        "verb": ["sembra", "sembrano", "sembrava", "suggerisce", "suggeriscono", "appare", "appaiono", "si ritiene"],
        "adjective": ["possibile", "possibili", "probabile", "probabili", "presunto", "incerto", "verosimile"],
        "adverb": ["forse", "probabilmente", "possibilmente", "apparentemente", "presumibilmente", "potenzialmente"],
        "noun": ["ipotesi che", "sospetto di"],
        "approximator": ["circa", "all'incirca", "approssimativamente", "pressoché", "più o meno"],
    },
    "uk": {
        "modal": ["міг би", "могла б", "могли б", "могло б"],
        "verb": ["здається", "видається", "вважається", "припускають", "припускаємо", "імовірно свідчить"],
        "adjective": ["можливий", "можлива", "можливе", "можливі", "ймовірний", "імовірний", "ймовірна", "імовірна"],
        "adverb": ["можливо", "ймовірно", "імовірно", "мабуть", "напевно", "очевидно"],
        "noun": ["припущення", "підозра на", "гіпотеза, що"],
        "approximator": ["приблизно", "близько", "майже", "орієнтовно"],
    },
    "zh": {
        "modal": ["可能", "或可", "也许", "或许"],
        "verb": ["似乎", "看来", "看似", "推测", "怀疑", "疑似", "疑为", "提示可能", "不能排除", "被认为"],
        "adjective": ["尚不清楚", "尚不明确", "不确定"],
        "adverb": ["大概", "恐怕", "很可能", "有可能"],
        "noun": ["可能性"],
        "approximator": ["大约", "约为", "左右", "几乎", "近乎", "差不多"],
    },
}

_OTHER_MONTHS = "January|February|March|April|June|July|August|September|October|November|December"

# Places where a listed word is no hedge: regular expressions, case-sensitive, for each language. A hedge inside one of
# these matches is not counted.
EXCLUSIONS: dict[str, list[str]] = {
    "en": [
        # The month: "May 2020", "12 May", "in May", "May and June", "(May–July)"; the name: "May et al."
        r"\b(?:May|MAY)(?=[\s,.]*\d)|\d(?:st|nd|rd|th)? May\b|\bMay\s+et\s+al\b",
        r"\b(?i:in|of|since|until|till|by|during|from|to|between|early|mid|late|last|this|on)[ -]May\b",
        rf"\bMay(?=\s*(?:and|or|to|through|[-–/])\s*(?:{_OTHER_MONTHS})\b)",
        rf"\b(?:{_OTHER_MONTHS})\s*(?:,|and|or|to|through|[-–/])\s*May\b",
        # A place, not a doubt: "appears in panel B", "appeared on day 3". "Appears in agreement", "appears within
        # normal limits", "appears under-dosed" stay hedges.
        r"\b[Aa]ppear(?:s|ed|ing)?\s+(?:again\s+|only\s+|first\s+)?"
        r"(?:in|on|at|within|near|above|below|beside|between|along|after|next\s+to|under)(?![\w-])"
        r"(?!\s+(?:good\s+|close\s+|full\s+)?(?:agreement|keeping|line|accordance|normal|complete)\b)",
        # Not a measure: "about the patients", "around the tumour". "About 5 Gy", "around half" stay hedges.
        r"\b(?:[Aa]bout|[Aa]round)\b(?!\s*[~(]?(?:\d|half\b|one\b|two\b|three\b|four\b|five\b|six\b|seven\b|eight\b|nine\b|ten\b"
        r"|a\s+(?:third|quarter|half|dozen|hundred|thousand)\b|the\s+same\b))",
        # Ability and idiom: "it is possible to see", "as soon as possible"; "as a possible cause" is a hedge.
        r"\b[Pp]ossible\s+to\b",
        r"\b(?:as|where|if|when|whenever|wherever)(?:\s+(?!(?:an?|the)\b)\w+)?(?:\s+(?:as|all))?\s+possible\b",
        # Agreement with others is a statement: "consistent with previous studies".
        r"\b[Cc]onsistent\s+with\s+(?:the\s+)?(?:previous|prior|earlier|other|those|our|literature|results)\b",
    ],
    "de": [
        r"\bsehr\s+wohl\b|\bWohl\b",  # "das Wohl der Patienten": their well-being
        r"\b(?:wie|wenn|falls|[Ss]oweit|[Ww]o)\s+möglich\b|\bmöglich,?\s+zu\b|\bwie\s+etwa\b",  # such as
    ],
    "fr": [r"\b(?:[Ss]i|que)\s+possible\b|\bpossible\s+(?:de\b|d['’])"],
    "es": [
        r"\bes\s+posible\s+(?:ver|observar|distinguir)\b|\blo\s+(?:antes|más\s+\w+)\s+posible\b",
        r"\b(?:[Cc]erca|[Aa]lrededor)\s+de\b(?!\s*\d)",  # near, around a place; "cerca de 5 Gy" stays a hedge
    ],
    "pt": [r"\bé\s+possível\s+(?:ver|observar|distinguir)\b", r"\b(?:[Cc]erca|[Ee]m\s+torno)\s+de\b(?!\s*\d)"],
    "it": [r"\bè\s+possibile\s+(?:vedere|osservare)\b", r"\bcirca\s+(?:il|la|lo|le|i|gli)\b"],  # circa il: about the
    "uk": [r"\b[Бб]лизько\b(?!\s*\d)"],  # near
    "zh": [
        r"不可能",
        r"(?<![\dA-Za-z%年月周天日时次个例])(?<![\dA-Za-z%] )左右",
    ],  # impossible; left and right (5 Gy 左右 counts)
}
