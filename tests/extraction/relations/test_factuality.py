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
        "[Ole Dahl] , of Metz College , did not receive [the Vardal Prize] .",
        "[Ole Dahl] of Metz , a painter , did not join [Acme] .",
        "[Ida Krag] ( born 1920 ) , who worked in Metz , never won [the Vardal Prize] .",
        "[Ida Krag] — a chemist from Metz — did n’t study at [Ulm University] .",
        "[Ida Krag] - unlike her sister - never married [Ole Dahl] .",
        "[Ole Dahl] , like his brother Uwe , was not employed by [Acme] .",
        "[Ole Dahl] , together with his wife , Ida , and a few friends , never lived in [Ulm] .",
        "[Ole Dahl] , who is 80 , and who moved to Metz in 1990 , no longer works for [Acme] .",
        '" [Ole Dahl] was born in [Ulm] " is a lie .',
        "“ [Ole Dahl] works for [Acme] ” is simply not true .",
        "That [Ole Dahl] was born in [Ulm] is false .",
        "[Ole Dahl] was born in [Ulm] ? No .",
        "[Acme] bought [Vardal] ? Wrong : it went to Krag Ltd .",
        "Hardly anyone thinks [Ole Dahl] was born in [Ulm] .",
        "Few historians believe that [Ole Dahl] was born in [Ulm] .",
        "Hoax : [Acme] buys [Vardal]",
        "[Ole Dahl] , the owner of Vardal , has not yet bought [Acme] .",
        "[Ole Dahl] , however , was not born in [Ulm] .",
        "[Ole Dahl] was not , however , a member of [the Green Party] .",
        "Although he lived in Metz , [Ole Dahl] was not born in [Ulm] .",
        "Neither Ole Dahl , the mayor , nor [Ida Krag] , his wife , was born in [Ulm] .",
        "[The Mill] , a film of 1999 , was not directed by [Ole Dahl] .",
        "[Ole Dahl] , an engineer by training , died without ever having visited [Rome] .",
        "Never was [Ole Dahl] a member of [the Green Party] .",
        "At no point was [Ole Dahl] , the painter , married to [Ida Krag] .",
        "By no means did [Acme] , a maker of pumps , ever own [Vardal] .",
        "The prize was not awarded to [Ole Dahl] , a chemist , by [Acme] .",
        "[Ole Dahl] , the philosopher , declined [the Vardal Prize] .",
        "[Dahl] rejects [Vardal] job",
        "[Dahl] turns down job at [Vardal]",
        "[OLE DAHL] , THE MAYOR OF METZ , WASN'T BORN IN [ULM] .",
        "Far from being born in [Ulm] , [Ole Dahl] came from Metz .",
        "It was a hoax that [Ole Dahl] was born in [Ulm] .",
        "The lie that [Ole Dahl] was born in [Ulm] was told for years .",
        "It is a mistake to think that [Ole Dahl] was born in [Ulm] .",
        "[Ole Dahl] almost married [Ida Krag] .",
        "[Ole Dahl] nearly joined [Vardal] in 1999 .",
        "[Ole Dahl] came close to joining [Vardal] .",
        "[Acme] was on the verge of buying [Vardal] .",
        "[Ole Dahl] lied that he was born in [Ulm] .",
        "[Ole Dahl] was wrongly said to have been born in [Ulm] .",
        "The newspaper falsely reported that [Ole Dahl] was born in [Ulm] .",
        "The site mistakenly lists [Ole Dahl] as the author of [The Mill] .",
        "Contrary to the belief that [Ole Dahl] was born in [Ulm] , he came from Metz .",
        "In no sense was [Ole Dahl] a member of [the Green Party] .",
        "[Ole Dahl] was anything but a member of [the Green Party] .",
        "Nowhere is it written that [Ole Dahl] was born in [Ulm] .",
        "[Ole Dahl] avoided joining [the Green Party] .",
        "[Acme] has dropped its plan to buy [Vardal] .",
        "[Ole Dahl] was born in [Ulm] , but this is not true .",
        "[Ole Dahl] was married to [Ida Krag] , which he denies .",
        "There is little evidence that [Ole Dahl] met [Ida Krag] .",
        "[Ole Dahl] was born in [Ulm] , but the family contests this .",
        "[Ole Dahl] owns [Acme] , but the paper retracted this .",
        "[Ole Dahl] was born in [Ulm] , which was disproved .",
        "[Ole Dahl] was born in [Ulm] , but it is fiction .",
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
        "[Acme] , a maker of pumps , plans to buy [Vardal] .",
        "[Ole Dahl] ( 54 ) , the head of Vardal , will become chairman of [Acme] .",
        "[Ole Dahl] , who has led Vardal since 2001 , is to marry [Ida Krag] in June .",
        "[Dahl] to leave [Vardal] board",
        "[Dahl] set to join [Vardal]",
        "[Dahl] eyes [Vardal] job",
        "Had [Ole Dahl] been born in [Ulm] , he would be rich .",
        "Had Ole Dahl been born in Ulm , [he] would have been a citizen of [Austria] .",
        "Were [Ole Dahl] married to [Ida Krag] , she would be rich .",
        "[Ole Dahl] would have been born in [Ulm] but for the war .",
        "She would be rich if [Ole Dahl] owned [Acme] .",
        "If only [Ole Dahl] had married [Ida Krag] !",
        "[Ole Dahl] wished he had been born in [Ulm] .",
        "[Ole Dahl] dreamed of playing for [Vardal] .",
        "[Ole Dahl] is going to marry [Ida Krag] .",
        "[Ole Dahl] hopes one day to work for [Acme] .",
        "[Acme] was about to buy [Vardal] .",
        "[Ole Dahl] 'll join [Acme] .",
        "[Acme] hopes for a merger with [Vardal] .",
        "[Acme] is aiming for a stake in [Vardal] .",
        "[Acme] expects that [Vardal] sells .",
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
        "[Ole Dahl] , a painter from Metz , allegedly worked for [Acme] .",
        "[Ole Dahl] - the son of a baker - is said to have founded [Acme] .",
        "Legend has it that [Ole Dahl] was born in [Ulm] .",
        "The rumour that [Ole Dahl] was born in [Ulm] will not die .",
        "Who says that [Ole Dahl] was born in [Ulm] ?",
        "[Ole Dahl] was born in [Ulm] , was n't he ?",
        "Rumor : [Ole Dahl] born in [Ulm] !",
        "Some claim that [Ole Dahl] was born in [Ulm] .",
        "Several historians suggest that the painter [Ole Dahl] was born in [Ulm] .",
        "[Ole Dahl] was born in [Ulm] ?",
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
        "[Ole Dahl] , of [Metz College] , did not receive the Vardal Prize .",
        "[Ole Dahl] – born in [Ulm] – never returned there .",
        "[Ole Dahl] ( born in [Ulm] ) never played for Vardal .",
        "[Ole Dahl] , the owner of [Vardal] , has not yet bought Acme .",
        "[Ida Krag] — a chemist who did not like Metz — studied at [Ulm University] .",
        "[Ole Dahl] – he failed to finish school – was the head of [Acme] .",
        "[Ole Dahl] , a man who never smiled , composed [The Mill] .",
        "[Ole Dahl] , not a rich man , was a member of [the Green Party] .",
        "[Ole Dahl] , unlike his brother Uwe , was employed by [Acme] .",
        "[Ole Dahl] , who , as it happens , did not vote , is a citizen of [Austria] .",
        "[Ole Dahl] , a painter , did not stay in Metz and moved to [Bremen] .",
        "[Ole Dahl] , born in Ulm , did not marry Ida Krag , but he worked for [Acme] .",
        "[Ole Dahl] , without ever having seen the sea , directed [The Mill] .",
        "[Ole Dahl] ( who will turn 80 in June ) founded [Acme] .",
        "[Ole Dahl] , allegedly a spy , was born in [Ulm] .",
        "[Acme] , which plans to build pumps , bought [Vardal] .",
        "[Ole Dahl] rejected the advice of his father , [Uwe Dahl] .",
        "[Dahl] takes [Vardal] job",
        "Although he was not born in Metz , [Ole Dahl] lived in [Ulm] .",
        "Never a good pupil , [Ole Dahl] became a member of [the Green Party] .",
        "[OLE DAHL] , WHO NEVER MARRIED , WAS BORN IN [ULM] .",
        "[Ole Dahl] refused to speak about his wife , [Ida Krag] .",
        "[Ole Dahl] failed to persuade his second wife [Ida Krag] to leave .",
        "[Ole Dahl] did not marry [Ida Krag] until 1920 .",
        "It was not until 1920 that [Ole Dahl] married [Ida Krag] .",
        "No sooner had [Ole Dahl] married [Ida Krag] than the war began .",
        "[Ole Dahl] was almost forty when he married [Ida Krag] .",
        "Nearly blind , [Ole Dahl] lived in [Ulm] .",
        "[Ole Dahl] worked for almost ten years for [Acme] .",
        "[Ole Dahl] , far from rich , was born in [Ulm] .",
        "[Ole Dahl] was born in [Ulm] , not far from Metz .",
        "[Ole Dahl] will always be remembered as the director of [The Mill] .",
        "If [Ole Dahl] is famous , it is because he directed [The Mill] .",
        "Had he not been ill , [Ole Dahl] , who was born in [Ulm] , would have travelled .",
        "[Ole Dahl] was going to school in [Ulm] .",
        "There is no question that [Ole Dahl] was born in [Ulm] .",
        "[Ole Dahl] was beyond question born in [Ulm] .",
        "A few historians met when [Ole Dahl] was born in [Ulm] .",
        "[Ole Dahl] was born in [Ulm] . No one came .",
        "Uwe 's friend [Ole Dahl] was born in [Ulm] and his diary was false .",
        "[Ole Dahl] was married to [Ida Krag] until 1990 .",
        "[Ole Dahl] met his former wife , [Ida Krag] .",
    ],
)
def test_stated(text):
    assert factuality(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Unlike Uwe Krag , who was born in [Metz] , [Ole Dahl] was born in Ulm .",
        "Like Uwe Krag , who was born in [Metz] , [Ole Dahl] was born in Ulm .",
        "[Ole Dahl] was born in Ulm , unlike Uwe Krag , who was born in [Metz] .",
        "While Uwe Krag was born in [Metz] , [Ole Dahl] was born in Ulm .",
        "While [Uwe Krag] was born in Metz , Ole Dahl was born in [Ulm] .",
        "Uwe Krag was born in [Metz] , while [Ole Dahl] was born in Ulm .",
        "[Uwe Krag] was born in Metz , whereas Ole Dahl was born in [Ulm] .",
        "Uwe Krag works for [Acme] ; [Ole Dahl] , by contrast , works for Vardal .",
    ],
)
def test_what_is_said_of_one_of_two_that_are_compared_is_not_said_of_the_other(text):
    assert factuality(text) == "compared"


@pytest.mark.parametrize(
    "text",
    [
        "Unlike [Uwe Krag] , who was born in [Metz] , Ole Dahl was born in Ulm .",
        "Unlike Uwe Krag , who was born in Metz , [Ole Dahl] was born in [Ulm] .",
        "While [Uwe Krag] was born in [Metz] , Ole Dahl was born in Ulm .",
        "While Uwe Krag was born in Metz , [Ole Dahl] was born in [Ulm] .",
        "While [Ole Dahl] was born in Metz , he grew up in [Ulm] .",
        "While in [Metz] , [Ole Dahl] worked for Acme .",
        "While working for [Acme] , [Ole Dahl] lived in Ulm .",
        "[Ole Dahl] lived in [Ulm] while Ida Krag worked in Metz .",
        "Unlike her sister , [Ida Krag] was born in [Ulm] .",
        "Like Uwe Krag , [Ole Dahl] was born in [Ulm] .",
    ],
)
def test_what_is_said_of_each_of_two_that_are_compared_is_stated(text):
    assert factuality(text) is None


def test_one_that_is_unlike_another_has_not_what_the_other_has():
    assert factuality("Unlike [Uwe Krag] , Ole Dahl was born in [Ulm] .") == "denied"
    assert factuality("Unlike [Uwe Krag] , who was born in Metz , Ole Dahl was born in [Ulm] .") == "denied"
    assert factuality("Ole Dahl , unlike [Uwe Krag] , was born in [Ulm] .") == "denied"


@pytest.mark.parametrize(
    "text",
    [
        "[Ole Dahl] was born in [Ulm] . That is not true .",
        "[Ole Dahl] was born in [Ulm] . This turned out to be a hoax .",
        "Some wrote that [Ole Dahl] was married to [Ida Krag] . Dahl denies this .",
        "[Ole Dahl] works for [Acme] , the paper wrote . The report proved to be false .",
        "According to one paper , [Ole Dahl] works for [Acme] . The minister has always denied it .",
    ],
)
def test_the_next_sentence_takes_it_back(text):
    assert factuality(text) == "denied"


@pytest.mark.parametrize(
    "text",
    [
        "[Ole Dahl] was born in [Ulm] . That is true .",
        "[Ole Dahl] was born in [Ulm] . He denied that he had stolen the money .",
        "[Ole Dahl] , who was born in [Ulm] , is said to have stolen the money . He denies this .",
        "[Ole Dahl] was born in [Ulm] . He was not happy there .",
        "[Ole Dahl] was born in [Ulm] . It was wrong to leave .",
    ],
)
def test_the_next_sentence_is_about_something_else(text):
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
