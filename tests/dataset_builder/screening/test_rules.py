"""What of a picture's text is personal data and what is not; the lines are as OCR gives them."""

import pytest

from dataset_builder.screening.lines import Line
from dataset_builder.screening.rules import personal


def line(text, left=0.0, top=0.0, width=None, is_on_picture=True):
    return Line(text, (left, top, left + (width or 9.0 * len(text)), top + 14.0), 0.9, is_on_picture)


def kinds(*lines):
    return {one.kind for one in personal(list(lines))}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "SMITH^JOHN",
            "ID 4; Name: Obi Ada",
            "MÜLLER^HANS^DR",
            "O'BRIEN^MARY",
            "Name: SMITH, JOHN",
            "Patient Name: Jane Doe",
            "Pt. Name: Ada Obi",
        ),
        *("Patient: Kowalski", "Mr. Johnson", "Mrs Okafor", "Frau Müller", "Mme Dupont", "Sr. García", "JOHN SMITH"),
        *(
            "Maria Garcia",
            "MARTINEZ, MARIA",
            "Nom et prénom : Lefèvre Anne",
            "Nombre: Pérez",
            "Cognome e nome: Rossi Anna",
        ),
        *(
            "Nome do paciente: Silva",
            "姓名：张伟",
            "患者姓名:李小明",
            "患者氏名:山田太郎",
            "氏名：ヤマダタロウ",
            "Name: van der Berg",
        ),
        *("Ref. Phys: Kowalski", "Пациент: Иванов", "ПІБ: Шевченко"),
    ],
)
def test_names(text):
    assert "name" in kinds(line(text))


@pytest.mark.parametrize(
    "text",
    [
        *("DOB: 12.03.1961", "D.O.B 03/12/61", "D0B: 1961-03-12", "Date of birth 12 Mar 1961", "Born: March 12, 1961"),
        *("geb. 12.03.1961", "Geb.-Datum 12.3.61", "*12.03.1961", "Né(e) le 12/03/1961", "DDN: 12/03/1961"),
        *("F. Nac.: 12/03/1961", "Nata il 12.03.1961", "Data di nascita: 12/03/1961", "Data de nascimento: 12/03/1961"),
        *("出生日期：1961-03-12", "生年月日:1961年3月12日", "дата рождения 12.03.1961", "DOB 19610312"),
    ],
)
def test_birth_dates(text):
    assert kinds(line(text)) == {"birth_date"}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "MRN 00483",
            "PatID: CK 048392",
            "MRN: 12-34-567",
            "Pat. ID 4839211",
            "Patient ID: A483921",
            "Acc# 20231234",
            "Accession No: 48392817",
        ),
        *("ID: 0048392", "123-45-6789", "Hospital No. 445828", "Fallnummer 4839210", "Pat.-Nr. 483921", "1PP: 8005551"),
        *(
            "Dossier n° 483921",
            "NHC:278896",
            "Historia clínica: 48392",
            "Cartella clinica n. 48392",
            "Nº utente: 483921",
        ),
        *("住院号:00483921", "患者ID 1234567", "カルテ番号：483921", "Prontuário: 483921"),
    ],
)
def test_numbers(text):
    assert "number" in kinds(line(text))


@pytest.mark.parametrize(
    "text",
    [
        "2012-03-14 10:22:31",
        "14.03.2012",
        "01/15/0809:57:09AM",
        "14 Mar 2012",
        "14-MAR-2012",
        "March 14, 2012",
        "2012年3月14日",
    ],
)
def test_days(text):
    assert kinds(line(text)) == {"date"}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "RIVERSIDE GENERAL HOSPITAL",
            "St. Mary's Hospital",
            "Peking University Hospital",
            "University Hospital Zurich",
        ),
        *("Klinikum Stuttgart", "Hôpital Saint-Louis", "Hospital Universitario La Paz", "Ospedale San Raffaele"),
        *("北京协和医院", "東京大学病院", "CHU de Nantes"),
    ],
)
def test_hospitals_on_pictures(text):
    assert kinds(line(text)) == {"institution"}
    assert not kinds(line(text, is_on_picture=False))  # of flow charts


@pytest.mark.parametrize(
    "text",
    [
        *("Smith et al. 2012", "Smith J, 2012", "James Martin et al.", "Thomas, Peter 2009", "James (2010)"),
        *(
            "Week 12",
            "Day 14",
            "Month 6",
            "Jan 2020",
            "2010 2012 2014",
            "1.5.10",
            "10-20-30",
            "12:30",
            "3/4/5",
            "Q3 2019",
        ),
        *("p < 0.001", "95% CI 1.02-1.45", "HR 0.72 (0.55-0.94)", "n = 1234", "r = 0.61", "Patients (n = 1234)"),
        *("TP53, BRCA1", "IL-6, TNF", "DAPI, GFAP", "CD4, CD8", "Gene ID: 7157", "GO:0006915", "rs429358", "NM_000546"),
        *(
            "GSE12345",
            "NCT01234567",
            "Study ID: NCT01234567",
            "Accession: NM_000546",
            "PMID 12345678",
        ),
        *(
            "Patient 12",
            "Patient number: 120",
            "Case 3",
            "ID 12",
            "ACC: 0.9512",
            "Accuracy 0.9512",
            "Lot 4500",
            "Lane 3",
        ),
        *(
            "Name: control",
            "Patient: Responder group",
            "Patient: healthy",
            "Name",
            "Patient ID",
            "DOB",
            "Patient name:",
        ),
        *(
            "Kaplan-Meier",
            "Mann-Whitney U",
            "Van Gieson",
            "MR angiography",
            "Sr isotope",
            "San Jose",
            "St. John",
            "H&E",
        ),
        *("Hospital stay", "Length of hospital stay", "Hospital A", "the hospital", "In-hospital death"),
        *("Birth weight (g)", "Born preterm", "Born alive 1234", "Records identified (n = 1234)", "A", "(b)", "50 µm"),
        *("Drug name: Aspirin", "Gene name: Smad", "File name: Liver", "Peter. Smith", "Sarah: Connor"),
        *("Kontrolle", "Alter (Jahre)", "Témoins", "对照组", "患者", "医院", "本院", ""),
    ],
)
def test_what_figures_hold_anyway(text):
    assert not kinds(line(text))


@pytest.mark.parametrize("text", ["Accession No: CT037521", "Patient ID: A483921"])
def test_numbers_that_are_built_like_those_of_sequences_are_a_patients_on_pictures(text):
    assert kinds(line(text)) == {"number"}
    assert not kinds(line(text, is_on_picture=False))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Né le 16.04,1969", "birth_date"),
        ("Data di nascita: 4 0ct 1958", "birth_date"),
        ("WALKER. JOSHUA", "name"),
        ("Dossier n°A30790", "number"),
    ],
)
def test_letters_and_signs_that_ocr_misreads(text, kind):
    assert kinds(line(text)) == {kind}


def test_a_label_and_its_value_in_two_lines():
    assert kinds(line("DOB:"), line("12.03.1961", left=60)) == {"birth_date", "date"} - {"date"}
    assert kinds(line("Patient name"), line("Adaeze Obi", top=18)) == {"name"}
    assert kinds(line("MRN"), line("0048392", left=50)) == {"number"}
    assert not kinds(line("MRN"), line("0048392", left=500))
    assert not kinds(line("Patient"), line("control", top=18))
    upright = [Line("Hospital No.", (10, 100, 24, 200), 0.9), Line("445828271", (10, 20, 24, 95), 0.9)]
    assert kinds(*upright) == {"number"}


def test_what_ocr_has_torn_apart():
    assert kinds(line("Pt. Na"), line("me: WALKER, ADA", left=56)) == set()  # a torn word is nobody's business here
    assert kinds(line("Date of"), line("birth: 12.03.1961", left=66)) >= {"birth_date"}


def test_the_marks_of_a_time_axis_are_no_days_but_stamps_on_pictures_are():
    axis = [line(f"2020-0{month}-01", left=120.0 * month, top=300) for month in (1, 3, 5, 7)]
    assert not kinds(*axis)
    assert kinds(*axis[:3]) == {"date"}
    stamps = [line("14.03.2012", left=200.0 * (i % 2), top=200.0 * (i // 2)) for i in range(4)]
    assert kinds(*stamps) == {"date"}


def test_beside_a_person_a_long_number_and_a_name_with_a_comma_are_the_persons():
    alone = [line("00483921"), line("OKONKWO, CHIDI", top=40)]
    assert not kinds(*alone)
    found = personal([*alone, line("DOB: 12.03.1961", top=80)])
    assert sorted((one.kind, one.text) for one in found) == [
        ("birth_date", "DOB: 12.03.1961"),
        ("name", "OKONKWO, CHIDI"),
        ("number", "00483921"),
    ]


def test_where_it_was_found():
    [found] = personal([line("Scale 5 cm"), Line("MRN 0048392", (10, 20, 110, 34), 0.75)])
    assert (found.box, found.score, found.text) == ((10, 20, 110, 34), 0.75, "MRN 0048392")
