"""Sentences of the sample corpus, in English and German: topics, captions, statements about pictures, filler.

The vocabulary is small and the phrasing regular on purpose: a tiny language model must learn to speak from it in a
minute. Mentions of figures are written `[[wrap:targets|text]]`: `wrap` is `x` (cross reference), `r` (a range whose
ends are cross references), `b` or `i` (cross reference inside bold or italic) or `p` (plain text), `targets` are figure
numbers joined by commas, `text` is what is printed. `{mention}` in a template is such a mention.
"""

import re

MENTION = re.compile(r"\[\[(?P<wrap>[xbipr]):(?P<targets>[\d,]+)\|(?P<text>[^\]]+)\]\]")

NOTE = {
    "en": "Synthetic article, not medical evidence.",
    "de": "Synthetischer Artikel, kein medizinischer Beleg (synthetic article, not medical evidence).",
}
HEADINGS = {
    "en": ("Introduction", "Methods", "Results", "Discussion"),
    "de": ("Einleitung", "Methoden", "Ergebnisse", "Diskussion"),
}
# (subject of the study, site in the caption) for each language
TOPICS: tuple[dict[str, tuple[str, str]], ...] = (
    {"en": ("knee osteoarthritis", "knee"), "de": ("Kniearthrose", "Knie")},
    {"en": ("plantar fasciitis", "heel"), "de": ("Fasciitis plantaris", "Ferse")},
    {"en": ("COVID-19 pneumonia", "lung"), "de": ("COVID-19-Pneumonie", "Lunge")},
    {"en": ("a mouse model of Alzheimer disease", "hippocampus"), "de": ("Alzheimer im Mausmodell", "Hippocampus")},
    {"en": ("hand osteoarthritis", "finger joint"), "de": ("Handarthrose", "Fingergelenk")},
    {"en": ("arthritis in mice", "ankle"), "de": ("Arthritis im Mausmodell", "Sprunggelenk")},
    {"en": ("macrophage activation", "macrophage culture"), "de": ("Makrophagenaktivierung", "Makrophagenkultur")},
    {"en": ("shoulder bursitis", "shoulder"), "de": ("Bursitis der Schulter", "Schulter")},
    {"en": ("elbow tendinopathy", "elbow"), "de": ("Tendinopathie am Ellenbogen", "Ellenbogen")},
    {"en": ("hip osteoarthritis", "hip"), "de": ("Hüftarthrose", "Hüfte")},
)
DOSES_GY = ("0.1", "0.3", "0.5", "0.7", "1.0", "1.5")
DAYS = (3, 7, 10, 14, 21, 28, 35, 42, 56, 84)

TITLES = {
    "en": (
        "Low-dose radiation therapy for {subject}: a synthetic study of cohort {cohort}",
        "Effects of {dose} Gy in {subject}: synthetic results from cohort {cohort}",
        "Early response of {subject} to low doses in cohort {cohort}",
    ),
    "de": (
        "Niedrig dosierte Bestrahlung bei {subject}: eine synthetische Studie an Kohorte {cohort}",
        "Wirkung von {dose} Gy bei {subject}: synthetische Ergebnisse aus Kohorte {cohort}",
    ),
}
# Values as the texts write them. English values are their own words, with a few that need another form.
WORDS: dict[str, dict[str, str]] = {
    "en": {},
    "de": {
        "red": "rote",
        "green": "grüne",
        "blue": "blaue",
        "yellow": "gelbe",
        "left": "links",
        "right": "rechts",
        "two": "zwei",
        "three": "drei",
        "four": "vier",
        "six": "sechs",
        "rise": "steigen",
        "fall": "fallen",
        "dense": "dichte",
        "sparse": "wenige",
    },
}
LEADS = {
    "en": {
        "dose map": "Dose map of the {site} on day {day} after {dose} Gy in cohort {cohort}.",
        "line plot": "Inflammation score of the {site} until day {day} after {dose} Gy in cohort {cohort}.",
        "bar chart": "Marker level in the {site} on day {day} after up to {dose} Gy in cohort {cohort}.",
        "micrograph": "Section of the {site} on day {day} after {dose} Gy in cohort {cohort}.",
        "compound": "Overview of the {site} on day {day} after {dose} Gy in cohort {cohort}.",
    },
    "de": {
        "dose map": "Dosiskarte ({site}, Kohorte {cohort}, Tag {day}, {dose} Gy).",
        "line plot": "Entzündungswert im Verlauf ({site}, Kohorte {cohort}, bis Tag {day}, {dose} Gy).",
        "bar chart": "Markerwert ({site}, Kohorte {cohort}, Tag {day}, bis {dose} Gy).",
        "micrograph": "Gewebeschnitt ({site}, Kohorte {cohort}, Tag {day}, {dose} Gy).",
        "compound": "Übersicht ({site}, Kohorte {cohort}, Tag {day}, {dose} Gy).",
    },
}
# What the caption says of a picture: every attribute of its kind.
STATEMENTS = {
    "en": {
        "dose map": "The map shows a {hot_spot_colour} hot spot on the {hot_spot_side} side.",
        "line plot": "The plot shows {number_of_curves} curves that {trend} with time.",
        "bar chart": "The chart shows {number_of_bars} {bar_colour} bars with the tallest bar on the {tallest_bar}.",
        "micrograph": "The section shows {cell_density} {cell_colour} cells.",
    },
    "de": {
        "dose map": "Die Karte zeigt {hot_spot_side} einen {hot_spot_colour}n Herd.",
        "line plot": "Die Grafik zeigt {number_of_curves} Kurven, die mit der Zeit {trend}.",
        "bar chart": "Das Diagramm zeigt {number_of_bars} {bar_colour} Balken, der höchste Balken steht {tallest_bar}.",
        "micrograph": "Der Schnitt zeigt {cell_density} {cell_colour} Zellen.",
    },
}
# The one attribute of each kind that the body repeats; the others are said by the caption alone.
IN_CONTEXT = {
    "dose map": "hot spot side",
    "line plot": "trend",
    "bar chart": "tallest bar",
    "micrograph": "cell density",
}
# Sentences near a mention, by kind and the value of its attribute in `IN_CONTEXT`: first what is seen, then why.
SEEN: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "dose map": (
            "In {mention}, the hot spot lies on the {value} side of the {site}.",
            "The hot spot was found on the {value} side of the {site} ({mention}).",
        ),
        "line plot": (
            "In {mention}, the curves {value} until day {day}.",
            "After {dose} Gy, the curves {value} with time ({mention}).",
        ),
        "bar chart": (
            "In {mention}, the tallest bar stands on the {value}.",
            "The tallest bar was found on the {value} ({mention}).",
        ),
        "micrograph": (
            "In {mention}, the cells of the {site} are {value}.",
            "On day {day}, the cells were {value} ({mention}).",
        ),
    },
    "de": {
        "dose map": ("In {mention} liegt der Herd {value}.", "Der Herd wurde {value} gefunden ({mention})."),
        "line plot": ("In {mention} {value} die Kurven bis Tag {day}.",),
        "bar chart": ("In {mention} steht der höchste Balken {value}.",),
        "micrograph": ("In {mention} sieht man {value} Zellen.",),
    },
}
WHY: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "left": (
            "{mention} suggests that the inner part of the {site} took up most of the dose, because the signal is "
            "highest on the left.",
            "The left side in {mention} is consistent with a beam from the inner direction, because the dose falls "
            "with depth.",
        ),
        "right": (
            "{mention} suggests that the outer part of the {site} took up most of the dose, because the signal is "
            "highest on the right.",
            "The right side in {mention} is consistent with a beam from the outer direction, because the dose falls "
            "with depth.",
        ),
        "rise": (
            "{mention} suggests that the effect was lost again, because the curves rise after treatment.",
            "The rise in {mention} may be a sign of new inflammation, because the score grows with it.",
        ),
        "fall": (
            "{mention} suggests that the treatment had an effect, because the curves fall after treatment.",
            "The fall in {mention} may be a sign of less inflammation, because the score goes down with it.",
        ),
        "tallest left": (
            "{mention} suggests that the lowest dose had the strongest effect, because the tallest bar comes first.",
            "The first bar in {mention} is consistent with an optimum at low dose, because all other bars are shorter.",
        ),
        "tallest right": (
            "{mention} suggests that the highest dose had the strongest effect, because the tallest bar comes last.",
            "The last bar in {mention} is consistent with an effect that grows with dose, because all other bars are "
            "shorter.",
        ),
        "sparse": (
            "{mention} suggests that few immune cells stayed in the {site}, because wide gaps separate the cells.",
            "The sparse cells in {mention} possibly show that the inflammation was over, because few cells remain.",
        ),
        "dense": (
            "{mention} suggests that many immune cells entered the {site}, because the cells nearly touch each other.",
            "The dense cells in {mention} possibly show an active inflammation, because many cells remain.",
        ),
    },
    "de": {
        "left": ("{mention} spricht für eine Bestrahlung von innen, weil das Signal links am höchsten ist.",),
        "right": ("{mention} spricht für eine Bestrahlung von außen, weil das Signal rechts am höchsten ist.",),
        "rise": ("{mention} spricht gegen eine dauerhafte Wirkung, weil die Kurven nach der Behandlung steigen.",),
        "fall": ("{mention} spricht für eine Wirkung, weil die Kurven nach der Behandlung fallen.",),
        "tallest left": ("{mention} spricht für die kleinste Dosis, weil der erste Balken der höchste ist.",),
        "tallest right": ("{mention} spricht für die größte Dosis, weil der letzte Balken der höchste ist.",),
        "sparse": ("{mention} spricht für wenig Entzündung, weil nur wenige Zellen zu sehen sind.",),
        "dense": ("{mention} spricht für eine aktive Entzündung, weil die Zellen dicht liegen.",),
    },
}
# Sentences of the Discussion that mention several figures.
TOGETHER = {
    "en": (
        "Taken together, {mention} are consistent with a local effect of low doses on the {site}.",
        "The results in {mention} may depend on the size of the cohort and should be read with care.",
        "We think that {mention} show the same process, because dose and time point agree.",
    ),
    "de": (
        "Zusammen sprechen {mention} für eine örtliche Wirkung niedriger Dosen.",
        "Die Ergebnisse in {mention} hängen möglicherweise von der Größe der Kohorte ab.",
    ),
}
INTRODUCTION = {
    "en": (
        "Low-dose radiation therapy has been used for benign diseases for more than one hundred years.",
        "It is thought that doses below {dose} Gy reduce inflammation without damage to healthy tissue.",
        "In {subject}, inflammation does harm for a long time, and common drugs often have side effects.",
        "Macrophages and other immune cells appear to change their behaviour after low doses.",
        "Earlier reports on {subject} differ, because dose, time point and cohort were not the same.",
        "Sample et al. described a response after two weeks, vs. four weeks in an older report.",
        "The best dose for the {site} is not known.",
        "We therefore studied cohort {cohort} and describe the pictures that we obtained.",
    ),
    "de": (
        "Die niedrig dosierte Bestrahlung wird seit mehr als hundert Jahren bei gutartigen Krankheiten eingesetzt.",
        "Man nimmt an, dass Dosen unter {dose} Gy die Entzündung hemmen, ohne gesundes Gewebe zu schädigen.",
        "Frühere Berichte unterscheiden sich, weil Dosis, Zeitpunkt und Kohorte nicht gleich waren.",
        "Makrophagen und andere Immunzellen ändern nach kleinen Dosen vermutlich ihr Verhalten.",
        "Wir haben deshalb die Kohorte {cohort} untersucht und beschreiben die Bilder.",
    ),
}
METHODS = {
    "en": (
        "Cohort {cohort} was invented by a computer program and had {size} members.",
        "The {site} received {fractions} fractions with a total dose of {dose} Gy at a dose rate of 0.2 Gy/min.",
        "Dose maps were measured with a camera that shows the highest dose as a hot spot in one colour.",
        "Sections were stained and photographed, and cells were counted in one field of view.",
        "Inflammation was scored from 0 to 10 on each visit until day {day}.",
        "Marker levels were measured in blood, and each bar is the mean of {fractions} samples.",
        "Controls received 0 Gy and were kept under the same conditions.",
        "Differences between groups were tested with a permutation test at p < 0.05.",
    ),
    "de": (
        "Die Kohorte {cohort} wurde von einem Programm erfunden und hatte {size} Mitglieder.",
        "Bestrahlt wurde mit {fractions} Fraktionen und insgesamt {dose} Gy.",
        "Dosiskarten zeigen die höchste Dosis als farbigen Herd.",
        "Schnitte wurden gefärbt, und die Zellen wurden in einem Gesichtsfeld gezählt.",
        "Die Entzündung wurde bis Tag {day} mit 0 bis 10 bewertet.",
    ),
}
RESULTS = {
    "en": (
        "All members of cohort {cohort} completed the treatment.",
        "No side effects were seen.",
        "The response did not depend on age or sex.",
        "Untreated controls did not change.",
        "A second observer came to the same result.",
    ),
    "de": (
        "Nebenwirkungen wurden nicht beobachtet.",
        "Die Kontrollen blieben unverändert.",
        "Ein zweiter Beobachter kam zum gleichen Ergebnis.",
    ),
}
DISCUSSION = {
    "en": (
        "The mechanism is possibly a change of macrophages from an active to a calm state.",
        "Other cells of the {site} might contribute as well.",
        "A limit of this study is that cohort {cohort} is synthetic.",
        "Larger cohorts and other doses would be needed before any conclusion about {subject}.",
        "The time course appears similar to that of earlier reports, although the doses were different.",
        "Because the numbers are invented, none of these findings may guide treatment.",
    ),
    "de": (
        "Möglicherweise ändern Makrophagen ihren Zustand.",
        "Eine Grenze dieser Studie ist, dass die Kohorte {cohort} synthetisch ist.",
        "Weil die Zahlen erfunden sind, darf kein Ergebnis eine Behandlung leiten.",
    ),
}


def plain(sentence: str) -> str:
    """The sentence as printed, without the markers of its mentions."""
    return MENTION.sub(lambda match: match["text"], sentence)


def targets(sentence: str) -> set[int]:
    """Numbers of the figures that a sentence mentions."""
    return {int(number) for match in MENTION.finditer(sentence) for number in match["targets"].split(",")}
