"""Twelve names, made up, each with four ways in which others may write it."""

from itertools import cycle

# "~" is a character that nobody sees: a soft hyphen, a zero-width space or a mark of direction, line by line.
_WRITTEN = """
Niall O'Corven              | Niall O’Corven       | Niall Oʼ~Corven,      | NIALL O'CORVEN              | “Niall  O‘Corven”
Brigitte d'Aubrelle         | Brigitte d’Aubrelle  | BRIGITTE D'AUBRELLE   | Brigitte d′Aubrelle …       | Brigitte d'Aubrelle's
Zoë Krüßmann                | Zoe\u0308 Kru\u0308ßmann | ZOË KRÜSSMANN       | Zoë Krüss~mann              | Zoë Krüßmann (…)
Jürgen Mösbach              | Juergen Moesbach     | JUERGEN MOESBACH      | Ju\u0308rgen Mo\u0308sbach; | ~Jürgen Mösbach~
Astrid Vang-Holm            | Astrid Vang–Holm     | Astrid Vang\u2011Holm | Astrid Vang\u2010Holm.      | ASTRID VANG-HOLM
Per Ostvik von Ahr          | Per Ostvik–von Ahr   | PER OSTVIK VON AHR    | Per\u00a0Ostvik von\u2009Ahr | Per~Ostvik von Ahr
Lund & Vesper               | Lund and Vesper      | Lund &amp; Vesper     | LUND & VESPER               | Lund ＆ Vesper’s
Academy of Arts and Letters | Academy of Arts & Letters | ACADEMY OF ARTS AND LETTERS | Academy of  Arts and\u2028Letters | the Academy of Arts and Letters
Søren Mølby                 | SØREN MØLBY          | Soeren Moelby         | Søren Mølby…                | « Søren Mølby »
Rene Lefort                 | René Lefort          | Rene Lefort —         | RENÉ LEFORT                 | • Rene Le~fort
José Núñez Gil              | Jose Nunez Gil       | JOSÉ NÚÑEZ GIL        | JOSE NUNEZ GIL              | José Nunez Gil
Łukasz Wójcik               | Lukasz Wojcik        | ŁUKASZ WÓJCIK         | LUKASZ WOJCIK               | Łukasz Wo\u0301jcik,
"""  # noqa: E501
WRITTEN = [
    [form.strip().replace("~", unseen) for form in line.split("|")]
    for line, unseen in zip(_WRITTEN.strip().split("\n"), cycle("\u00ad\u200b\u200e"))
]
