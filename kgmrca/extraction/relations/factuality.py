"""Tells from the words of a sentence that it does not state a relation: denied, planned, reported, or of another.

This is done with cues and the stretch of words that each concerns, as NegEx (Chapman et al. 2001, "A Simple Algorithm
for Identifying Negated Findings and Diseases in Discharge Summaries") and ConText (Harkema et al. 2009) do it. In their
terms, *pseudo-negations* ("not only") are no cues, *pre-negations* ("never", "no evidence that") concern what follows,
*post-negations* ("is a myth") concern what stands before, and *termination terms* ("but", "although") end what a cue
concerns. Where ConText has "hypothetical", we have "planned" and "reported". There is no spaCy in here.

What has held and ended is stated ("was married until 1990", "his former wife"), as Wikidata keeps it with an end time.
Only "no longer" and "not any more" are "denied", because they say what does not hold. What a novel says of its
characters is stated, as Wikidata states it too. The cues are English: they are for English texts only.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

__all__ = ["Factuality", "find_factuality", "sentence_of"]

Factuality: TypeAlias = Literal["denied", "planned", "reported", "compared"]
"""Why a sentence does not state that two are related; "compared": each of them is in another clause of a contrast."""

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
    r"(?:(?:claim|report|rumou?r|tale|idea|legend|belief|suggestion|assertion|allegation|notion|"
    r"view|assumption|statement|gossip|article)s?|stor(?:y|ies)|theor(?:y|ies))"
)
_LIE = (
    r"(?:hoax|lie|myth|falsehood|fabrication|misconception|fallacy|fairy tale|slander|canard|delusion|misunderstanding|"
    r"error|mistake)(?:e?s)?"
)
_WRONGLY = r"(?:falsely|wrongly|mistakenly|erroneously|incorrectly|untruthfully|inaccurately)"
_WRONG = r"(?:false|wrong|erroneous|mistaken|incorrect|baseless|unfounded|untrue|bogus|fake|misleading)"

# Words that look like cues and are none: "not only", "no one doubts that".
_PSEUDO = re.compile(
    r"\b(?:not (?:only|just|merely|simply|solely|least|surprisingly|unexpectedly|to mention|to be confused|"
    r"long (?:after|before)|"
    r"far (?:from|away)|later than|yet \w+ when|unlike|without|uncommon\w*|infrequent\w*)|"
    r"(?:no one|nobody|none|few|hardly anyone|who) (?:ever |could |can |would |will |seriously )*"
    r"(?:doubt|den[yi]|disput|question|contest|challeng)\w*|(?:not|never|hardly|rarely)(?: be| been| seriously)* "
    r"(?:doubt|den[yi]|disput|contest|question|in doubt|in dispute|a secret)\w*|(?:no|without|beyond)(?: any|"
    r" a)?(?: \w+)? doubts?\b(?: whatever)?|"
    r"(?:(?:no|without) (?:\w+ )?question|beyond (?:any |all )?question)(?= that| ,|$)|"
    r"no (?:sooner|fewer|less|more|later|other|secret|surprise|stranger|wonder|matter|\.)|(?:nobody|none|no one|"
    r"nothing) (?:but|except|other than)|"
    r"(?:nobody|no one|few) (?:remember|know|knew|notic|realis|realiz|forg[eo]t)\w* that|none other|"
    r"could not (?:have been|be) (?:\w+er|more \w+)|can not (?:help|but)|not until|never (?:looked back|again|"
    r"forgot\w*|ceased|stopped)|"
    r"without (?:telling|saying|hesitation|delay|help|much|further|his|her|their|a word)\b|whether or not)"
)
# Words set into a clause, without one of the mentions: between commas, and in brackets or between dashes.
_INSERTED = re.compile(
    r"(?:, (?:who|whose|whom|which|where|although|though|while|when|not|never|no|despite|without|if|as|"
    r"unlike(?![^,;:@]* , who\b))\b[^,;:@]*,|(?:(?<= not)|(?<= was)|(?<= did)|(?<= has)|(?<= had)) , however ,)"
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
# What a cue leaves as it is: "he refused to name his wife , Ann", "he did not marry Ann until 1920", "no sooner had he
# married Ann than".
_KIN = (
    r"(?:wife|husband|spouse|partner|fianc[ée]e?|father|mother|parent|son|daughter|child|brother|sister|twin|"
    r"uncle|aunt|"
    r"nephew|niece|cousin|grand\w+|half-\w+|step\w+|employer|subsidiary|founder|owner|home ?town|birthplace|capital)"
)
_PRESUPPOSED = re.compile(
    rf"(?<!\bwas )(?<!\bis )(?<!\bnot )(?<!\bbe )(?<!\bbecame )\b(?:his|her|its|their) (?:[a-z-]+ ){{0,2}}{_KIN}"
    r"(?: ,|(?: town| city)? of)? @2|"
    r"\b(?:not|never) [^,;:?!@]*@2 (?:[^\s,;:?!@]+ ){0,4}until\b|\bnot until\b|"
    r"^(?:and |but )?(?:no sooner|hardly|scarcely|barely) (?:had|did|was|were) @1"
)

_NOT = (
    r"(?:not|never|no longer|neither|nor|fail(?:s|ed|ing)? to|refus(?:es|ed|ing) to|declin(?:es|ed|ing) to|"
    r"unable to|yet to|"
    r"prevented from|barred from|forgot to|stopped short of|anything but|(?<!not )far from (?:ever )?(?:being|"
    r"having|becoming|"
    r"joining|marrying|working|owning|living|playing|winning|founding|writing|leaving|supporting)|"
    r"(?:came|come|comes|coming|was|were|is|are) (?:very |so )?(?:close|near) to (?:being|\w+ing)|"
    r"on the (?:verge|brink|cusp) of|(?:missed|lost) out on|narrowly missed|"
    r"(?:avoid|resist|escap|evad)(?:s|es|ed|ing) (?:being|having|\w+ing)|"
    rf"(?:almost|nearly) (?:\w{{2,}}ed|be(?:en|ing|came)|born|bought|sold|{_FINITE})|"
    r"(?:drop|shelve|abandon|cancel|scrap|withdr[ae]w|call(?:s|ed)? off|g[ia]ve(?:s|n)? up)(?:s|d|ed|ped|ped|"
    r"led|ping|n)? "
    r"(?:his|her|its|their|the|a|an|any|all) (?:\w+ ){0,3}(?:plan|bid|takeover|offer|purchase|acquisition|"
    r"merger|wedding|"
    r"attempt|engagement|application)s?|"
    r"l(?:ied|ies|ying) (?:that|about)|without(?: ever)?(?: having)?|rather than|instead of|as opposed to|"
    r"den(?:y|ies|ied|ying)(?: that)?|at no time)"
)
_UNTRUE = (
    r"(?:(?:not true|untrue|false|wrong|a legend|nonsense|not the case|never the case|ruled out|l(?:ied|ies|ying)|"
    rf"no truth in the \w+|{_LIE}|{_LIE} to (?:say|claim|think|believe)|{_WRONG} {_SAID}|"
    rf"nowhere [^,;:?!@]{{1,30}}) that|"
    rf"{_WRONG} {_SAID} of|"
    r"(?:no|little) (?:\w+ )?(?:evidence|proof|signs?|records?|indication|truth)(?: \w+){0,3}? that|"
    r"(?:no|nothing|no record|no source|no document|no register)s? (?:suggests?|shows?|says?|indicates?|"
    r"proves?) that|"
    rf"(?:den(?:y|ies|ied|ying)|disput(?:es|ed|ing)|(?:reject|dismiss|refut|rebut)\w*(?: the)? {_SAID}) that|"
    rf"ca(?:n)? not be that|"
    r"(?:neither|none|nobody|no one)\b|"
    r"(?:(?:hardly|scarcely|barely) any(?:one|body)?|(?<!a )few)(?: (?:people|scholars|historians|critics))? "
    r"(?:think|thought|believ|claim|say|said|suppos|assum|accept)\w*)"
)
_REFUTED = (
    r"(?:refuted|disproved|false|untrue|a myth|a legend|nonsense|invent\w+|invention|fiction|wrong|"
    r"without foundation|unfounded|"
    r"withdrawn|not true|baseless|a lie|mistaken|an error)"
)
_STATES = (
    r"(?:\w+ ){0,2}(?:stat|say|said|sa(?:y|id)|claim|list|nam|identif|credit|attribut|describ|report|believ|"
    r"assum|think|"
    r"thought|suggest|assert|call|giv|gave|record|insist|label|present|quot|cit|regard|suppos|hold|held)\w*"
)
_UNLIKE = r"(?:unlike|in contrast (?:to|with)|as distinct from)"
# What takes back all that was said before.
_FIRMLY = r"(?:(?:has|have|had) )?(?:(?:always|firmly|strongly|flatly|categorically|since|later|both|repeatedly) )*"
_DENIAL = (
    rf"(?:[^,;:?!]{{1,40}} {_FIRMLY}(?:den(?:y|ies|ied)|disput(?:es?|ed)|reject(?:s|ed)?|refut(?:es?|ed)|"
    rf"dismiss(?:es|ed)?|"
    rf"contest(?:s|ed)?|retract(?:s|ed)?|debunk(?:s|ed)?) (?:this|that|it|them|these|(?:the|this|that|these|"
    rf"those|all) {_SAID}|"
    r"all (?:this|that|of this|of it)) ?(?:[.!,;]|$)|which [^,;:?!]{1,30} (?:denies|denied|disputes|"
    r"disputed) ?(?:[.!,;]|$)|"
    rf"(?:this|that|it|which|(?:the|this|that) {_SAID}) "
    r"(?:(?:is|was|were|are|has|have|had|been|turned|turns|out|to|be|proved|proven|proves|later|soon|all|however|"
    rf"simply|just|quite|entirely|of|course) )+(?:not (?:so|correct|right|the case)|incorrect|hoax|{_WRONG}|denied|"
    rf"{_REFUTED}|an? {_LIE}) ?(?:[.!,;]|$)|(?:none|nothing) of (?:this|it|that) (?:is|was) true)"
)
_QUOTE = r"(?:[\"“”„«»'‘’`]+)"
_ANSWERED = re.compile(rf"^(?:{_QUOTE} )?(?:no|nope|wrong|false|never|not at all|of course not)\b")
_NEXT = re.compile(rf"^(?:{_QUOTE} )?(?:(?:but|yet|however|in fact|in truth) (?:, )?)?{_DENIAL}")
# What is taken back by the next sentence: the one thing that a sentence says, or what it says that somebody said.
_RETRACTABLE = [
    rf"^[^,;:?!@]{{0,60}}@1{_GAP} @2 [^,;:?!@]*[.!]?$",
    rf"\b(?:wr[io]te\w*|written|sa(?:y|ys|id)|claim\w*|report\w*|alleg\w*|suggest\w*|t[eo]ld?|stat(?:es?|ed)|"
    rf"believ\w*|th[io]\w+|assum\w*|{_SAID})(?: \w+)? that {_NEAR}@1{_GAP} @2",
    rf"^{_NEAR}@1{_GAP} @2 [^;:?!@]*, [^;:?!@]*(?:wrote|writes?|said|says|say|claim\w*|report\w*|according to)\b",
    rf"^(?:according to|as) [^,;:?!@]{{1,60}} , {_NEAR}@1{_GAP} @2",
]
_VERB = r"(?:is|are|was|were|has|have|had|does|did|do|will|would|can|could)"
_OFFICE = (
    r"(?:offer|job|post|role|invitation|move|place|seat|contract|deal|chair|professorship|scholarship|knighthood|prize|"
    r"award|title|nomination|citizenship|membership|position)s?"
)
_DENIED = [
    rf"@1{_GAP} {_NOT} {_GAP}@2",
    r"\b(?:never|at no (?:time|point|stage)|by no means|in no (?:way|sense|respect)|not for a moment|"
    r"under no circumstances|on no account|not once|"
    rf"no longer|nor|not even once)(?: \w+)? {_VERB} (?:the )?@1{_GAP}@2",
    rf"@1{_GAP} (?:reject(?:s|ed)|turn(?:s|ed) down|declin(?:es|ed)|refus(?:es|ed)|spurn(?:s|ed)|snub(?:s|bed)) "
    rf"(?:(?:the |a |an |his |her |its )?@2|(?:[^\s,;:@]+ ){{0,3}}{_OFFICE} {_NEAR}@2)",
    rf"\b{_VERB} (?:not|never) (?:\w+ ){{1,3}}(?:to|by) @1 (?:, [^;:?!@]{{1,60}}, )?(?:to|by) (?:the )?@2",
    rf"\b{_UNTRUE} {_NEAR}@1{_GAP}@2",
    r"\bcontrary to [^,;:?!@]{0,60}\bthat [^,;:?!@]{0,45}@1 [^;:?!@]*@2",
    rf"\b{_WRONGLY} {_STATES} {_NEAR}@1{_GAP}@2",
    rf"@1{_GAP} {_WRONGLY} {_STATES} {_GAP}@2",
    r"\bfar from (?:ever )?(?:being|having|\w{3,}ing) [^,;:?!@]{0,45}@1 , [^;:?!]*@2",
    rf"@1{_GAP} @2 (?:[^;:?!@]* )?(?:,|;|-|--|[–—]) (?:but |though |although |yet |and )?{_DENIAL}",
    rf"\b{_SAID} (?:that|of) {_NEAR}@1{_GAP}@2 .*\b{_REFUTED}\b",
    rf"(?:(?<!\S){_QUOTE}|^that) {_NEAR}@1{_GAP} @2 [^;:?!@]{{0,30}}?(?:is|was|are|were) (?:\w+ly |just |of course )?"
    rf"(?:an? (?:\w+ )?{_LIE}|{_WRONG}|nonsense|not true|not the case)\b",
    rf"^(?:fake news|hoax|myth|lie|wrong|false) (?::|-|--|[–—]) {_NEAR}@1{_GAP}@2",
    r"\b(?:is|was|were|^|,|and|;) ?not (?:\w+ )?@1 (?:but|who|that|,|and|rather)(?: .*)? @2",
    r"\bneither @1 .*@2",
    r"\bnor @1 .*@2",
    r"\b(?:rather than|instead of|as opposed to) (?:[^\s,;@]+ ){0,8}@1 (?!of |in |at |from |and |or ).*@2",
    rf"\b{_UNLIKE} @1 (?!(?:, )?(?:who|which|whose|where)\b[^,;]*@2).*@2",
    rf"\b{_UNLIKE} (?:[^\s,;@]+ ){{0,3}}@2",
]
# The mentions are in two clauses that are set against each other: "while Ann was born in Ulm , Bob was born in Metz".
_OWN_CLAUSE = r"(?:who|which|whose|where|born)"
_NO_CLAUSE = r"(?:in|at|on|with|under|still|not|never|a|an|also|[a-z]+ing|once|there|abroad)"
_PRONOUN = r"(?:he|she|it|they|his|her|its|their|who|which)"
_COMPARED = [
    rf"\b(?:{_UNLIKE}|like|just as) [^,;:?!@]{{1,60}} , {_OWN_CLAUSE} [^,;:?!@]*@1[^,;:?!@]* , [^;:?!]*@2",
    rf"@1 .*\b(?:{_UNLIKE}|like) [^,;:?!@]{{1,60}} , {_OWN_CLAUSE} [^;:?!@]*@2",
    rf"^(?:while|whereas) (?!{_NO_CLAUSE} )[^,;:?!@]*@1 [^,;:?!@]*, (?!{_PRONOUN} )[^;:?!@]*@2",
    rf"@1 [^;:?!@]*, (?:(?:but|and) )?while (?!(?:{_NO_CLAUSE}|{_PRONOUN}) )[^;:?!@]*@2",
    r"@1 [^;:?!@]*\bwhereas [^;:?!@]*@2",
    r"@1 .*; .*@2 .*\b(?:by|in) contrast\b|@1 .*; .*\b(?:(?:by|in) contrast|on the other hand|conversely)\b.*@2",
]
_PLAN = (
    r"(?:(?<!his )(?<!her )(?<!the )(?<!a )(?<!'s )(?<!last )(?:will|shall|wo not|'ll)(?! continue| remain|"
    r" always| forever"
    r"| (?:long |best )?be (?:best )?(?:remembered|known|missed))|"
    r"would have|was to have|"
    r"(?:plann?|intend|hope|want|wish|aim|prepar|threaten|promis|offer|schedul|expect|attempt|try|tri|appl)(?:s|"
    r"es|ed|ied|ies|d|ing)?(?: (?:\w+ing|\w+ly|one day|some day|soon|also|now|still|again))? (?:to|for|that)|"
    r"wish(?:es|ed|ing)?|(?:dream(?:s|ed|t|ing)?|fantasi[sz]\w+) (?:of|about)|(?:long|yearn)(?:s|ed|ing)? (?:to|for)|"
    r"going to(?! (?:school|church|work|college|university|sea|war|bed|the|a|an|@.) )|"
    r"(?:was|were) (?:set|due|about|supposed|meant|scheduled) to|(?:offer(?:s|ed)?|bid) (?:\S+ ){0,4}for|"
    r"consider(?:s|ed|ing) (?:\w+ing|whether)|(?:is|are) (?:(?:set|due|about|likely|willing|supposed) )?to|"
    r"(?:poised|likely|keen) to|in talks|would like to|"
    r"(?:could|should) have|(?:may|might)(?: not)? (?:be|have|\w+)|"
    r"(?:preparing|prepares?|makes?|made) a(?:n)? (?:\w+ )?(?:bid|offer))"
)
_PLANNED = [
    rf"@1{_GAP} {_PLAN} {_GAP}@2",
    r"^@1 (?:set |due |ready )?to (?!the |a |an )[a-z]+ (?:[^;:?!@]* )?@2",
    r"^@1 (?:eyes|mulls|weighs|considers|seeks|nears) (?:[^;:?!@]* )?@2",
    r"^(?:only if|if only|if|unless|should|had|were|suppose|as soon as|in case) (?!not |any |ever )[^,;:?!@]{0,45}@1"
    rf"{_GAP}@2",
    rf"\b(?:if|unless|as if|as though|in case) (?!not |any |ever )[^,;:?!@]{{0,45}}@1{_GAP}@2",
    r"^(?:if|had|were|should|unless) [^;:?!]*@1[^;:?!]*, [^;:?!]*\bwould [^;:?!]*@2",
    r"\bwould [^;:?!]*\b(?:had|were) @1 [^;:?!]*@2",
    rf"\bwish(?:es|ed)?(?: that)? [^,;:?!@]{{0,20}}@1{_GAP}@2",
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
    r"\b(?:some|many|others|several)(?: (?:of \w+|people|scholars|historians|sources|critics|authors|writers))? "
    r"(?:say|said|believed?|think|thought|claim(?:ed)?|argued?|suggest(?:ed)?|assert(?:ed)?|speculated?|allege|"
    rf"insist|maintain|suspect(?:ed)?) (?:that )?{_NEAR}@1{_GAP}@2",
    rf"^(?:(?:unconfirmed|old|latest|new) )?(?:rumou?rs?|gossip|speculation|claims?|legend|unconfirmed) "
    rf"(?::|-|--|[–—]) {_NEAR}@1{_GAP}@2",
    rf"^(?:so |and |really , )?(?:the )?@1{_GAP} @2 [^,;:?!@]{{0,40}}\?",
    rf"\b{_DOUBT} {_NEAR}@1{_GAP}@2",
    rf"@1{_GAP} {_DOUBT} {_GAP}@2",
    rf"\b(?:whether|(?:rumou?r|legend|gossip|tradition) (?:,|ha[sd] it(?: that| ,)?)|(?:rumou?rs?|legend|tale|"
    rf"gossip) that|"
    rf"who (?:says?|said|claims?|told you) that) {_NEAR}@1{_GAP}@2",
    r"^(?:did|does|do|was|were|is|are|has|had|have|can|could|will|would) (?:the )?@1 .*@2[^@]*\?\W*$",
    rf"@1 .*@2 .*, {_VERB} (?:not )?(?:he|she|it|they) \?",
]
_CUES: list[tuple[Factuality, list[re.Pattern[str]]]] = [
    ("denied", [re.compile(pattern) for pattern in _DENIED]),
    ("planned", [re.compile(pattern) for pattern in _PLANNED]),
    ("reported", [re.compile(pattern) for pattern in _REPORTED]),
    ("compared", [re.compile(pattern) for pattern in _COMPARED]),
]
_RETRACTED = [re.compile(pattern) for pattern in _RETRACTABLE]
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
    first, last = sentence_of(words, start, end)
    before, between, behind = map(_plain, (words[first:start], words[middle:after], words[end:last]))
    text = " ".join(f"{before} {_ONE} {between} {_TWO} {behind}".split())
    behind = _plain(words[last : _sentence_end(words, last)])
    if _NEXT.match(behind) and any(pattern.search(text) for pattern in _RETRACTED):
        return "denied"
    if text.endswith("?") and _ANSWERED.match(behind):
        return "denied"
    if _PRESUPPOSED.search(text):
        return None
    text = " ".join(_BRACKETED.sub(" ", _PSEUDO.sub(" ", text)).split())
    text = " ".join(_INSERTED.sub(" ", _ASIDE.sub(r"\g<subject> ", text)).split())
    if _STATED_BEHIND.search(text):
        return None
    return next((kind for kind, patterns in _CUES if any(pattern.search(text) for pattern in patterns)), None)


def sentence_of(words: Sequence[str], start: int, end: int) -> tuple[int, int]:
    """First word and end (exclusive) of the sentence that the words from `start` to `end` are in, or as much is read.

    >>> sentence_of("He left . Ann is in Ulm . She works .".split(), 3, 4)
    (3, 8)
    """
    first = next((n + 1 for n in range(start - 1, max(0, start - _MAX_WORDS), -1) if words[n] in _FINAL), 0)
    return max(first, start - _MAX_WORDS), _sentence_end(words, end)


def _sentence_end(words: Sequence[str], start: int) -> int:
    """Behind the full stop of a sentence that begins or goes on at `start`."""
    last = min(len(words), start + _MAX_WORDS)
    return next((n + 1 for n in range(start, last) if words[n] in _FINAL), last)


def _plain(words: Sequence[str]) -> str:
    """Words as the cues have them. "May" is the month, unless it comes first."""
    return " ".join("the-month" if word == "May" and place else _plain_word(word) for place, word in enumerate(words))


@lru_cache(maxsize=20_000)
def _plain_word(word: str) -> str:
    """A word in lower case; "WASN'T", which spaCy leaves whole, as two."""
    word = _CONTRACTED.sub(" not", word.lower())
    return _SAME.get(word, word).replace("@", "")
