"""First names that nearly only women or only men have → `given_names.txt` of `kgmrca/extraction/coreference`.

    python given_names.py ../kgmrca/extraction/coreference/given_names.txt

They are those of the packages faker (MIT) and names (MIT; the United States' census of 1990, which is in the public
domain). A name is one gender's if two lists or more have it, no list of faker for the other gender, and if nearly
all people of the census with this name are of it. Only this script needs the packages.
"""

import sys
from collections import defaultdict
from pathlib import Path

from first_names import counted_names, is_latin, lists_of_names

__all__ = ["main", "read_given_names"]

_LEAST_LISTS = 2
_SHARE = 0.97  # of the people of the census
_LEAST_LETTERS = 3
_BOTH = frozenset({"Beverly", "Carol", "Evelyn", "Ilya", "Mika", "Misha", "Nikita", "Santa", "Shirley", "Vivian"})
"""What the lists have for one gender only, though men and women of note have it."""
_HEADER = """\
# First names that nearly only women (f) or only men (m) have; "family": it is a family name as well.
# Made by pipelines/given_names.py from the lists of names of faker (https://github.com/joke2k/faker), under the MIT
# License, Copyright (c) 2012 Daniele Faraglia, and of names (https://github.com/treyhunner/names), under the MIT
# License, Copyright (c) 2013 Trey Hunner.
"""


def read_given_names() -> list[tuple[str, str, bool]]:
    """Names in order, the gender of each, and whether it is a family name as well.

    Raises:
        ModuleNotFoundError: faker or names is not installed.
    """
    lists: dict[str, list[int]] = defaultdict(lambda: [0, 0])  # women, men
    people: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    family = {name for name, _ in counted_names("all.last")}
    for of_language in lists_of_names("person"):
        family.update(name for name in getattr(of_language, "last_names", None) or () if isinstance(name, str))
        for which, attribute in enumerate(("first_names_female", "first_names_male")):
            for name in set(getattr(of_language, attribute, None) or ()):
                lists[name][which] += 1
    for which, gender in enumerate(("female", "male")):
        for name, percent in counted_names(f"{gender}.first"):
            people[name][which] += percent
    found = []
    for name in sorted(lists.keys() | people.keys()):
        here, counted = lists.get(name, [0, 0]), people.get(name, [0.0, 0.0])
        which = int(here[1] > here[0] if any(here) else counted[1] > counted[0])
        if (
            len(name) >= _LEAST_LETTERS
            and name.isalpha()
            and name.istitle()
            and is_latin(name)
            and not here[1 - which]
            and here[which] + bool(counted[which]) >= _LEAST_LISTS
            and counted[which] >= _SHARE * sum(counted)
            and name not in _BOTH
        ):
            found.append((name, "fm"[which], name in family))
    return found


def main(target: Path) -> None:
    """Write the names."""
    lines = (f"{name} {gender}{' family' if is_family else ''}\n" for name, gender, is_family in read_given_names())
    target.write_text(_HEADER + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
