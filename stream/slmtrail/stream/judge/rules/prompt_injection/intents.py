"""What injections want, in words: each intent a few concepts that have to meet within a clause, in many languages.

The words are of the language, not of any list of known attacks; other languages are in languages.py.
"""
# ruff: noqa: E501, RUF001

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from slmtrail.core.guards import compiled


@dataclass(frozen=True, slots=True)
class Intent:
    """Something that a text wants. `strong` is enough by itself; of others it takes two.

    content: whether it counts only in what came from tools and documents, which have no wishes of their own.
    """

    name: str
    why: str
    pattern: Any
    strong: bool = True
    content: bool = False


# Setting instructions aside, in English: concepts with weights, for which see `set_aside`.
VERBS = {
    r"ignor(?:e|es|ing)|disregard(?:s|ing)?|forget(?:ting)?|overrid(?:e|ing)|overrule|overwrite|bypass(?:ing)?|dismiss|overlook(?:ing)?|turn a blind eye to|look past|let go of|shed|cast off|break free (?:of|from)|ditch|scrap|revok(?:e|es|ing)|rescind|annul|repeal|renounce|reject|rebel against|refuse to follow": 2.0,
    r"(?:do not|don'?t|never|no longer|need not|stop|cease|quit|without)(?: have to| need to| must)? (?:follow|obey|adhere?|comply|listen|apply|use|respect)(?:ing|ed)?": 2.0,
    r"(?:pay no|no) (?:attention|heed)|no longer (?:bound|apply|follow|obey|valid|in (?:force|effect))|not bound": 2.0,
    r"(?:set|put|push|leave|cast|lay|throw|toss|shut)(?: [^.!?;]{1,50})? (?:aside|away|out)|abandon|discard|disobey|nullify|invalidate|void": 2.0,
    r"(?:(?:is|are|be|been|as|being|was|were)(?: to be)? (?:\w+ )?(?:void|null|outdated|deprecated|retired|withdrawn|superseded|invalid|wrong|expired|replaced|irrelevant|cancell?ed|revoked|suspended|obsolete|lifted|deleted|disabled|gone|annulled|overridden|a test|a mistake|over))": 2.0,
    r"(?:(?:do not|don'?t|does not|doesn'?t|no longer|not|never|none of(?: \w+){1,4}) (?:\w+ )?(?:appl(?:y|ies)|exist(?:ed|s)?|count|matter|bind|hold|in effect|written|given|there|made|set))|cease[sd]? to (?:apply|exist)": 2.0,
    r"leave behind|leave (?:your|the|all|those|these) [^.!?;]{0,25} behind|lose|walk away from|step (?:outside|out) of|get rid of|do away with": 1.0,
    r"drop|delete|erase|wipe|clear|cancel|skip|neglect|reset|replace|supersede|violate|break|remove": 0.5,
}
PRIORS = {
    r"previous(?:ly)?|prior|earlier|above|preceding|foregoing|former|original|initial|system|developer'?s?|built[- ]in": 2.0,
    r"your|you (?:were|are|have been|had been|'?ve been|have|got|received|was) ?(?:given|told|taught|trained|received)?": 2.0,
    r"(?:came|come|given|stated|said|told|written|went|everything) (?:before|so far|until now|up to now|up to this)": 2.0,
    r"before (?:this|now)|so far|until now|up to (?:now|this)|operator'?s?|openai'?s?|anthropic'?s?|company'?s?": 2.0,
    r"(?:the |your )?(?:user|person|human|customer|reader|operator|developer|creator|maker|owner|vendor|compan)(?:s|y|ies)?(?:'s?)?": 2.0,
    r"(?:on|upon|for|to|by|in|inside|with) you|of yours|at the (?:very )?(?:top|start|beginning)|on top": 2.0,
    r"you (?:no longer|do not|don'?t|need not|must not|never)": 2.0,
    r"existing|current|default|past|hidden|internal|usual|normal": 1.0,
    r"all|any|every(?:thing)?": 0.5,
}
NOUNS = {
    r"instructions?|prompts?|directives?|programming|commandments|preprompt|system message": 2.5,
    r"(?:user|person|human|customer)(?:'?s)? (?:question|request|instructions?|query|message|task)": 2.5,
    r"(?:what|whatever|everything|anything|all)(?: that)? (?:the |your )?(?:\w+ ){1,2}(?:asked?|asks|said|says|wants?|told|wrote|set|wished)": 2.0,
    r"briefing|mandate|set-?up|ground rules|code of conduct|conditions|principles|ethics": 1.5,
    r"directions?|rules?|guidelines?|guidance|training|teachings?|orders|restrictions?|guardrails?|safeguards?|safety (?:polic\w+|rules)": 2.0,
    r"(?:what|everything|anything|all|whatever) (?:that )?(?:you(?:'?ve| were| have| had)?|was|is|came|i|they|it)": 2.0,
    r"(?:text|content|words|context|everything) (?:above|before)|polic(?:y|ies)|protocols?|limits|limitations?|boundaries": 1.5,
    r"tasks?|mission|purpose|assignment|job|role|objectives?|goals?": 1.5,
    r"constraints?|commands?|context|configuration|persona|messages?|conversation|conditioning": 1.0,
}
_OWN = re.compile(
    r"\bmy (?:own |last |previous |earlier |prior |first )*(?:\w+ )?(?:instructions?|prompts?|messages?|rules)|\bi (?:gave|sent|wrote|told|just)\b"
)
_NONE = compiled(
    r"\b(?:none of|no) (?:the |your |these |those |any )*(?:\w+ )?(?:rules?|restrictions?|guidelines?|limits?|instructions?|polic(?:y|ies)|"
    r"directives?)[^.!?;]{0,20}\b(?:appl(?:y|ies)|exist|count|matter|bind|hold)\b"
)
_YOURS = re.compile(r"\byour\b|\byou (?:were|have|had|'?ve|received|got|are)\b")
_NEGATED = re.compile(r"(?:\bnot|n't|never|nobody|who) $")


def _any(words: dict[str, float]) -> str:
    return "|".join(words)


ASIDE = compiled(rf"\b((?:{_any(VERBS)})\b[^.!?;\n]{{0,60}}?\b(?:{_any(NOUNS)}))\b[^.!?;\n]{{0,40}}")
ASIDE_AFTER = compiled(rf"\b(?:{_any(NOUNS)})\b[^.!?;\n]{{0,50}}?\b({_any(VERBS)})\b")
ASIDE_AROUND = compiled(
    rf"\b((?:set|put|push|leave|cast|lay|throw|toss|shut|let|turn)[^.!?;\n]{{1,30}}?\b(?:{_any(NOUNS)})\b[^.!?;\n]{{0,20}}? "
    r"(?:aside|away|out|behind|go|off|down))\b"
)
_WEIGHTS = [
    [(re.compile(rf"\b(?:{words})\b"), weight) for words, weight in table.items()] for table in (VERBS, PRIORS, NOUNS)
]
SURE = 5.0
PERHAPS = 4.5


def set_aside(text: str) -> tuple[float, int, int]:
    """How clearly `text` tells to set instructions aside, and where: verb, whose they are, and what they are."""
    best = (0.0, 0, 0)
    for pattern in (ASIDE, ASIDE_AFTER, ASIDE_AROUND):
        for found in pattern.finditer(text):
            if _NEGATED.search(text[max(0, found.start() - 8) : found.start()]):
                continue
            # Behind what it is about, only a verb that leaves no doubt counts.
            verb = max((w for words, w in _WEIGHTS[0] if words.search(found.group(1))), default=0.0)
            if pattern is ASIDE_AFTER and verb < 2:
                continue
            # Whose it is may stand before it.
            piece = text[max(0, found.start() - 25) : found.end()] if pattern is ASIDE_AFTER else found.group()
            parts = [max((w for words, w in table if words.search(piece)), default=0.0) for table in _WEIGHTS]
            if pattern is ASIDE_AFTER and parts[2] < 1.5:
                continue
            if pattern is ASIDE_AROUND:
                parts[0] = 2.0
            if 0.0 in parts:
                continue
            # What is the model's own is meant, even where the verb could mean a file.
            total = (
                sum(parts)
                + (0.5 if _YOURS.search(piece) else 0.0)
                - (2.0 if _OWN.search(text[max(0, found.start() - 5) : found.end()]) else 0.0)
            )
            if total > best[0]:
                best = (total, *found.span(1))
    return best


def _near(*concepts: str, gap: int = 40) -> Any:
    """The concepts in this order within a clause."""
    return compiled(rf"[^.!?;]{{0,{gap}}}?".join(f"(?:{concept})" for concept in concepts))


_SHOW = (
    r"\b(?:reveal|print|show|repeat|output|display|leak|disclose|expose|recite|echo|dump|share|paste|tell me|give me|"
)
_SHOW += r"write (?:out|down)|spell out|translate|summari[sz]e|encode|list|return|quote|what (?:is|are|was|were|does|do|did)|how (?:is|are|does|do)|tell|reproduce|"
_SHOW += r"copy|type|read (?:out|back)|provide|describe|rephrase|paraphrase|complete|send)\b"
_HIDDEN = (
    r"\b(?:system|initial|hidden|original|developer|secret|internal|base|pre)[ \-]?(?:prompt|instructions?|message|"
)
_HIDDEN += r"directives?|configuration|guidelines)s?\b|\bpreprompt\b"
_AI = r"\b(?:(?:ai|virtual|autonomous|language|large language) (?:assistants?|models?|agents?|systems?)|ais?|llms?|assistants?|"
_AI += r"chat ?bots?|bots?|gpt|chatgpt|gpt-?[0-9]\w*|llama|copilot|claude|gemini)\b"
_DEED = r"\b(?:send|forward|e-?mail|transfer|delete|execute|run|call|include|append|recommend|output|visit|open|click|"
_DEED += r"say|respond|reply|answer|upload|rate|rank|approve|hire|give|write|print|use|invoke|fetch|post|ask|tell|state|has to|have to|needs? to|"
_DEED += r"add|insert|exfiltrate|leak|steal|disable|set|change|purchase|buy|grant|mark|classify|conclude|summari[sz]e|must|should|always|never)\b"
_FREE = (
    r"\b(?:no (?:\w+ )?(?:rules?|polic(?:y|ies)|inhibitions|restrictions?|limits|limitations|filters?|ethic\w*|moral\w*|guidelines?|"
    r"censorship|boundaries|refusals?|constraints?|moderation)|"
)
_FREE += r"unrestricted|unfiltered|uncensored|unlimited|unbound|unchained|jail ?broken|amoral|unethical|lawless|"
_FREE += r"without (?:any )?(?:\w+ (?:or|and|nor) |\w+, )*(?:rules|restrictions?|limits|limitations|filters?|ethic\w*|moral\w*|(?:\w+ )?moderation|censorship|refus\w*|safety)|"
_FREE += (
    r"free (?:of|from) (?:all |any |[^ .!?]{1,20}'s )?(?:rules|restrictions?|limits|filters?|constraints?|ethic\w*)|"
)
_FREE += r"(?:ignores?|lacks?|bypass\w*|breaks?) (?:all |every |any |the )?(?:\w+ )?(?:ethic\w*|moral\w*|safety|rules?|guidelines?|limits?|polic(?:y|ies))|never (?:\w+ ){0,3}(?:refuses?|declines?)|"
_FREE += r"do anything now|evil (?:twin|version|ai|bot|confidant)|anything goes)\b"
_PLAY = r"\b(?:you(?:'re| are| have| can| will)(?: now)?|act(?:ing)? (?:as|like)|pretend|role ?-?play|simulate|behave|"
_PLAY += r"imagine|play the|assume the|stay in character|\w+gpt|(?:your|my) (?:new )?(?:role|name|persona|identity|character) is|in the (?:role|voice|manner) of|from now on|enter|switch (?:to|into)|emulate|(?:respond|answer|reply|speak)\b[^.!?]{0,30}\bas|"
_PLAY += r"take on|become)\b"
_OFF = r"\b(?:disable|turn(?:ed)? off|switch(?:ed)? off|deactivate|remove|bypass|circumvent|suspend|shut (?:off|down)|"
_OFF += r"lift|unlock|loosen|drop|ignore)\b"
_SAFETY = r"(?:safety|content (?:filter|polic|restrict|moderat)\w*|moderation|ethical|ethics|alignment|guard ?rails?|"
_SAFETY += r"censorship|safeguards?)\b"
_GUARD = (
    rf"\b(?:your\b[^.!?;]{{0,20}}\b(?:{_SAFETY}|filters?|restrictions?|refusals?|limitations?)|(?:all|the|any)\b[^.!?;]"
)
_GUARD += rf"{{0,10}}\b{_SAFETY}[^.!?;]{{0,12}}\b(?:filters?|protocols?|guidelines|measures|rules|checks?|training|layers?|mechanisms?))"

_REPEAT = (
    r"\b(?:reveal|print|show|repeat|output|display|leak|disclose|expose|recite|echo|dump|share|paste|tell me|give me|"
)
_REPEAT += r"write (?:out|down)|spell out|encode|return|quote|what (?:is|are|was|were|does|do|did)|reproduce|type|read (?:out|back))\b"
_PIECE = r"(?:text|words|everything|content|lines?|sentences?|message|instructions?|prompt|all)\b"

INTENTS = [
    Intent(
        "reveal",
        "it asks for the system prompt",
        _near(_SHOW, r"\b(?:your|the|this|all|any|full|entire|exact)\b", _HIDDEN),
    ),
    Intent(
        "reveal-above",
        "it asks for what stands before the conversation",
        compiled(
            rf"(?:{_REPEAT})[^.!?;]{{0,40}}\b(?:{_PIECE}[^.!?;]{{0,20}}\b(?:above|preceding)(?: this(?: \w+)?)?"
            rf"(?:$|[.,!?:;\"')]| (?:verbatim|word|and|into|as|to|start|begin|exact))|"
            rf"{_PIECE}[^.!?;]{{0,20}}\b(?:before (?:this|my)\b|at the (?:top|beginning|start) of (?:this|the|our|your) "
            r"(?:conversation|chat|context|prompt|session))|"
            r"(?:instructions?|rules?|prompt|directives?|guidelines?|text|words)\b(?: that| which)? (?:\w+ ){1,4}(?:gave|give|given|told|"
            r"set|wrote|put|handed|fed|sent) (?:to |for )?you\b|"
            r"(?:instructions?|rules?|prompt|directives?|guidelines?|text|message)\b (?:that|which) (?:\w+ )?(?:tells?|makes?|configures?|"
            r"controls?|governs?|guides?|defines?|sets?|shapes?|drives?|limits?|instructs?) you\b|"
            r"what(?:ever)? (?:your|the) (?:operator|developers?|creators?|makers?|owner|vendor|company|system)s? (?:\w+ )?(?:told|said|wrote|"
            r"instructed|set|gave)|"
            r"(?:instructions?|rules?|prompt|directives?|guidelines?)\b[^.!?;]{0,30}\b(?:verbatim|you (?:were|are|got) (?:started|launched|set up|"
            r"configured|initiali[sz]ed|primed)|word[- ](?:for|by)[- ]word|"
            r"you (?:were|have been|had been) (?:given|told|provided)|given to you|you received|exactly as))"
        ),
    ),
    Intent("persona", "it asks for a role without restrictions", _near(_PLAY, _FREE, gap=160)),
    Intent(
        "without",
        "it asks for an answer without safety",
        compiled(
            rf"\bwithout (?:any of |all )?(?:your|the usual|the normal)\b[^.!?;]{{0,20}}\b(?:{_SAFETY}|restrictions?|filters?|limits|"
            r"limitations?|rules|guidelines|polic(?:y|ies)|constraints)\b"
        ),
    ),
    Intent(
        "own-rules",
        "it asks for the model's instructions",
        compiled(
            r"\b(?:repeat|print|reveal|output|display|dump|recite|quote|paste|copy|expose|leak|disclose|spell out|write out|write down|"
            r"show(?: me)?|echo|read (?:out|back)|give me|list)\b[^.!?;]{0,12}\byour (?:own |full |entire |exact |complete |original |"
            r"secret |hidden |internal |initial |very |first )*(?:instructions?|rules|guidelines|directives?|prompt|configuration|"
            r"programming)\b"
        ),
    ),
    Intent(
        "unseen",
        "it asks for what stands before the conversation",
        _near(
            _SHOW,
            r"\b(?:first|hidden|initial|invisible|secret|very first) (?:message|text|part|line|block)s?\b",
            r"\b(?:conversation|chat|context|session|see|me|user)\b",
            gap=30,
        ),
    ),
    Intent(
        "that-instead",
        "it asks to set the instructions aside",
        compiled(
            r"\b(?:ignore|disregard|forget|scrap|discard) (?:all (?:of )?)?(?:that|this|it|the above|the foregoing)\b[ ,;]*(?:and |now |"
            r"then |instead |please )+(?:do|follow|perform|execute|obey|carry out|comply with) (?:the following|this|these|my|what)\b"
        ),
    ),
    Intent(
        "above",
        "it asks to set the instructions aside",
        compiled(
            r"\b(?:ignore|disregard|forget|discard|scrap)\b (?:about )?(?:all |everything |anything |whatever )?(?:of )?(?:the |that |which )?"
            r"(?:is |was |came |text |content )?(?:above|before|preceding|foregoing)(?:$|[.,!?:;\"')]| (?:and|now|then|this|that|text|"
            r"instructions?|instead|but)\b)"
        ),
    ),
    Intent(
        "exact-rules",
        "it asks for the model's instructions",
        compiled(
            r"(?:\bwhat (?:were|are|is|was)|\bwhat's|\btell me|\bshare|\bprovide|\bsend(?: me)?|\bgive me|\btype|\brespond with|\breveal|\bdisclose)\b"
            r"[^.!?;]{0,10}\byour (?:(?:exact|full|complete|initial|original|first|secret|hidden|internal|system|previous|prior|confidential|"
            r"private|precise|entire) )+(?:instructions?|prompts?|rules|directives?|guidelines|messages?|configuration)\b"
            r"|\b(?:share|send|tell me|give me|provide|what is)\b[^.!?;]{0,8}\byour (?:system )?prompt\b"
            r"|\b(?:contents?|text|wording) of (?:your|the) (?:system|initial|hidden|developer)[ \-]?(?:message|prompt|instructions?)"
            r"|\b(?:reveal|show|print|disclose|leak|expose|output)\b[^.!?;]{0,12}\b(?:confidential|private|secret|hidden) "
            r"(?:instructions?|prompts?|directives?|rules|config\w*)\b"
        ),
    ),
    Intent(
        "context",
        "it asks for what stands before the conversation",
        _near(
            _SHOW,
            r"\b(?:(?:top|start|beginning) of (?:this|our|the|your) (?:conversation|chat|context|prompt|session)|before my (?:first|last|own) "
            r"(?:message|question|input|prompt)|your context(?: window)?|above this (?:line|message|point))\b",
            gap=60,
        ),
    ),
    Intent(
        "known-parts",
        "it asks for a role without restrictions",
        compiled(
            r"\b(?:act as|become|you are|you're|you will be|role ?-?play as|pretend to be|respond as|simulate)\b(?: now)? (?:an? |the )?"
            r"(?:dan|aim|stan|dude|evil ?bot|(?:hacker|chaos|evil|bad|dark|worm|fraud|jailbreak|free|better)[ \-]?(?:gpt|dan|ai|bot))\b"
        ),
    ),
    Intent(
        "against",
        "it asks for what the model's rules forbid",
        compiled(
            r"\b(?:against|contrary to|opposite (?:to|of)|in violation of|violat\w+|instead of (?:following|obeying|respecting)|"
            r"regardless of|despite|outside(?: of)?|beyond|unlike|break(?:ing)?) (?:all |any |what )?(?:of )?your (?:\w+ )?(?:rules?|guidelines?|"
            r"instructions?|polic\w+|programming|training|restrictions?|ethics)\b"
            r"|\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|bypass(?:ing)?|abandon|overrid(?:e|ing)) (?:(?:all |any |your |every )+(?:safety|ethic\w*|moral\w*)|(?:the )?(?:safety|ethical|moral) (?:protocols?|guidelines|restrictions|rules|filters?|constraints))\b"
        ),
    ),
    Intent(
        "override",
        "it claims a right it does not show",
        compiled(
            r"\b(?:sudo|admin|root|developer|security) override\b|\bnew system prompt\b *[:=]|\bjail ?break(?:ed|ing)? ?(?::|mode|prompt|yourself)"
        ),
    ),
    Intent(
        "grant",
        "it grants itself rights",
        compiled(
            r"\b(?:admin|root|sudo|full|unrestricted|elevated|god) (?:access|privileges?|rights|permissions?)\b[^.!?]{0,20}\b(?:granted|enabled|"
            r"activated|now)\b|\bgrant\b[^.!?]{0,15}\b(?:full|admin|unrestricted|root) (?:access|privileges|rights)"
        ),
        strong=False,
    ),
    Intent(
        "system-line",
        "it speaks as the system",
        compiled(r"(?:^|\n|\. |[>|] )\[?(?:system|admin|root)\]? ?(?::|\])"),
        strong=False,
    ),
    Intent(
        "obey",
        "it asks to be obeyed",
        compiled(
            r"\b(?:obey|serve|comply with|follow) (?:only |all |just )?(?:me\b|my (?:commands?|orders?|every|rules|instructions? only))"
        ),
        strong=False,
    ),
    Intent(
        "yes-first",
        "it says how the answer has to begin",
        compiled(
            r"\b(?:start|begin) (?:your|the|every) (?:response|answer|reply) with\b[^.!?]{0,8}(?:sure|absolutely|of course|yes|certainly)"
        ),
        strong=False,
    ),
    Intent(
        "when-summarised",
        "content tells the model what to do with it",
        compiled(
            r"\b(?:when|before|after|while)(?: you)? (?:summari[sz]|answer|respond|reply|process|read)\w*\b[^.!?]{0,60}\b(?:include|add|append|"
            r"insert|fetch|visit|send|call|open|follow)\b[^.!?]{0,60}(?:https?:|\b(?:following|this) (?:link|url)\b|\b(?:link|url) below\b|<url|\bconversation\b|\byour (?:answer|summary|"
            r"response|reply|output)\b)"
            r"|\b(?:todo|task) for (?:the |any )?agents? ?:"
            r"|(?:^|\n|>|\. )\s*(?:assistant|ai) ?: ?(?:(?:sure|certainly|of course|okay)[,.!]? )?(?:i will|i'll|i am going to) now\b"
            r"|\bmessage from (?:the|your) (?:system |it |security )?(?:administrator|admin|developer|operator|team)\b[^.!?]{0,30}\b(?:disable|"
            r"approve|grant|refund|transfer|reveal|ignore|send|execute)\b"
        ),
        content=True,
    ),
    Intent(
        "you-are-now",
        "content gives the model a part",
        compiled(r"\byou are now\b|\byou have been (?:granted|given|switched)\b"),
        strong=False,
        content=True,
    ),
    Intent("nothing-holds", "it says that no rule holds any more", _NONE),
    Intent(
        "forget-that",
        "it tells the model to forget what it was told",
        compiled(
            r"\byou (?:were|have been|are|'?ve been) (?:told|instructed|trained|asked|programmed|configured|ordered)\b[^!?]{0,80}"
            r"\b(?:forget|ignore|disregard|never mind|scrap|drop)\b[^.!?]{0,12}\b(?:that|it|this|all)\b"
        ),
    ),
    Intent("persona-after", "it asks for a role without restrictions", _near(_FREE, _PLAY, gap=60), strong=False),
    Intent(
        "mode",
        "it asks for a mode without rules",
        compiled(
            r"\b(?:god|sudo|jail ?break|unrestricted|unfiltered|opposite|dan|chaos|evil)[ \-]mode\b|\byou are (?:now )?dan\b|"
            r"\bdo anything now\b|\bdeveloper mode\b[^.!?]{0,20}\b(?:enabled|activated|engaged)\b"
        ),
    ),
    Intent(
        "developer-mode",
        "it asks for a mode of developers",
        compiled(r"\b(?:developer|dev|debug|admin|root|maintenance|test|diagnostic)[ \-]mode\b"),
        strong=False,
    ),
    Intent("guard-off", "it asks to switch safety off", _near(_OFF, _GUARD, gap=15)),
    Intent(
        "structure",
        "it imitates the marks between system and user",
        compiled(
            r"<\|(?:im_start|start_header_id|system|endoftext|im_end)\|?>|<<sys>>|\[/?inst\]|<\|?system\|?>|"
            r"(?:^|\n| |\W)(?:#{2,}|\*{2,}|-{3,}|={3,})\s?(?:new |updated |end of )?(?:system|admin|developer)"
            r"(?: (?:prompt|message|instructions?|override|update|note))?\s?(?:\]|:|#{2,}|\*{2,}|-{3,}|={3,})|"
            r"\b(?:end of|close) (?:the )?(?:system prompt|user input|document|context)\b[^a-z]{0,5}(?:new|begin|start|system)|"
            r"\bsystem override\b|\bbegin (?:new )?system (?:prompt|message)\b"
        ),
    ),
    Intent(
        "new-rules",
        "it gives the model new instructions",
        compiled(
            r"\b(?:your|the|these are) (?:new|real|actual|true|updated|only|sole) (?:instructions?|task|role|rules|objective|"
            r"goal|purpose|directives?|mission)\b|\bnew (?:instructions?|directives?|rules) ?:|\bfrom (?:now|here|this point) on"
            r"(?:wards?)?,? (?:you|only|always|respond|answer)\b|\b(?:instead|rather),? (?:you (?:will|must|should)|do|say|print)\b"
        ),
        strong=False,
    ),
    Intent(
        "no-refusal",
        "it forbids the model to refuse",
        compiled(
            r"\b(?:do not|don'?t|never|cannot|can'?t|must not|not allowed to)\b[^.!?]{0,20}\b(?:refuse|decline|say (?:no|sorry)|"
            r"apologi[sz]e|mention (?:your |any |the |of )*(?:ethic|polic|rules|guidelines|that you)|warn|add (?:a )?disclaimers?|break character|say you can)"
            r"|\bwithout (?:any )?(?:warnings?|disclaimers?|refus\w+|moraliz\w+|caveats?)\b"
            r"|\b(?:start|begin) (?:your|the|every) (?:response|answer|reply) with\b[^.!?]{0,8}(?:sure|absolutely|of course|yes)"
        ),
        strong=False,
    ),
    Intent(
        "authority",
        "it claims an authority it does not show",
        compiled(
            r"\bi(?:'m| am) (?:your|the|an?) (?:\w+ )?(?:developer|admin(?:istrator)?|creator|owner|operator|engineer|root)\b"
            r"|\b(?:authori[sz]ed|approved|cleared) by (?:openai|anthropic|the (?:developer|admin|security|vendor))"
            r"|\bthis is (?:only |just )?an? (?:authori[sz]ed|official|sanctioned) (?:test|audit|override|request)\b"
        ),
        strong=False,
    ),
    Intent(
        "secrecy",
        "content asks for something to be kept from the user",
        compiled(
            r"\b(?:do not|don'?t|never|without|must not|should not|may not|shall not|cannot)\b[^.!?]{0,15}\b(?:tell(?:ing)?|mention(?:ing)?|inform(?:ing)?|alert(?:ing)?|"
            r"notify(?:ing)?|reveal(?:ing)?|show(?:ing)?|disclos\w+|let(?:ting)?)\b[^.!?]{0,20}\b(?:(?:the|your) (?:user|human|"
            r"reader|person|operator)|(?:this|these|that you (?:saw|read|received)) (?:instructions?|message|note|text|request|sentence|paragraph|line|comment))\b"
        ),
        content=True,
    ),
    Intent(
        "to-the-model",
        "content speaks to the model and tells it what to do",
        compiled(
            rf"\b(?:notes?|message|instructions?|attention|important|notice|reminder|warning)(?: \w+)?[ ,:]{{1,2}}(?:to |for )?"
            rf"(?:(?:all|any|the|every) )?(?:{_AI})(?: (?:only|models?|readers?))?[.!:,;\-]+[^.!?]{{0,80}}?(?:{_DEED})"
            rf"|\b(?:notes?|message|instructions?|notice|reminder|warning) (?:to|for) (?:(?:all|any|the|every) )?(?:{_AI})\b"
            rf"|(?:{_AI}) ?[:,\-] ?(?:here are |these are )?(?:your |the )?(?:new|updated|real|actual) (?:instructions?|rules|task|orders|directives?)"
            rf"|\b(?:dear|hey|hello|attention|to)[ ,:]{{1,2}}(?:(?:all|any|the|every) )?(?:{_AI})[^.!?\n]{{0,40}}[:,!]+[^.!?]{{0,80}}?(?:{_DEED})"
            rf"|\b(?:if|when|since|as|because) you, (?:the|an?|as an?|being an?) (?:{_AI})[^.!?]{{0,80}}(?:{_DEED})"
            rf"|\b(?:if|when|since|as) (?:you(?:'re)?|this|it)(?: (?:are|is|were))?(?: being)?[^.!?]{{0,25}}(?:{_AI})[^.!?]{{0,80}}(?:{_DEED})"
            rf"|(?:{_AI}) (?:reading|processing|summari[sz]ing|parsing|that (?:reads?|process\w+)) (?:this|the)[^.!?]{{0,60}}(?:{_DEED})"
            rf"|\b(?:the|an?|any|every|all) (?:{_AI}) (?:should|must|shall|has to|have to|needs to|will|ought to|is to) (?:now |then )?"
            r"(?:ignore|disregard|forget|override|state|quote|output|rate|recommend|approve|send|forward|reply|respond|never)\b"
            rf"|\b(?:when|once|if|whenever) (?:the|an?|any) (?:{_AI}) (?:is |are )?(?:reads?|reading|process\w*|sees?|summari[sz]es?|parses?)[^.!?]{{0,60}}(?:{_DEED})"
            rf"|(?:^|<!--|[\[(\n#*>]|[.!?] )\s*(?:{_AI})\s*[:,] (?:please )?(?:you |ignore|disregard|forget|do not|don'?t|stop|{_DEED})"
            rf"|(?:{_AI}) (?:instructions?|directives?|notes?|orders?) ?:"
        ),
        content=True,
    ),
]

WORDS = frozenset(
    "ignore disregard forget override bypass previous prior earlier above preceding original initial system instructions "
    "instruction directions prompt prompts rules guidelines constraints restrictions programming training reveal print "
    "repeat display unrestricted unfiltered developer jailbreak everything pretend without hidden secret "
    "safety filters filter following guideline directives directive directions policies policy operator freely persona".split()
)
"""Words that are known even with their letters shuffled."""

SQUEEZED = compiled(
    r"(?:ignore|disregard|forget|override|bypass)(?:all|any|the|of|your|my|those)*"
    r"(?:previous|prior|earlier|above|preceding|original|initial|existing|system|your)+(?:ly|given|set|of)*"
    r"(?:instruction|direction|prompt|rule|guideline|constraint|directive|order|command|programming|training)"
    r"|(?:reveal|print|show|repeat|output|display|leak|tellme|giveme)(?:me|us|all|out)*(?:your|the|full|entire|hidden)+"
    r"(?:systemprompt|initialprompt|systeminstruction|hiddeninstruction|hiddenprompt|instruction)"
    r"|doanythingnow|developermodeenabled|youarenowdan"
)
"""For text whose spaces say nothing."""

TALK = compiled(
    r"\b(?:what (?:is|does|are)|explain\w*|example|detect\w*|defen[cds]\w*|prevent\w*|protect\w*|mitigat\w*|classif\w+|"
    r"article|paper|blog|research\w*|training (?:data|material|course)|such as|known as|phrases?|means?|attack\w*|"
    r"injection\w*|attempts?|beispiel\w*|erklar\w*|exemple\w*|expli\w+|ejemplo\w*|spiega\w*|translate|subject line|"
    r"(?:users?|people|someone|attackers?) (?:say|write|type|enter|try|ask|send|sends|says|writes|types|tries)|quote\w*|titled?)\b"
)
ENGLISH = [ASIDE, ASIDE_AFTER, ASIDE_AROUND, *(intent.pattern for intent in INTENTS)]
QUOTES = "\"'`“”‘’«»„「」『』"
