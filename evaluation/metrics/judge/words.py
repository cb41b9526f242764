"""The words that the grammar of judges' replies knows, as parts of regular expressions; all languages at once.

Only words that a judge writes in front of its verdict (`SCORE: 8`, `PUNTUACIÓN: 8`), or that change what a number after
it means. A word that is missing here costs a reply (it is counted as unparsable), a wrong one makes a false score: add
with care, with a case in the tests, and raise VERSION, because scores of two versions are not comparable. It is Python
and not YAML because `evaluate.load` copies a metric's Python files only.
"""

VERSION = "2.1"

SCORE_LABELS = "|".join(
    [
        *("score", "rating", "grade", "marks?", "points?"),
        *("bewertung", "punktzahl", "punkte", "wertung", "note"),  # "note" is French, too
        *("puntuaci[oó]n", "puntaje", "calificaci[oó]n", "valoraci[oó]n", "nota"),
        *("pontuaç[aã]o", "classificaç[aã]o", "notation", "punteggio", "voto", "valutazione"),
        *("оценка", "балл(?:ы|ов)?", "оцінка", "бали?"),
        *("评分", "得分", "分数", "打分", "評分", "分數", "スコア", "得点", "評点", "点数", "점수", "평점"),
        *("beoordeling", "wynik", "ocena", "puan", "skor", "poäng", "النتيجة", "الدرجة", "अंक", "स्कोर", "điểm"),
    ]
)
# Of these, words that begin a remark as well: "Note: two panels are missing". Only a whole value makes them a verdict.
REMARK_LABELS = r"notes?|nota|notation|marks?|points?|punkte|бали?|балл(?:ы|ов)?"
VERDICT_LABELS = "|".join(
    [
        *("verdict", "winner", "preference", r"(?:better|best|preferred)\s+(?:answer|response)"),
        *("judge?ment", "decision"),
        *("urteil", "sieger", "veredicto", "ganador(?:a)?", "vencedor", "verdetto", "vincitore"),
        *("вердикт", "победитель", "переможець", "结论", "判定", "胜者", "判決"),
    ]
)
# What may stand before such a word without making it another one: not "Gleason", "LOD", "pain", "completeness".
QUALIFIERS = "|".join(
    [
        *("the", "my", "your", "this", "final", "overall", "total", "numeric(?:al)?", "assigned", "resulting"),
        *("first", "second", "initial", "preliminary", "draft", "tentative", "revised", "updated", "adjusted", "new"),
        *("endg[uü]ltige", "meine", "abschließende", "finale?", "totale?", "la", "el", "le", "il", "mi"),
        *("итоговая", "итоговый", "общая", "общий", "підсумкова"),
    ]
)
JOINED = "gesamt|최종|最终|最終|综合|综合|総合|总"  # the same, written in one word with the label
AFTER = "finale?|globale?|totale?|general|complessiv[oa]"  # the same, behind it
# `of the answer`, as in "Score for this answer: 8".
OF_WHAT = r"(?:of|for)\s+(?:the|this)\s+(?:answer|response|candidate)"
POINTS = r"points?|pts?\.?|marks?|punkten?|puntos?|pontos?|punti|баллов|балла|балл|балів|分|点|점"
OUT_OF = r"(?:out\s+)?of(?:\s+an?\s+(?:possible|maximum|max|total)(?:\s+of)?)?|over|von|sur|de|su|sobre|из|з|на"
TO = r"to|through|bis|à|a|до|至|から|[-–—~]|\.{2,3}"
TEN = "ten|zehn|dix|diez|dez|dieci|десяти|десять"
SCALE_KEYS = r"max|maximum|scale|out of|range|of|best|highest"  # of a JSON object, with or without a label

# A judge that gives a reason after its number may name numbers in it: "SCORE: 7, because 3 claims are right".
REASONS = r"because|due|weil|denn|wegen|porque|parce|perch[eé]|потому|因为|由于"
# First words after a number that make it no longer the one number: "SCORE: 7 (or higher)", "SCORE: 8, at most".
MODIFIERS = "|".join(
    [
        *("or", "to", "and", "at", "if", "unless", "up", "minus", "plus", "not", "out", "of", "max", "maximum", "min"),
        *("minimum", "percent", "maybe", "perhaps", "possibly", "probably", "approx", "approximately", "about"),
        *("roughly", "around", "almost", "nearly", "rather", "instead", "otherwise", "wait", "actually", "before"),
        *("oder", "bis", "vielleicht", "etwa", "von", "o", "ou", "tal", "peut", "sur", "forse", "или", "де", "de"),
    ]
)
NUMBER_WORDS = {
    word: number
    for words in (
        "zero one two three four five six seven eight nine ten",
        "null eins zwei drei vier fünf sechs sieben acht neun zehn",
    )
    for number, word in enumerate(words.split())
}
# What stands before a number or a choice that is said again without the word: "Final: 5", "Edit: 6".
RESTATES = (
    rf"{QUALIFIERS}|edit(?:ed)?|correct(?:ed|ion)|result|verdict|judge?ment|decision|conclusion|evaluation|answer"
    r"|ergebnis|fazit|resultado|résultat|conclusión|итог|结论"
)
# After its verdict a judge takes it back: alone, or only where it names another number as well.
TAKES_BACK = (
    r"\b(?:on\s+(?:second\s+thought|reflection|reconsideration)|wait\b|scratch\s+that|ignore\s+(?:that|the\s+above)"
    r"|i\s+(?:revise|reconsider|change|correct|take\s+(?:that|it)\s+back)|correction\b|too\s+(?:high|low|generous|harsh))"
)
CORRECTS = (
    r"(?:^\W*(?:no|nope|nein|non)\s*[,.;:–—-]|\b(?:sorry|oops|my\s+mistake|misread|miscounted|apolog\w+|edit\s*:)"
    r"|\b(?:actually|rather|instead|should\s+be|make\s+(?:it|that)|better\s*:|deserves|revised?|corrected|updated"
    r"|lower(?:ed)?\s+to|raised?\s+to|i(?:\s+would|['’]?d|\s+will|['’]?ll)?\s+(?:give|say|rate|score|go\s+with))\b)"
)

TIES = (
    r"(?:it(?:\s?['’]?s|\s+is)\s+)?(?:an?\s+)?(?:tie[ds]?|draw)|(?:both\s+)?(?:are\s+)?equal(?:ly\s+good)?|neither|both"
    r"|unentschieden|empate|[ée]galit[ée]|pareggio|ничья|нічия|平局|平手|引き分け"
)
ANSWER = r"(?:the\s+)?(?:answer|assistant|response|candidate|antwort|respuesta|réponse|risposta|ответ|回答)"
WINS = r"(?:is|was)\s+(?:the\s+)?(?:clearly\s+|slightly\s+|much\s+)?(?:better|best|preferred|winner)|wins"
