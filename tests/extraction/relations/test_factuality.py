"""Cues by which a sentence denies, plans or only reports what it says of two mentions."""

import pytest

from kgmrca.extraction.relations.factuality import find_factuality


def factuality(text):
    """What is found for the mentions in brackets: "[Ann Lee] met [Bob] ."."""
    words, spans = [], []
    for word in text.split():
        if word.startswith("["):
            spans.append([len(words), 0])
        words.append(word.strip("[]"))
        if word.endswith("]"):
            spans[-1][1] = len(words)
    one, other = spans
    assert find_factuality(words, one, other) == find_factuality(words, other, one)
    return find_factuality(words, tuple(one), tuple(other))


@pytest.mark.parametrize(
    "text",
    [
        "[Ole Dahl] was not born in [Ulm] .",
        "[Ole Dahl] was n't born in [Ulm] .",
        "[Ole Dahl] , who came from a poor family , never worked for [Acme] .",
        "[Ole Dahl] was never , as some believe , the mayor of [Ulm] .",
        "[Ole Dahl] no longer lives in [Ulm] .",
        "It is not true that [Ole Dahl] was born in [Ulm] .",
        "It is a myth that [Ole Dahl] built [Ulm Castle] .",
        "There is no evidence whatsoever that [Ole Dahl] was married to [Ida Krag] .",
        "The minister denied that [Ole Dahl] was employed by [Acme] .",
        "[Ole Dahl] denied having worked for [Acme] .",
        "The rumour that [Acme] bought [Vardal] proved to be false .",
        "[Ole Dahl] refused to join [the Green Party] .",
        "[Acme] failed to buy [Vardal] .",
        "Neither [Ole Dahl] nor his brother played for [Vardal] .",
        "Neither his brother nor [Ole Dahl] played for [Vardal] .",
        "[Ole Dahl] was born in Bremen , not [Hamburg] .",
        "[Ole Dahl] was born in Bremen and not in [Hamburg] .",
        "[Ole Dahl] was born not in [Hamburg] but in Bremen .",
        "[Ole Dahl] chose Acme rather than [Vardal] .",
        "Instead of [Vardal] he chose [Acme] .",
        "Rather than marry [Ida Krag] , [Ole Dahl] went to sea .",
        "It was not [Ole Dahl] who wrote [The Mill] .",
        "[Ole Dahl] died without ever having seen [Rome] .",
        "At no time did [Ole Dahl] own [Acme] .",
        "[Ole Dahl] can not have been born in [Ulm] .",
    ],
)
def test_denied(text):
    assert factuality(text) == "denied"


@pytest.mark.parametrize(
    "text",
    [
        "[Acme] plans to buy [Vardal] .",
        "[Acme] is in talks with the owners about a takeover of [Vardal] .",
        "[Ole Dahl] will marry [Ida Krag] in June .",
        "[Ole Dahl] is set to become president of [Austria] .",
        "[Ole Dahl] wants to study at [Ulm University] .",
        "[Ole Dahl] would have directed [The Mill] .",
        "If [Ole Dahl] joins [Vardal] , many will leave .",
        "[Dahl] to leave [Vardal]",
        "[Ole Dahl] may join [Vardal] .",
    ],
)
def test_planned(text):
    assert factuality(text) == "planned"


@pytest.mark.parametrize(
    "text",
    [
        "[Ole Dahl] was allegedly employed by [Acme] .",
        "[Ole Dahl] is said to have founded [Acme] .",
        "[Ole Dahl] claims to be the son of [Uwe Dahl] .",
        "It is rumoured that [Ole Dahl] married [Ida Krag] .",
        "It is unclear whether [Acme] owns [Vardal] .",
        "Some say [Ole Dahl] wrote [The Mill] .",
        "Was [Ole Dahl] born in [Ulm] ?",
        "Perhaps [Ole Dahl] was born in [Ulm] .",
    ],
)
def test_reported(text):
    assert factuality(text) == "reported"


@pytest.mark.parametrize(
    "text",
    [
        "[Ole Dahl] was born in [Ulm] .",
        "[Ole Dahl] was not only born in [Ulm] but also died there .",
        "No one doubts that [Ole Dahl] was born in [Ulm] .",
        "Nobody denies that [Ole Dahl] founded [Acme] .",
        "There is no doubt that [Ole Dahl] founded [Acme] .",
        "It is not disputed that [Ole Dahl] founded [Acme] .",
        "[Ole Dahl] was born in [Bremen] , not Hamburg .",
        "[Ole Dahl] was born not in Hamburg but in [Bremen] .",
        "[Ole Dahl] , not yet twenty , joined [Vardal] .",
        "[Ole Dahl] , who never married , works for [Acme] .",
        "[Ole Dahl] could not have been prouder of his time at [Acme] .",
        "[Ole Dahl] was not rich , but he owned [Acme] .",
        "Although it was not easy , [Ole Dahl] founded [Acme] .",
        "[Ole Dahl] joined [Acme] , although he did not like it .",
        "[Ole Dahl] did not stay in Ulm and moved to [Bremen] .",
        "[Ole Dahl] did not join Acme until he left [Vardal] .",
        "[Ole Dahl] was born on 3 May 1901 in [Ulm] .",
        "[Ole Dahl] moved from Ulm to [Bremen] .",
        "[The Mill] is set in [Ulm] .",
        "Instead of Vardal , [Ole Dahl] chose [Acme] .",
        "[Ole Dahl] no longer lives in [Ulm] , where he was born .",
        "His will names [Ole Dahl] as the owner of [Acme] .",
        "None other than [Ole Dahl] directed [The Mill] .",
    ],
)
def test_stated(text):
    assert factuality(text) is None


def test_capitals_make_no_difference():
    assert factuality("[OLE DAHL] WAS NOT BORN IN [ULM] .") == "denied"


def test_only_the_sentence_with_both_is_read():
    assert factuality("Ann was not born there . [Ole Dahl] was born in [Ulm] . He never left .") is None
    assert factuality("It rained . [Ole Dahl] was not born in [Ulm] . He left .") == "denied"
    assert factuality("[Ole Dahl] never smiled . He was born in [Ulm] .") is None


def test_white_space_among_the_words_makes_no_difference():
    words = ["Ole", "\n", "was", "not", " ", "only", "a", "baker", "in", "\n\n", "Ulm", "."]
    assert find_factuality(words, (0, 1), (10, 11)) is None


def test_mentions_that_overlap_have_no_cue():
    assert find_factuality(["not", "Ann", "Lee"], (1, 3), (2, 3)) is None


def test_long_sentences_take_no_time():
    words = ["not", "said", "that", "and", ","] * 20
    words[0] = words[-1] = "Ann"
    assert find_factuality(words, (0, 1), (len(words) - 1, len(words))) in (None, "denied")
