"""Which mentions of two entities state that they are related, and what is left of a Doc without what denies it."""

import re

import pytest
import spacy

from kgmrca.extraction.relations.evidence import Text

PLACES = re.compile(r"\[([^]]*)\]")


def read(marked):
    """A text in which two mentions are in brackets: what it says, and the characters of both."""
    text = marked.replace("[", "").replace("]", "")
    places = []
    for number, match in enumerate(PLACES.finditer(marked)):
        start = match.start() - 2 * number
        places += [start, start + len(match[1])]
    doc = spacy.blank("en")(text)
    return Text(doc), tuple(places), doc


@pytest.mark.parametrize(
    "marked",
    [
        "Ole did not like [Ulm], where [he] was born.",
        "Ole was never in Metz, but [he] was born in [Ulm].",
        "[Ole] was born in [Ulm].",
        "Ole was not born there. [He] lived in [Ulm].",
    ],
)
def test_a_mention_that_opens_a_clause_states_something_of_its_own(marked):
    text, mentions, _ = read(marked)
    assert text.states_again(mentions)


@pytest.mark.parametrize(
    "marked",
    [
        "Ann thought that [she] came from [Ulm].",
        "Ole did not study at [Ulm University], although [his] brothers did.",
        "Ole was not born in [Ulm], although [he] liked it.",
        "Ole has shelved [his] takeover of [Acme].",
        "[Ole] was not born in [Ulm].",
    ],
)
def test_a_mention_that_repeats_another_one_states_nothing_of_its_own(marked):
    text, mentions, _ = read(marked)
    assert not text.states_again(mentions)


def test_what_denies_is_left_out_but_for_its_first_mention():
    text, mentions, doc = read("Rain fell. It is false that [Ole Dahl] was born in [Ulm]. He moved to Ulm in May.")
    doc.set_ents([doc.char_span(*mentions[:2], label="PER"), doc.char_span(*mentions[2:], label="LOC")])
    doc.spans["coref_clusters_1"] = [doc.char_span(*mentions[:2]), doc[14:15]]
    assert doc[14].text == "He"
    assert not text.states(mentions)
    assert text.is_denying(mentions)
    rest = text.without_denied()
    assert rest.doc.text == "Rain fell. Ole Dahl . He moved to Ulm in May."
    assert [entity.text for entity in rest.doc.ents] == ["Ole Dahl"]
    assert [span.text for span in rest.doc.spans["coref_clusters_1"]] == ["Ole Dahl", "He"]
    he, ulm = (rest.doc.text.index(word) for word in ("He", "Ulm"))
    start, end, first, last = rest.original((he, he + 2, ulm, ulm + 3))
    assert (doc.text[start:end], doc.text[first:last]) == ("He", "Ulm")
    assert start > mentions[3]
