"""Tells from the words of a sentence that it does not state a relation: denied, planned, or only reported.

This is done with cues and the stretch of words that each concerns, as NegEx (Chapman et al. 2001, "A Simple Algorithm
for Identifying Negated Findings and Diseases in Discharge Summaries") and ConText (Harkema et al. 2009) do it. In their
terms, *pseudo-negations* ("not only") are no cues, *pre-negations* ("never", "no evidence that") concern what follows,
*post-negations* ("is a myth") concern what stands before, and *termination terms* ("but", "although") end what a cue
concerns. Where ConText has "hypothetical", we have "planned" and "reported". There is no spaCy in here.
"""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

__all__ = ["Factuality", "find_factuality"]

Factuality: TypeAlias = Literal["denied", "planned", "reported"]
"""Why a sentence does not state what it talks about."""

_MAX_WORDS = 100  # before, between and behind the mentions
_FINAL = frozenset({".", "!", "?"})
_ONE, _TWO = "@1", "@2"  # the mentions, in the order in which they stand

# What ends the concern of a cue: conjunctions, the start of another clause, a full stop within.
_FINITE = (
    r"(?:is|are|was|were|has|had|have|does|did|do|went|became|took|won|made|left|met|led|gave|began|wrote|came|"
    r"moved|joined|worked|studied|played|married|died|founded|directed|served|lived|signed|bought|returned|also)"
)
_STOPS = (
    r"(?:but|although|though|however|whereas|while|because|until|when|after|before|since|where|despite|nevertheless|"
    rf"and (?:he|she|it|they|who|which|instead|later|then|{_FINITE})|, (?:he|she|it|they|who|which|and|{_FINITE}))"
)
_GAP = rf"(?:(?! {_STOPS} )[^;:?!@]){{0,90}}?"  # some words of one clause; "@" keeps out the mentions
_NEAR = rf"(?:(?! {_STOPS} )[^;:?!@]){{0,45}}?"

_SAID = (
    r"(?:claim|story|report|rumou?r|tale|idea|theory|legend|belief|suggestion|assertion|allegation|notion|"
    r"view|assumption)s?"
)

# Words that look like cues and are none: "not only", "no one doubts that".
_PSEUDO = re.compile(
    r"\b(?:not (?:only|just|merely|simply|solely|least|surprisingly|unexpectedly|to mention|to be confused|"
    r"long (?:after|before)|"
    r"far (?:from|away)|later than|yet \w+ when|unlike|without|uncommon\w*|infrequent\w*)|"
    r"(?:no one|nobody|none|few|hardly anyone|who) (?:ever |could |can |would |will |seriously )*"
    r"(?:doubt|den[yi]|disput|question|contest|challeng)\w*|(?:not|never|hardly|rarely)(?: be| been| seriously)* "
    r"(?:doubt|den[yi]|disput|contest|question|in doubt|in dispute|a secret)\w*|(?:no|without|beyond)(?: any|"
    r" a)?(?: \w+)? doubts?\b(?: whatever)?|"
    r"no (?:sooner|fewer|less|more|later|other|secret|surprise|stranger|wonder|matter|\.)|(?:nobody|none|no one|"
    r"nothing) (?:but|except|other than)|"
    r"(?:nobody|no one|few) (?:remember|know|knew|notic|realis|realiz|forg[eo]t)\w* that|none other|"
    r"could not (?:have been|be) (?:\w+er|more \w+)|can not (?:help|but)|not until|never (?:looked back|again|"
    r"forgot\w*|ceased|stopped)|"
    r"without (?:telling|saying|hesitation|delay|help|much|further|his|her|their|a word)\b|whether or not)"
)
# Words set into a clause, without one of the mentions: between commas, and in brackets or between dashes.
_INSERTED = re.compile(
    r"(?:, (?:who|whose|whom|which|where|although|though|while|when|not|never|no|despite|without|unlike|if|"
    r"as)\b[^,;:@]*,|(?:(?<= not)|(?<= was)|(?<= did)|(?<= has)|(?<= had)) , however ,)"
)
_BRACKETED = re.compile(r" (?:\([^()@]*\)|(?P<dash>--|[-–—]) [^;:?!@]{1,120}? (?P=dash))(?= )")
# What stands between commas behind the first mention and before its verb: ", of King's College, did not".
_ASIDE = re.compile(
    r"(?P<subject>@1(?: (?:jr|sr|of|from|and|or|with)\b[^,;:?!@]{0,40})?) "
    r"(?:, (?:who|which) , [^,;:?!@]*, [^,;:?!@]*|, (?!(?:who|which) ,)[^;:?!@]{1,150}?), "
    rf"(?=(?:{_FINITE}|will|shall|wo|would|could|can|ca|should|may|might|must|never|no longer|not|hardly|"
    r"allegedly|reportedly|supposedly|said to|\w{2,}ed|"
    r"(?:play|live|work|own|make|run|lead|serve|teache|hold|belong|lie|stand|plan|want|hope|intend|refuse|fail|denie|"
    r"decline|reject|claim|seek)s|to [a-z]+) )(?!(?:was|were|is|are|not) (?:@|,))"
)

# "He no longer lives in Metz, where he was born": what stands behind states something of the same two.
_STATED_BEHIND = re.compile(r"@2 , (?:where|which|whom|who) (?:he|she|it|they) (?:was|were|is|had|\w+ed)\b")

_NOT = (
    r"(?:not|never|no longer|neither|nor|fail(?:s|ed|ing)? to|refus(?:es|ed|ing) to|declin(?:es|ed|ing) to|"
    r"unable to|yet to|"
    r"prevented from|barred from|forgot to|without(?: ever)?(?: having)?|rather than|instead of|as opposed to|"
    r"den(?:y|ies|ied|ying)(?: that)?|at no time)"
)
_UNTRUE = (
    r"(?:(?:not true|untrue|false|wrong|a lie|a myth|a legend|not the case|never the case|ruled out|"
    r"no truth in the \w+) that|"
    r"(?:no|little) (?:\w+ )?(?:evidence|proof|signs?|records?|indication|truth)(?: \w+){0,3}? that|"
    r"(?:no|nothing|no record|no source|no document|no register)s? (?:suggests?|shows?|says?|indicates?|"
    r"proves?) that|"
    rf"(?:den(?:y|ies|ied|ying)|disput(?:es|ed|ing)|(?:reject|dismiss|refut|rebut)\w*(?: the)? {_SAID}) that|"
    rf"ca(?:n)? not be that|"
    r"(?:neither|none|nobody|no one)\b)"
)
_REFUTED = (
    r"(?:refuted|disproved|false|untrue|a myth|a legend|nonsense|invent\w+|invention|fiction|wrong|"
    r"without foundation|unfounded|"
    r"withdrawn|not true|baseless|a lie|mistaken|an error)"
)
_VERB = r"(?:is|are|was|were|has|have|had|does|did|do|will|would|can|could)"
_OFFICE = (
    r"(?:offer|job|post|role|invitation|move|place|seat|contract|deal|chair|professorship|scholarship|knighthood|prize|"
    r"award|title|nomination|citizenship|membership|position)s?"
)
_DENIED = [
    rf"@1{_GAP} {_NOT} {_GAP}@2",
    r"\b(?:never|at no (?:time|point|stage)|by no means|in no way|under no circumstances|on no account|not once|"
    rf"no longer|nor|not even once)(?: \w+)? {_VERB} (?:the )?@1{_GAP}@2",
    rf"@1{_GAP} (?:reject(?:s|ed)|turn(?:s|ed) down|declin(?:es|ed)|refus(?:es|ed)|spurn(?:s|ed)|snub(?:s|bed)) "
    rf"(?:(?:the |a |an |his |her |its )?@2|(?:[^\s,;:@]+ ){{0,3}}{_OFFICE} {_NEAR}@2)",
    rf"\b{_VERB} (?:not|never) (?:\w+ ){{1,3}}(?:to|by) @1 (?:, [^;:?!@]{{1,60}}, )?(?:to|by) (?:the )?@2",
    rf"\b{_UNTRUE} {_NEAR}@1{_GAP}@2",
    rf"\b{_SAID} (?:that|of) {_NEAR}@1{_GAP}@2 .*\b{_REFUTED}\b",
    r"\b(?:is|was|were|^|,|and|;) ?not (?:\w+ )?@1 (?:but|who|that|,|and|rather)(?: .*)? @2",
    r"\bneither @1 .*@2",
    r"\bnor @1 .*@2",
    r"\b(?:rather than|instead of|as opposed to) (?:[^\s,;@]+ ){0,8}@1 (?!of |in |at |from |and |or ).*@2",
    r"\bunlike @1 , .*@2",
    r"\bunlike (?:[^\s,;@]+ ){0,3}@2",
]
_PLAN = (
    r"(?:(?<!his )(?<!her )(?<!the )(?<!a )(?<!'s )(?<!last )(?:will|shall|wo not|'ll)(?! continue| remain)|"
    r"would have|was to have|"
    r"(?:plann?|intend|hope|want|wish|aim|prepar|threaten|promis|offer|schedul|expect|attempt|try|tri|appl)(?:s|"
    r"es|ed|ied|ies|d|ing)?(?: \w+ing)? (?:to|for|that)|(?:offer(?:s|ed)?|bid) (?:\S+ ){0,4}for|"
    r"consider(?:s|ed|ing) (?:\w+ing|whether)|(?:is|are) (?:(?:set|due|about|likely|willing|supposed) )?to|"
    r"(?:poised|likely|keen) to|in talks|would like to|"
    r"(?:could|should) have|(?:may|might)(?: not)? (?:be|have|\w+)|"
    r"(?:preparing|prepares?|makes?|made) a(?:n)? (?:\w+ )?(?:bid|offer))"
)
_PLANNED = [
    rf"@1{_GAP} {_PLAN} {_GAP}@2",
    r"^@1 (?:set |due |ready )?to (?!the |a |an )[a-z]+ (?:[^;:?!@]* )?@2",
    r"^@1 (?:eyes|mulls|weighs|considers|seeks|nears) (?:[^;:?!@]* )?@2",
    rf"^(?:only if|if|unless|should|had|suppose|as soon as|in case) {_NEAR}@1{_GAP}@2",
]
_REPORT = (
    r"(?:allegedly|reportedly|supposedly|purportedly|ostensibly|(?:said|rumou?red|alleged|claimed|supposed|"
    r"reputed) to (?:have|be)|"
    r"(?:is|are) (?:believed|thought|reported) to (?:have|be)|claim(?:s|ed|ing) to|(?:pretend|boast)(?:s|ed|"
    r"ing) to|perhaps|possibly)"
)
_DOUBT = (
    r"(?:rumou?rs?|rumou?r has it|rumou?red|alleged|claim(?:s|ed)|unclear|unknown|not known|nobody knows|"
    r"no one knows|doubt(?:s|ed|ful)?|debated|"
    r"say|believe|think|dreamt|dreamed|imagine|suppose|question|wonder(?:s|ed)?|find out|asked|"
    r"verify)(?: \w+)? (?:that|whether|if)"
)
_REPORTED = [
    rf"@1{_GAP} {_REPORT} {_GAP}@2",
    rf"\b(?:allegedly|reportedly|supposedly|perhaps|possibly|maybe) ,? ?{_NEAR}@1{_GAP}@2",
    rf"\b(?:some|many|others) (?:say|believe|think) (?:that )?@1{_GAP}@2",
    rf"\b{_DOUBT} {_NEAR}@1{_GAP}@2",
    rf"@1{_GAP} {_DOUBT} {_GAP}@2",
    rf"\b(?:whether|rumou?r ,|rumou?r has it,?|legend ,|rumou?rs? that|legend that|tale that) {_NEAR}@1{_GAP}@2",
    r"^(?:did|does|do|was|were|is|are|has|had|have|can|could|will|would) (?:the )?@1 .*@2[^@]*\?\W*$",
]
_CUES: list[tuple[Factuality, list[re.Pattern[str]]]] = [
    ("denied", [re.compile(pattern) for pattern in _DENIED]),
    ("planned", [re.compile(pattern) for pattern in _PLANNED]),
    ("reported", [re.compile(pattern) for pattern in _REPORTED]),
]
# A sentence without one of these has no cue: nearly all sentences need no more than this.
_HINTS = re.compile(
    r"\b(?:not|never|no|neither|nor|none|nobody|nothing|fail\w*|refus\w*|declin\w*|spurn\w*|snub\w*|down|unable|yet|prevented|barred|"
    r"without|rather|instead|opposed|"
    r"unlike|den(?:y|ies|ied|ying)|untrue|false|wrong|myth|legend|lie|ruled|disput\w*|reject\w*|dismiss\w*|"
    r"refut\w*|rebut\w*|ca|will|shall|wo|'ll|would|to|"
    r"set|due|about|likely|poised|keen|eyes|mulls|weighs|seeks|nears|"
    r"may|might|consider\w*|if|unless|should|could|as|in case|had|suppose\w*|alleg\w*|"
    r"boast\w*|pretend\w*|reportedly|supposedly|purportedly|ostensibly|perhaps|"
    rf"possibly|maybe|rumou?r\w*|claim\w*|unclear|unknown|doubt\w*|debated|whether|believe|think|say|dream\w*|"
    rf"imagine|question|wonder\w*|asked|appl\w*|offer\w*|{_SAID}|talks|bid)\b|\?"
)
_SAME = {"n't": "not", "n’t": "not", "cannot": "can not", "’ll": "'ll"}
_CONTRACTED = re.compile(r"(?<=\w)n['’]t$")


def find_factuality(words: Sequence[str], one: tuple[int, int], other: tuple[int, int]) -> Factuality | None:
    """Whether a sentence denies, plans or only reports what it says of two mentions.

    >>> find_factuality("Ann Lee was never employed by Acme .".split(), (0, 2), (6, 7))
    'denied'
    >>> find_factuality("Ann Lee , who never married , works for Acme .".split(), (0, 2), (9, 10)) is None
    True

    Args:
        words: of a text; only the sentence with the two mentions is read.
        one, other: first word and end (exclusive) of the mentions, in any order.

    Returns:
        None: the sentence has no cue that concerns both, which does not mean that it states anything; or the mentions
        do not share one.
    """
    (start, middle), (after, end) = sorted((one, other))
    if middle > after or after - middle > _MAX_WORDS or not _FINAL.isdisjoint(words[middle:after]):
        return None
    first = next((n + 1 for n in range(start - 1, max(0, start - _MAX_WORDS), -1) if words[n] in _FINAL), 0)
    first = max(first, start - _MAX_WORDS)
    last = next((n + 1 for n in range(end, min(len(words), end + _MAX_WORDS)) if words[n] in _FINAL), end + _MAX_WORDS)
    before, between, behind = (
        " ".join(_SAME.get(word, word).replace("@", "") for word in _lowered(part))
        for part in (words[first:start], words[middle:after], words[end:last])
    )
    text = " ".join(f"{before} {_ONE} {between} {_TWO} {behind}".split())
    if not _HINTS.search(text):
        return None
    text = " ".join(_BRACKETED.sub(" ", _PSEUDO.sub(" ", text)).split())
    text = " ".join(_INSERTED.sub(" ", _ASIDE.sub(r"\g<subject> ", text)).split())
    if _STATED_BEHIND.search(text):
        return None
    return next((kind for kind, patterns in _CUES if any(pattern.search(text) for pattern in patterns)), None)


def _lowered(words: Sequence[str]) -> list[str]:
    """Words in lower case, but for the month "May"; "WASN'T", which spaCy leaves whole, as two."""
    return [
        "the-month" if word == "May" and place else _CONTRACTED.sub(" not", word.lower())
        for place, word in enumerate(words)
    ]
