"""The clinical content of the demonstration patient: rows of plain facts, no dates of the calendar.

Everything is invented for this product. Times are counted back from the day of the demonstration, in days.
Codes: SNOMED CT (concept ids), LOINC (https://loinc.org), ATC (WHO Collaborating Centre for Drug Statistics
Methodology, index 2024), ICPC-1 (NHG).
"""

from __future__ import annotations

from dataclasses import dataclass

YEAR = 365

# (code system key, code); see ``SYSTEMS`` in pgo.health.demo.
Code = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """A condition: when it began and, for one that is over, when it ended (days ago)."""

    id: str
    words: str
    codes: tuple[Code, ...]
    began: int
    ended: int | None = None


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine with its use in days ago; ``last`` is ``None`` while it is used."""

    id: str
    words: str
    atc: str
    dosage: str
    reason: str
    first: int
    last: int | None = None
    over_the_counter: bool = False


@dataclass(frozen=True, slots=True)
class Test:
    """A laboratory test: first and last value, wiggle, digits behind the point, days between two."""

    id: str
    words: str
    loinc: str
    unit: str
    ucum: str
    first: str
    last: str
    wiggle: str
    digits: int
    every: int
    low: str = ""
    high: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened once: a vaccination, a procedure, a visit."""

    id: str
    words: str
    codes: tuple[Code, ...]
    days_ago: int
    detail: str = ""


PROBLEMS = (
    Problem("diabetes", "Diabetes mellitus type 2", (("snomed", "44054006"), ("icpc", "T90.02")), 9 * YEAR),
    Problem("hypertension", "Hoge bloeddruk", (("snomed", "38341003"), ("icpc", "K86")), 11 * YEAR),
    Problem("knee", "Artrose van de rechterknie", (("snomed", "239873007"), ("icpc", "L90")), 5 * YEAR),
    Problem("lipids", "Verhoogd cholesterol", (("snomed", "55822004"), ("icpc", "T93")), 9 * YEAR),
    Problem("cystitis", "Blaasontsteking", (("icpc", "U71"),), 2 * YEAR + 40, 2 * YEAR + 30),
    Problem("bronchitis", "Acute bronchitis", (("icpc", "R78"),), 4 * YEAR + 90, 4 * YEAR + 70),
    Problem("alcohol", "Chronisch alcoholmisbruik", (("icpc", "P15"),), 14 * YEAR, 12 * YEAR),
)

MEDICINES = (
    Medicine(
        "metformin",
        "Metformine tablet 500 mg",
        "A10BA02",
        "2 keer per dag 2 tabletten bij het eten",
        "Diabetes mellitus type 2",
        9 * YEAR,
    ),
    Medicine(
        "gliclazide",
        "Gliclazide tablet met gereguleerde afgifte 30 mg",
        "A10BB09",
        "1 keer per dag 1 tablet bij het ontbijt",
        "Diabetes mellitus type 2",
        3 * YEAR,
    ),
    Medicine(
        "lisinopril",
        "Lisinopril tablet 20 mg",
        "C09AA03",
        "1 keer per dag 1 tablet",
        "Hoge bloeddruk",
        11 * YEAR,
    ),
    Medicine(
        "amlodipine",
        "Amlodipine tablet 5 mg",
        "C08CA01",
        "1 keer per dag 1 tablet",
        "Hoge bloeddruk",
        4 * YEAR,
    ),
    Medicine(
        "atorvastatin",
        "Atorvastatine tablet 20 mg",
        "C10AA05",
        "1 keer per dag 1 tablet",
        "Verhoogd cholesterol",
        5 * YEAR,
    ),
    Medicine(
        "paracetamol",
        "Paracetamol tablet 500 mg",
        "N02BE01",
        "Bij pijn 2 tabletten, hooguit 3 keer per dag",
        "Artrose van de rechterknie",
        5 * YEAR,
        over_the_counter=True,
    ),
    Medicine(
        "vitamin-d",
        "Colecalciferol capsule 20 microgram",
        "A11CC05",
        "1 keer per dag 1 capsule",
        "Voorkomen van een tekort",
        2 * YEAR,
        over_the_counter=True,
    ),
    Medicine(
        "simvastatin",
        "Simvastatine tablet 40 mg",
        "C10AA01",
        "1 keer per dag 1 tablet voor de nacht",
        "Verhoogd cholesterol",
        9 * YEAR,
        5 * YEAR,
    ),
    Medicine(
        "hydrochlorothiazide",
        "Hydrochloorthiazide tablet 12,5 mg",
        "C03AA03",
        "1 keer per dag 1 tablet",
        "Hoge bloeddruk",
        7 * YEAR,
        4 * YEAR,
    ),
    Medicine(
        "naproxen",
        "Naproxen tablet 250 mg",
        "M01AE02",
        "2 keer per dag 1 tablet",
        "Artrose van de rechterknie",
        4 * YEAR + 200,
        4 * YEAR + 100,
    ),
    Medicine(
        "omeprazole",
        "Omeprazol capsule 20 mg",
        "A02BC01",
        "1 keer per dag 1 capsule",
        "Maagbescherming bij naproxen",
        4 * YEAR + 200,
        4 * YEAR + 100,
    ),
    Medicine(
        "nitrofurantoin",
        "Nitrofurantoïne capsule met gereguleerde afgifte 100 mg",
        "J01XE01",
        "2 keer per dag 1 capsule, 5 dagen",
        "Blaasontsteking",
        2 * YEAR + 40,
        2 * YEAR + 35,
    ),
    Medicine(
        "doxycycline",
        "Doxycycline tablet 100 mg",
        "J01AA02",
        "1 keer per dag 1 tablet, 7 dagen",
        "Acute bronchitis",
        4 * YEAR + 88,
        4 * YEAR + 81,
    ),
)

LAB_TESTS = (
    Test("hba1c", "HbA1c", "59261-8", "mmol/mol", "mmol/mol", "69", "53", "2", 0, 182, "20", "42"),
    Test(
        "egfr",
        "eGFR (CKD-EPI)",
        "62238-1",
        "ml/min/1,73 m²",
        "mL/min/{1.73_m2}",
        "88",
        "79",
        "3",
        0,
        182,
        "60",
    ),
    Test("ldl", "LDL-cholesterol", "22748-8", "mmol/l", "mmol/L", "3.4", "2.3", "0.2", 1, 182, "", "2.6"),
    Test("hdl", "HDL-cholesterol", "14646-4", "mmol/l", "mmol/L", "1.2", "1.3", "0.1", 1, YEAR, "1.0"),
    Test(
        "cholesterol",
        "Totaal cholesterol",
        "14647-2",
        "mmol/l",
        "mmol/L",
        "5.6",
        "4.4",
        "0.2",
        1,
        YEAR,
        "",
        "5.0",
    ),
    Test(
        "triglycerides",
        "Triglyceriden",
        "14927-8",
        "mmol/l",
        "mmol/L",
        "2.1",
        "1.6",
        "0.2",
        1,
        YEAR,
        "",
        "2.0",
    ),
    Test("creatinine", "Kreatinine", "14682-9", "µmol/l", "umol/L", "71", "76", "3", 0, YEAR, "50", "90"),
    Test("potassium", "Kalium", "2823-3", "mmol/l", "mmol/L", "4.3", "4.1", "0.2", 1, YEAR, "3.5", "5.0"),
)

VACCINATIONS = (
    *(
        Event(f"flu-{n}", "Griepvaccinatie", (("atc", "J07BB02"),), n * YEAR + 20, f"GRIEP-{n:02}")
        for n in range(6)
    ),
    Event("covid-1", "COVID-19-vaccinatie", (("atc", "J07BN01"),), 5 * YEAR + 150, "CV-01"),
    Event("covid-2", "COVID-19-vaccinatie", (("atc", "J07BN01"),), 5 * YEAR + 115, "CV-02"),
    Event("covid-3", "COVID-19-vaccinatie", (("atc", "J07BN01"),), 2 * YEAR + 50, "CV-03"),
    Event("tetanus", "Tetanusvaccinatie", (("atc", "J07AM01"),), 8 * YEAR, "TET-01"),
)

PROCEDURES = (
    Event("colonoscopy", "Darmonderzoek (coloscopie)", (("snomed", "73761001"),), 3 * YEAR + 60),
    Event("knee-photo", "Röntgenfoto van de knie", (("snomed", "74016001"),), 5 * YEAR),
    *(
        Event(f"eyes-{n}", "Oogcontrole bij diabetes", (("snomed", "722161008"),), n * 2 * YEAR + 70)
        for n in range(3)
    ),
    *(
        Event(f"feet-{n}", "Voetcontrole bij diabetes", (("snomed", "401191002"),), n * YEAR + 35)
        for n in range(6)
    ),
    Event("knee-injection", "Injectie in de knie", (), YEAR + 120),
)

VISITS = (
    *(
        Event(
            f"diabetes-visit-{n}", "Controle diabetes", (("snomed", "185349003"),), n * 182 + 30, "diabetes"
        )
        for n in range(12)
    ),
    Event("knee-visit-1", "Gesprek over kniepijn", (), 5 * YEAR + 3, "knee"),
    Event("knee-visit-2", "Gesprek over kniepijn", (), YEAR + 125, "knee"),
    Event("cystitis-visit", "Klachten bij het plassen", (), 2 * YEAR + 40, "cystitis"),
    Event("bronchitis-visit", "Hoesten en koorts", (), 4 * YEAR + 90, "bronchitis"),
    Event("fundus-visit", "Polikliniek oogheelkunde", (), 70, "diabetes"),
    Event("ortho-visit", "Polikliniek orthopedie", (), YEAR + 121, "knee"),
)
