"""Figures with and without personal data, drawn with their truth: what `ldrt screen` must find and must let pass.

    figures = [with_identifiers(seed) for seed in range(200)] + [without_identifiers(seed) for seed in range(200)]

The identifiers are burned into CT- and MR-like textures as scanners do it, in six languages (of those whose letters
the fonts here have), several typefaces, sizes, contrasts and orientations, and stored as JPEG now and then. The others
hold what figures hold anyway: axes, scale bars, genes, citations, follow-up, statistics, letters, scanner settings.
Names and numbers are made up; every choice comes from the seed.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from trust.pictures.opener import open_picture

FACES = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSerif",
    "STIXGeneral",
    "cmss10",
)
_ACCENTED = FACES[:5]  # the others lack accents
SIZES_PX = (512, 640, 800, 1000)  # longest side
TEXT_PX = (12, 14, 16, 20, 26)
QUARTERS = (0, 0, 0, 0, 0, 0, 1, 3, 2)  # quarter turns of a line
_GREY_STEP = 70  # levels of grey between faint letters and their ground
_JPEG_QUALITIES = (None, None, 90, 75, 60)

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Planted:
    """An identifier in a figure."""

    kind: str
    text: str
    box: Box


@dataclass(frozen=True)
class DrawnFigure:
    """A picture and what was planted in it; `style` names what was drawn."""

    picture: Image.Image
    planted: list[Planted]
    style: str


# ---- what is written ----

_NAMES = {
    "en": ["SMITH^JOHN", "OKONKWO^CHIDI^A", "Brown, Harriet", "WALKER, JOSHUA", "Linda Hargreaves", "PATEL^RAVI"],
    "de": ["MÜLLER^HANS", "Schröder, Anneliese", "KÖNIG, SABINE", "Wolfgang Petersen", "BÄCKER^JÜRGEN^DR"],
    "fr": ["DUPONT^JEAN", "Lefèvre, Chantal", "MOREAU, FRANÇOIS", "Philippe Girard"],
    "es": ["GARCÍA^MARÍA", "Fernández, José", "MUÑOZ, DOLORES", "Alejandro Ruiz"],
    "it": ["ROSSI^GIUSEPPE", "Esposito, Francesca", "BIANCHI, PAOLO", "Domenico Greco"],
    "pt": ["SILVA^JOÃO", "Gonçalves, Adriana", "PEREIRA, ANTÓNIO", "Felipe Araújo"],
}
_NAME_LABELS = {
    "en": ["Name: ", "Patient: ", "Patient Name: ", "Pt. Name: "],
    "de": ["Name: ", "Patient: ", "Patientenname: ", "Pat.-Name: "],
    "fr": ["Nom: ", "Patient : ", "Nom et prénom : "],
    "es": ["Nombre: ", "Paciente: ", "Apellidos: "],
    "it": ["Nome: ", "Paziente: ", "Cognome e nome: "],
    "pt": ["Nome: ", "Paciente: ", "Nome do paciente: "],
}
_BIRTH_LABELS = {
    "en": ["DOB: ", "D.O.B. ", "Date of birth: ", "Born: "],
    "de": ["geb. ", "Geb.-Datum: ", "Geburtsdatum: ", "*"],
    "fr": ["Né le ", "Née le ", "Date de naissance : ", "DDN: "],
    "es": ["F. Nac.: ", "Fecha de nacimiento: ", "Fecha nac. "],
    "it": ["Data di nascita: ", "Nato il ", "D. nasc.: "],
    "pt": ["Data nasc.: ", "Data de nascimento: ", "DN: "],
}
_NUMBER_LABELS = {
    "en": [
        "MRN ",
        "MRN: ",
        "Pat. ID ",
        "Patient ID: ",
        "Acc# ",
        "Accession No: ",
        "Hospital No. ",
        "ID: ",
        "Case No. ",
    ],
    "de": ["Pat.-Nr. ", "Patienten-ID: ", "Fallnummer ", "Fall-Nr.: "],
    "fr": ["IPP: ", "N° dossier : ", "Dossier n° "],
    "es": ["NHC: ", "Historia clínica: ", "Nº historia: "],
    "it": ["Cartella clinica n. ", "ID paziente: ", "N. cartella: "],
    "pt": ["Prontuário: ", "Nº do processo: ", "Nº utente: "],
}
_HOSPITALS = {
    "en": ["St. Mary's Hospital", "RIVERSIDE GENERAL HOSPITAL", "Oakfield Clinic"],
    "de": ["Klinikum Neustadt", "Städtisches Krankenhaus Lindau"],
    "fr": ["Hôpital Saint-Martin", "CHU de Valmont"],
    "es": ["Hospital Universitario La Loma", "Clínica San Telmo"],
    "it": ["Ospedale San Giacomo", "Policlinico Monteverde"],
    "pt": ["Hospital Santa Clara", "Hospital Geral de Alvor"],
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SETTINGS = (  # of scanners: nobody's
    *("kV 120", "mA 200", "W: 350 L: 40", "Se: 4", "Im: 12/240", "TE 92 TR 4200", "T2 FLAIR", "AXIAL", "Thk 5.0 mm"),
    *("R", "L", "A", "P", "10 cm", "FOV 240", "MI 0.8", "TIS 0.2", "12 Hz", "Z 1.0", "Portal venous", "DWI b1000"),
)
_LABELS = (  # of figures: nobody's
    *("Smith et al. 2012", "Thomas et al., 2009", "García-López 2015", "Martin J, 2018", "Taylor and Brown (2003)"),
    *(
        "Week 12",
        "Day 0",
        "Month 6",
        "Follow-up (weeks)",
        "Baseline",
        "24 h",
        "2 yr",
        "Jan 2020",
        "2010-2014",
        "Q3 2019",
    ),
    *(
        "p < 0.001",
        "p = 0.03",
        "n = 120",
        "HR 0.72 (0.55-0.94)",
        "95% CI 1.02-1.45",
        "AUC = 0.87",
        "r = 0.61",
        "ns",
        "**",
    ),
    *(
        "BRCA1",
        "TP53",
        "CDKN2A, TP53",
        "IL-6, TNF",
        "CD4, CD8",
        "DAPI, GFAP",
        "β-actin",
        "GAPDH",
        "miR-21",
        "NM_000546",
    ),
    *("GSE12345", "NCT01234567", "Accession No. AF123456", "PMID 12345678", "Gene ID: 7157", "GO:0006915", "rs429358"),
    *(
        "50 µm",
        "Scale bar 10 µm",
        "200 μm",
        "×400",
        "kDa",
        "75",
        "150",
        "37",
        "Age (years)",
        "Time (min)",
        "Dose (mg/kg)",
    ),
    *(
        "Relative expression",
        "Overall survival (%)",
        "Number at risk",
        "Control",
        "Treated",
        "Placebo",
        "Name: control",
    ),
    *("Patient 1", "Patient 12", "Patients (n = 1234)", "Patient: responder", "Case 3", "Hospital mortality", "ID 12"),
    *("Length of hospital stay", "Kaplan-Meier estimate", "Mann-Whitney U", "Van Gieson", "Giemsa", "H&E", "MRI", "CT"),
    *("Assessed for eligibility (n = 1520)", "Lost to follow-up (n = 14)", "Excluded", "Randomised (n = 310)"),
    *(
        "Accuracy 0.9512",
        "ACC: 0.93",
        "Birth weight (g)",
        "Born preterm",
        "Male",
        "Female",
        "Sex",
        "Wild type",
        "Lane 3",
    ),
    *(
        "San Jose",
        "St. John",
        "Sr isotope",
        "Mr 45,000",
        "MR angiography",
        "Lot 4500",
        "Ref 2.3",
        "Fig. 2",
        "Figure 3A",
    ),
    *(
        "Kontrolle",
        "Alter (Jahre)",
        "Patienten",
        "Âge (années)",
        "Témoins",
        "Edad (años)",
        "Età (anni)",
        "Idade (anos)",
    ),
)


# ---- figures ----


def with_identifiers(seed: int) -> DrawnFigure:
    """A scan, or several side by side, into which one to four identifiers are burned, among scanner settings."""
    rng = np.random.default_rng([1, seed])
    language = _pick(rng, tuple(_NAMES))
    canvas = _Canvas(rng, _scan(rng))
    turns = _pick(rng, QUARTERS)
    texts = _identifiers(rng, language)
    planted = [one for kind, text in texts if (one := canvas.write(text, kind, turns))]
    for text in rng.choice(_SETTINGS, int(rng.integers(2, 8)), replace=False):
        canvas.write(str(text), None, 0)
    return DrawnFigure(_stored(rng, canvas.image), planted, f"{language}, {90 * turns} degrees")


def without_identifiers(seed: int) -> DrawnFigure:
    """A scan with settings and marks, or a chart with its labels."""
    rng = np.random.default_rng([2, seed])
    is_scan = rng.random() < 0.4
    canvas = _Canvas(rng, _scan(rng) if is_scan else _chart(rng))
    texts = _SETTINGS + _LABELS[:28] if is_scan else _LABELS
    for text in rng.choice(texts, int(rng.integers(6, 16)), replace=False):
        canvas.write(str(text), None, 1 if rng.random() < 0.1 else 0)
    if rng.random() < 0.08:
        _time_axis(rng, canvas)
    return DrawnFigure(_stored(rng, canvas.image), [], "scan" if is_scan else "chart")


def _identifiers(rng: np.random.Generator, language: str) -> list[tuple[str, str]]:
    """(kind, text) of one to four identifiers of one made-up patient."""
    kinds = rng.choice(["name", "birth_date", "number", "date", "institution"], int(rng.integers(1, 5)), replace=False)
    made = {
        "name": lambda: _name(rng, language),
        "birth_date": lambda: _pick(rng, _BIRTH_LABELS[language]) + _day(rng, 1925, 2015),
        "number": lambda: _pick(rng, _NUMBER_LABELS[language]) + _number(rng),
        "date": lambda: (
            _day(rng, 2004, 2024) + _pick(rng, ("", "", f" {rng.integers(7, 20)}:{rng.integers(10, 60)}:12"))
        ),
        "institution": lambda: _pick(rng, _HOSPITALS[language]),
    }
    return [(str(kind), made[str(kind)]()) for kind in kinds]


def _name(rng: np.random.Generator, language: str) -> str:
    """With a caret, behind a label, or, of the common given names, alone."""
    name = _pick(rng, _NAMES[language])
    is_common = name.split(",")[-1].strip().split()[0] in ("Brown", "JOSHUA", "Linda", "SABINE", "Wolfgang", "Chantal")
    if "^" in name or (is_common and rng.random() < 0.5):
        return name
    return _pick(rng, _NAME_LABELS[language]) + name


def _number(rng: np.random.Generator) -> str:
    digits = "".join(map(str, rng.integers(0, 10, int(rng.integers(5, 10)))))
    return _pick(rng, ("", "", "", "A", "CT")) + digits


def _day(rng: np.random.Generator, first: int, last: int) -> str:
    day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(first, last))
    forms = (f"{day:02}.{month:02}.{year}", f"{day:02}/{month:02}/{year}", f"{year}-{month:02}-{day:02}")
    return _pick(rng, (*forms, f"{day} {_MONTHS[month - 1]} {year}", f"{month:02}/{day:02}/{year}"))


def _time_axis(rng: np.random.Generator, canvas: "_Canvas") -> None:
    """Days below a chart, evenly spaced."""
    year, top = int(rng.integers(2015, 2023)), canvas.image.height - 22
    font = _font("DejaVuSans", 12)
    for place in range(5):
        x = int((place + 0.5) * canvas.image.width / 5) - 35
        canvas.draw.rectangle((x - 4, top - 4, x + 80, top + 18), fill="white")
        canvas.draw.text((x, top), f"{year}-0{2 * place + 1}-01", fill="black", font=font)


# ---- drawing ----


def _scan(rng: np.random.Generator) -> Image.Image:
    """A CT- or MR-like slice, or a row of two: a body with organs, blurred and noisy, on a dark ground."""
    side = _pick(rng, SIZES_PX)
    height = int(side * rng.uniform(0.6, 1.0))
    slices = [_slice(rng, side // n, height) for n in (1, 2, 1)[: 1 + int(rng.random() < 0.3)]]
    if len(slices) > 1:
        slices = [cv2.resize(one, (side // 2, height)) for one in slices]
    grey = np.hstack(slices)  # (height, width)
    return Image.fromarray(np.ascontiguousarray(grey)).convert("RGB")


def _slice(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    grey = np.full((height, width), rng.uniform(2, 25), np.float32)
    centre = (width // 2, height // 2)
    cv2.ellipse(grey, centre, (int(0.42 * width), int(0.42 * height)), 0, 0, 360, float(rng.uniform(70, 150)), -1)
    for _ in range(int(rng.integers(4, 12))):
        place = int(rng.normal(centre[0], 0.15 * width)), int(rng.normal(centre[1], 0.15 * height))
        axes = int(rng.uniform(0.03, 0.14) * width), int(rng.uniform(0.03, 0.14) * height)
        cv2.ellipse(grey, place, axes, float(rng.uniform(0, 180)), 0, 360, float(rng.uniform(20, 230)), -1)
    grey = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(1, 4)))
    grey += rng.normal(0, rng.uniform(2, 9), grey.shape).astype(np.float32)
    return np.clip(grey, 0, 255).astype(np.uint8)


def _chart(rng: np.random.Generator) -> Image.Image:
    """Bars or curves on white, with axes."""
    width = _pick(rng, SIZES_PX)
    image = Image.new("RGB", (width, int(width * rng.uniform(0.6, 0.9))), "white")
    draw, base = ImageDraw.Draw(image), image.height - 50
    draw.line((50, 20, 50, base), fill="black", width=2)
    draw.line((50, base, image.width - 20, base), fill="black", width=2)
    for place in range(6):
        x, top = 80 + place * (image.width - 120) // 6, int(rng.uniform(60, base - 20))
        colour = tuple(int(value) for value in rng.integers(40, 220, 3))
        draw.rectangle((x, top, x + 30, base), fill=colour)
    return image


class _Canvas:
    """A picture on which lines of text are written where there is room."""

    def __init__(self, rng: np.random.Generator, image: Image.Image):
        self.image, self.draw, self._rng = image, ImageDraw.Draw(image), rng
        self._taken: list[Box] = []
        self._size = _pick(rng, TEXT_PX)
        self._face = _pick(rng, FACES)
        self._is_faint = rng.random() < 0.2

    def write(self, text: str, kind: str | None, turns: int) -> Planted | None:
        """Write a line, turned by quarters; None where there is no room, or nothing to be found."""
        face = self._face if text.isascii() else self._face if self._face in _ACCENTED else "DejaVuSans"
        mask = _line(text, face, self._size)
        mask = mask.rotate(90 * turns, expand=True)
        place = self._room(mask.size)
        if place is None:
            return None
        box = (*place, place[0] + mask.width, place[1] + mask.height)
        self._taken.append(box)
        self.image.paste(self._colour(box), place, mask)
        return Planted(kind, text, box) if kind else None

    def _room(self, size: tuple[int, int]) -> tuple[int, int] | None:
        for _ in range(60):
            x = int(self._rng.integers(4, max(5, self.image.width - size[0] - 4)))
            y = int(self._rng.integers(4, max(5, self.image.height - size[1] - 4)))
            box = (x - 6, y - 4, x + size[0] + 6, y + size[1] + 4)
            is_inside = x + size[0] < self.image.width and y + size[1] < self.image.height
            if is_inside and not any(_meet(box, other) for other in self._taken):
                return x, y
        return None

    def _colour(self, box: Box) -> tuple[int, int, int]:
        """White, yellow or green on dark, black on light; now and then faint."""
        ground = float(np.asarray(self.image.crop(box).convert("L")).mean())
        is_dark = ground < 150
        if self._is_faint:
            level = int(np.clip(ground + (_GREY_STEP if is_dark else -_GREY_STEP), 0, 255))
            return level, level, level
        return _pick(self._rng, ((255, 255, 255), (240, 240, 90), (120, 255, 120))) if is_dark else (0, 0, 0)


def _line(text: str, face: str, size: int) -> Image.Image:
    """The line as a mask."""
    font = _font(face, size)
    left, top, right, bottom = font.getbbox(text)
    mask = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4), 0)
    ImageDraw.Draw(mask).text((2 - left, 2 - top), text, fill=255, font=font)
    return mask


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _stored(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    quality = _pick(rng, _JPEG_QUALITIES)
    if quality is None:
        return image
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return open_picture(buffer.getvalue())


def _pick(rng: np.random.Generator, choices: Sequence):
    return choices[int(rng.integers(len(choices)))]


@cache
def _font(face: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{face}.ttf", size)
