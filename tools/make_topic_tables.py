"""Make assets/codes/icd10-tree.json, atc-tree.json and loinc-groups.json: where a code stands.

The tables hold positions only, no titles and no names:

1. ICD-10: the ranges of chapters and blocks as published by WHO. A rubric (three characters) is known
   when a block holds it, and its parents are the ranges that hold it; below three characters the code
   itself is the position (WHO, ICD-10 volume 2, section 2.4). Rubrics that national editions added
   between the blocks are listed with the chapter they were added to.
2. ATC: the five levels end after 1, 3, 4, 5 and 7 characters, so a code carries its own parents. Only
   that rule and the fourteen main groups are written; the code list itself is not ours to spread.
3. LOINC has no usable tree: laboratory codes that are about one condition are grouped by hand.

Checks before writing: ranges are sorted, do not cross, and every block lies in one chapter. With
`--categories FILE` (a CSV whose first column is an ICD-10-CM code) every category of that file must
have exactly one chapter; the file only serves that check.

Sources: WHO ICD-10, 2019 edition, tabular list (https://icd.who.int/browse10/2019/en); ICD-10-CM, US
National Center for Health Statistics, public domain (https://www.cdc.gov/nchs/icd/icd-10-cm/);
WHO Collaborating Centre for Drug Statistics Methodology, structure and principles of the ATC system
(https://atcddd.fhi.no/atc/structure_and_principles/).

Run: `python tools/make_topic_tables.py` (writes), `python tools/make_topic_tables.py --check` (compares).
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

CODES = Path(__file__).resolve().parents[1] / "assets" / "codes"

# Chapter: its blocks. A block may lie in a wider block (C00-C14 in C00-C75 in C00-C97).
ICD10 = {
    "A00-B99": "A00-A09 A15-A19 A20-A28 A30-A49 A50-A64 A65-A69 A70-A74 A75-A79 A80-A89 A90-A99 B00-B09"
    " B15-B19 B20-B24 B25-B34 B35-B49 B50-B64 B65-B83 B85-B89 B90-B94 B95-B98 B99-B99",
    "C00-D48": "C00-C97 C00-C75 C00-C14 C15-C26 C30-C39 C40-C41 C43-C44 C45-C49 C50-C50 C51-C58 C60-C63"
    " C64-C68 C69-C72 C73-C75 C76-C80 C81-C96 C97-C97 D00-D09 D10-D36 D37-D48",
    "D50-D89": "D50-D53 D55-D59 D60-D64 D65-D69 D70-D77 D80-D89",
    "E00-E90": "E00-E07 E10-E14 E15-E16 E20-E35 E40-E46 E50-E64 E65-E68 E70-E90",
    "F00-F99": "F00-F09 F10-F19 F20-F29 F30-F39 F40-F48 F50-F59 F60-F69 F70-F79 F80-F89 F90-F98 F99-F99",
    "G00-G99": "G00-G09 G10-G14 G20-G26 G30-G32 G35-G37 G40-G47 G50-G59 G60-G64 G70-G73 G80-G83 G90-G99",
    "H00-H59": "H00-H06 H10-H13 H15-H22 H25-H28 H30-H36 H40-H42 H43-H45 H46-H48 H49-H52 H53-H54 H55-H59",
    "H60-H95": "H60-H62 H65-H75 H80-H83 H90-H95",
    "I00-I99": "I00-I02 I05-I09 I10-I15 I20-I25 I26-I28 I30-I52 I60-I69 I70-I79 I80-I89 I95-I99",
    "J00-J99": "J00-J06 J09-J18 J20-J22 J30-J39 J40-J47 J60-J70 J80-J84 J85-J86 J90-J94 J95-J99",
    "K00-K93": "K00-K14 K20-K31 K35-K38 K40-K46 K50-K52 K55-K64 K65-K67 K70-K77 K80-K87 K90-K93",
    "L00-L99": "L00-L08 L10-L14 L20-L30 L40-L45 L50-L54 L55-L59 L60-L75 L80-L99",
    "M00-M99": "M00-M25 M00-M03 M05-M14 M15-M19 M20-M25 M30-M36 M40-M54 M40-M43 M45-M49 M50-M54 M60-M79"
    " M60-M63 M65-M68 M70-M79 M80-M94 M80-M85 M86-M90 M91-M94 M95-M99",
    "N00-N99": "N00-N08 N10-N16 N17-N19 N20-N23 N25-N29 N30-N39 N40-N51 N60-N64 N70-N77 N80-N98 N99-N99",
    "O00-O99": "O00-O08 O10-O16 O20-O29 O30-O48 O60-O75 O80-O84 O85-O92 O94-O99",
    "P00-P96": "P00-P04 P05-P08 P10-P15 P20-P29 P35-P39 P50-P61 P70-P74 P75-P78 P80-P83 P90-P96",
    "Q00-Q99": "Q00-Q07 Q10-Q18 Q20-Q28 Q30-Q34 Q35-Q37 Q38-Q45 Q50-Q56 Q60-Q64 Q65-Q79 Q80-Q89 Q90-Q99",
    "R00-R99": "R00-R09 R10-R19 R20-R23 R25-R29 R30-R39 R40-R46 R47-R49 R50-R69 R70-R79 R80-R82 R83-R89"
    " R90-R94 R95-R99",
    "S00-T98": "S00-S09 S10-S19 S20-S29 S30-S39 S40-S49 S50-S59 S60-S69 S70-S79 S80-S89 S90-S99 T00-T07"
    " T08-T14 T15-T19 T20-T32 T20-T25 T26-T28 T29-T32 T33-T35 T36-T50 T51-T65 T66-T78 T79-T79 T80-T88"
    " T90-T98",
    "V01-Y98": "V01-X59 V01-V99 V01-V09 V10-V19 V20-V29 V30-V39 V40-V49 V50-V59 V60-V69 V70-V79 V80-V89"
    " V90-V94 V95-V97 V98-V99 W00-X59 W00-W19 W20-W49 W50-W64 W65-W74 W75-W84 W85-W99 X00-X09 X10-X19"
    " X20-X29 X30-X39 X40-X49 X50-X57 X58-X59 X60-X84 X85-Y09 Y10-Y34 Y35-Y36 Y40-Y84 Y40-Y59 Y60-Y69"
    " Y70-Y82 Y83-Y84 Y85-Y89 Y90-Y98",
    "Z00-Z99": "Z00-Z13 Z20-Z29 Z30-Z39 Z40-Z54 Z55-Z65 Z70-Z76 Z80-Z99",
    "U00-U99": "U00-U49 U82-U85",
}
# Rubrics of ICD-10-CM that no WHO block holds, by the chapter they were added to.
ADDED = {
    "A00-B99": "B10",
    "C00-D48": "D49",
    "D50-D89": "D78",
    "E00-E90": "E08 E09 E36",
    "G00-G99": "G65 G89",
    "I00-I99": "I16",
    "K00-K93": "K68 K94 K95",
    "L00-L99": "L49 L76",
    "M00-M99": "M26 M27",
    "N00-N99": "N52 N53 N65",
    "O00-O99": "O09 O76 O77 O9A",
    "P00-P96": "P09 P19 P84",
    "V01-Y98": "V00 Y37 Y38 Y99",
    "Z00-Z99": "Z14 Z15 Z16 Z17 Z18 Z19 Z3A Z66 Z67 Z68 Z69 Z77 Z78 Z79",
}
# Laboratory codes that are about one condition only, by the ICD-10 block of that condition. LOINC has no
# tree to derive this from; a test that healthy people have as well (glucose, CD4) is not listed.
LOINC_GROUPS = {
    # Haemoglobin A1c, by method and unit.
    "E10-E14": "17855-8 17856-6 41995-2 4548-4 4549-2 59261-8",
    # HIV antibodies, antigen, RNA; the hiv group of sensitivity.json.
    "B20-B24": "20447-9 24467-3 25836-8 29893-5 56888-1 69668-2 75622-1 7918-6",
}
ATC_LEVELS = (1, 3, 4, 5, 7)
ATC_MAIN_GROUPS = "ABCDGHJLMNPRSV"


def icd10_table() -> dict[str, Any]:
    """Build the ICD-10 table and check that its ranges form a tree."""
    for chapter, blocks in ICD10.items():
        outer = _range(chapter)
        for block in map(_range, blocks.split()):
            if not (outer[0] <= block[0] <= block[1] <= outer[1]):
                raise SystemExit(f"block {block} lies outside {chapter}")
            for other in map(_range, blocks.split()):
                if other[0] < block[0] <= other[1] < block[1]:
                    raise SystemExit(f"blocks {other} and {block} cross")
    return {
        "version": "icd10-2019.1",
        "source": "WHO ICD-10, 2019 edition, tabular list (https://icd.who.int/browse10/2019/en);"
        " rubrics added by ICD-10-CM, US National Center for Health Statistics, public domain",
        "licence": "positions only, which are facts: no titles of the classification are copied",
        "made_by": "tools/make_topic_tables.py",
        "chapters": {chapter: blocks.split() for chapter, blocks in ICD10.items()},
        "added": {chapter: rubrics.split() for chapter, rubrics in ADDED.items()},
    }


def loinc_table() -> dict[str, Any]:
    """Build the table of laboratory codes about one condition."""
    return {
        "version": "loinc-groups.1",
        "source": "LOINC (https://loinc.org/); grouped by us, to be reviewed by a clinical coder",
        "licence": "code identifiers only, free of charge under the LOINC licence; no names are copied",
        "made_by": "tools/make_topic_tables.py",
        "groups": {block: codes.split() for block, codes in LOINC_GROUPS.items()},
    }


def atc_table() -> dict[str, Any]:
    """Build the ATC table: the rule of positions, no codes."""
    return {
        "version": "atc-structure.1",
        "source": "WHO Collaborating Centre for Drug Statistics Methodology, structure and principles"
        " (https://atcddd.fhi.no/atc/structure_and_principles/)",
        "licence": "the rule of positions only; the ATC index is the centre's and is not copied",
        "made_by": "tools/make_topic_tables.py",
        "levels": list(ATC_LEVELS),
        "main_groups": ATC_MAIN_GROUPS,
    }


def strangers(path: Path) -> list[str]:
    """Return the rubrics of a code list that no block and no addition holds."""
    with path.open(encoding="utf-8") as stream:
        rubrics = {row[0][:3] for row in csv.reader(stream)}
    blocks = [_range(block) for text in ICD10.values() for block in text.split()]
    known = {rubric for text in ADDED.values() for rubric in text.split()}
    held = {rubric for rubric in rubrics if any(low <= rubric <= high for low, high in blocks)}
    return sorted(rubrics - held - known)


def _range(text: str) -> tuple[str, str]:
    first, _, last = text.partition("-")
    return first, last


def main(arguments: list[str]) -> int:
    """Write or compare the tables."""
    if "--categories" in arguments:
        unknown = strangers(Path(arguments[arguments.index("--categories") + 1]))
        sys.stdout.write(f"rubrics without a place: {' '.join(unknown) or 'none'}\n")
        return 1 if unknown else 0
    tables = (("icd10-tree", icd10_table()), ("atc-tree", atc_table()), ("loinc-groups", loinc_table()))
    for name, table in tables:
        path, text = CODES / f"{name}.json", json.dumps(table, indent=1) + "\n"
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            sys.stdout.write(f"{path.name} is not current\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
