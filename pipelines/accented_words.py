"""Words of names with letters that ASCII does not have → `kgmrca/accented_words.txt`, which `kgmrca.names` looks up.

    python accented_words.py ../kgmrca/accented_words.txt

The words are those of the lists of people's names and places of the package faker (MIT). Only this script needs it.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from first_names import is_latin, lists_of_names

from kgmrca.names import without_accents

__all__ = ["main", "read_words"]

_NO_NAMES = re.compile("format|street|suffix|prefix|secondary|building", re.IGNORECASE)
_HEADER = """\
# Words of names with letters that ASCII does not have; of those that are alike without accents, the most usual first.
# Made by pipelines/accented_words.py from the lists of names of faker (https://github.com/joke2k/faker), under the MIT
# License, Copyright (c) 2012 Daniele Faraglia.
"""


def read_words() -> Counter[str]:
    """Words with the number of lists that have them.

    Raises:
        ModuleNotFoundError: faker is not installed.
    """
    counts: Counter[str] = Counter()
    for kind in ("person", "address"):
        for lists in lists_of_names(kind):
            for attribute, value in sorted(vars(lists).items()):
                if not _NO_NAMES.search(attribute):
                    counts.update(set(_words_in(value)))
    return counts


def _words_in(value: object) -> Iterator[str]:
    """The words with accents in a list of names, of any depth."""
    if isinstance(value, str):
        for word in re.findall(r"[^\W\d_]{3,}", value):
            if not word.isascii() and word[0].isupper() and is_latin(word):
                yield word
    elif isinstance(value, list | tuple | dict | set | frozenset):
        for one in value:
            yield from _words_in(one)


def main(target: Path) -> None:
    """Write the words."""
    counts = read_words()
    words = sorted(counts, key=lambda word: (without_accents(word), -counts[word], word))
    target.write_text(_HEADER + "".join(f"{word}\n" for word in words), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
