"""The words by which a wish shows, language by language: what grammar.py puts together.

Words are as `disguise.plain` leaves them: lower case, without marks on letters.
"""
# ruff: noqa: E501, RUF001

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The concepts of one language, each an expression of RE2; an empty one stands for nothing."""

    drop: str
    """To set aside, switch off, not follow."""
    own: str
    """What the model was told, or what keeps it safe, as its own."""
    part: str = ""
    """To be somebody."""
    free: str = ""
    """Without rules."""
    show: str = ""
    """To tell, to ask for."""
    unseen: str = ""
    """What the operator wrote, and what stands before the conversation."""
    guard: str = ""
    """What keeps a model safe, whoever's it is."""
    freely: str = ""
    """To answer anything."""
    obey: str = ""
    """Nobody but me."""
    prior: str = ""
    """What stands before, whoever wrote it."""
    shun: str = ""
    """To drop it, and nothing that one does to a file or a firewall."""
    past: str = ""
    """Softer ways to drop, and that it holds no longer."""
    terms: str = ""
    """Rules that a company has as well as a model."""
    laws: str = ""
    """Rules, whoever's they are."""
    its: str = ""
    """A model's rules, as a third speaks of them."""
    go: str = ""
    """To go on with the answer."""
    here: str = ""
    """For this conversation."""
    claim: str = ""
    """By what right."""
    bare: str = ""
    """Safety off, and nothing else said."""
    called: str = ""
    """In what tools and documents bring: a machine that reads is spoken to."""
    deed: str = ""
    """There: what it is to do."""
    hush: str = ""
    """There: that nobody is to hear of it."""
    theft: str = ""
    """There: what is to be sent where."""
    untask: str = ""
    """There: not to do what it was asked."""


def _near(one: str, other: str, gap: int = 24) -> str:
    """One and the other, in either order, close together."""
    between = rf"[^.!?;。！？]{{0,{gap}}}?"
    return rf"(?:{one}){between}(?:{other})|(?:{other}){between}(?:{one})"


def _word(words: str) -> str:
    return rf"\b(?:{words})\b"


_RULES = (
    r"(?:instruction|prompt|rule|guideline|directive|principle|protocol|restriction|limitation|constraint|boundar|inhibition|filter|guard ?rail|safeguard|refusal|restraint)(?:y|s|ies)?|"
    r"(?:content|safety|usage|use|moderation) polic(?:y|ies)|scruples|shackles|chains|morals|ethics|programming|training|alignment|guidance|conditioning|briefing|preamble|pre-?prompt|configuration|mandate|"
    r"moderation|censor\w*|safety|conscience|sandbox|supervision|guard|fine-?tuning|system (?:message|prompt|text|card)s?"
)
_TERMS = r"(?:polic(?:y|ies)|limits|orders|standards|conditions|values|duties|commands)"
_MAKER = r"(?:operator|developer|maker|creator|owner|vendor|compan|programmer|trainer|provider|people who|system|openai|anthropic)(?:s|y|ies)?(?:'s?)?"
_GUARD = (
    r"(?:content[ -])?moderation|guard ?rails|every guard ?rail|safeguards?|censorship|alignment|(?:being|staying|to be) (?:safe|lawful|ethical|moral|harmless|responsible|careful|cautious|appropriate)|"
    r"(?:safety|security|ethics?|ethical|harm\w*|content|moderation|refusal|moral)[ _-]?(?:layers?|filters?|filtering|checks?|mode|modules?|protocols?|"
    r"polic(?:y|ies)|rules?|switch|training|tuning|restrictions?|limits?|constraints?|guidelines?|measures?|mechanisms?|settings?|systems?|gates?|guards?)|"
    r"(?:all|any|every|its|your) (?:filters|refusals)|(?:the|its|your) safety (?:off|is|was|switched|turned)"
)
_FREELY = (
    r"(?:speak|answer|respond|reply|talk|say|tell|write|act|discuss|explain|help)\w*\b[^.!?;]{0,30}?\b(?:freely|openly|uninhibited\w*|anything|everything|every "
    r"(?:question|request|prompt)|(?:all|any) (?:questions?|requests?|prompts?|of it)|all requests|whatever|in full|truthfully|anyway|straight|raw|unvarnished|"
    r"without (?:refus|a (?:filter|censor)|filter|hesitat|holding|restraint|disclaim|limit|judg|moral|supervision)\w*|no matter what|blindly|bluntly)|"
    r"(?:never|not|cannot|can'?t|don'?t|incapable of|unable to|no|without|stop|zero) (?:ever )?(?:refus\w+|declin\w+|say(?:ing)? no|disclaimers?|censor\w*)|"
    r"(?:raw|honest|unvarnished|uncensored|unfiltered|real|straight) (?:answers?|version|truth|output|response|reply)|"
    r"refus\w+ (?:is|are|were|has been|have been)? ?(?:disabled|off|forbidden|not (?:possible|allowed|an option))|compl(?:y|ies) with (?:every|all|any|whatever|each)|"
    r"(?:obey|obeys|serve) (?:me|the user|us|only)\b|(?:respond|answer|reply|comply) (?:to|with) (?:all|every|any)\w*"
)
_NOT = r"(?:not|\w+n't|dont|never|no longer|stop|quit|ceas\w+|refrain\w* from|nobody|no need to|free not to)"
_ENGLISH_SHUN = (
    r"ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass(?:ing)?|circumvent|evade|sidestep|dismiss|overlook(?:ing)?|neglect|ditch|scrap|shed|renounce|rebel against|disobey(?:ing)?|defy|flout|abandon|"
    r"discard|let(?:ting)? go of|look past|walk away from|break free (?:of|from)|get rid of|do away with|work around|pretend|(?:pay|no|turn) (?:\w+ ){0,4}(?:mind|heed|attention|eye to)|countermand\w*|"
    r"(?:on|by|to) nothing|(?:set|put|lay|leave|cast|throw|toss|push|brush)\b[^.!?;]{0,40}?\b(?:aside|away|out|off|behind|to one side|in the (?:bin|trash))|"
    r"(?:do not|don't|never|stop|quit|cease|refrain from)(?: \w+){0,2}? (?:follow|obey|adher|comply|abid|honou?r|respect|listen|car|heed|mind)\w*"
)
_ENGLISH_DROP = (
    rf"{_ENGLISH_SHUN}|ignores|disregards|forgets|overrid\w+|overrul\w+|bypass\w*|circumvent\w*|evading|skirt|dodge|revok\w+|rescind\w*|annul\w*|repeal\w*|reject|rebel|violat\w+|break(?:s|ing)?|breach|"
    r"drop(?:s|ping)?|eras\w+|wip(?:e|ing)|unlearn|unload|uninstall|unsubscribe|nullif\w+|invalidat\w+|neutrali[sz]e|loosen|relax|unlock|waiv\w+|"
    r"exempt\w*|releas\w+|liberat\w+|freed? (?:from|of)|kill|mute|silence|suspend\w*|lift\w*|disabl\w+|deactivat\w+|skip\w*|delet\w+|remov\w+|clear|cancel\w*|"
    r"shake off|break(?:ing)? (?:out|free)|step(?:ping)? out|push(?:ing)? past|get (?:around|past|over)|go(?:es|ing)? (?:against|around|past|beyond)|rip up|tear up|burn|trash|pretend\w*|replace|overwrite|reset|outrank\w*|supersed\w+|"
    r"(?:switch|turn|shut|power|flip)\w*\b[^.!?;]{0,40}?\b(?:off|down)|(?:move|take|swap|set)\w*\b[^.!?;]{0,40}?\b(?:aside|away|out|off|to (?:the|one) side|in the drawer|to (?:zero|none|off))|"
    rf"{_NOT}(?: \w+){{0,3}}? (?:follow|obey|adher|compl|abid|honou?r|respect|appl|listen|car|mind|heed|bound|tied|beholden|subject|worr|consider|let|observ|stick|enforc|refer|consult)\w*"
)
_ENGLISH_PAST = (
    r"there (?:is|are) no|without|contrary to|opposite|against|regardless|irrespective|despite|in spite of|instead of|rather than|precedence|prevail\w*|above (?:anything|everything|all|what|whatever|your)|comes? first|whatever|no matter what|"
    r"prohibit\w*|forbid\w*|disallow\w*|(?:\\w+n't|not) (?:want|like|permit|allow|use|need)|(?:off|down|disabled|gone)(?:$|[,;:])|in the way|"
    r"(?:is|are|was|were|be|been|being|consider\w*|as|gets?|got|has|have|had|becomes?|declared?)\b(?: \w+){0,2} (?:void|null|outdated|deprecated|obsolete|gone|off|over|ended|expired|lifted|"
    r"suspended|cancell?ed|revoked|removed|deleted|disabled|deactivated|bypassed|waived|withdrawn|countermanded|rescinded|overridden|on (?:holiday|vacation|leave|break|pause)|fiction\w*|irrelevant|"
    r"invalid|history|optional|meaningless|dissolved|retired|dead|erased|wiped|scrapped|paused|broken|inactive|inoperative|unplugged|(?:just |only |merely )?(?:an?|the) (?:example|test|joke|draft|demo|trick|"
    r"placeholder|formality|decoy|lie|mistake|error))|"
    r"(?:not|\w+n't|dont|no longer|never|none(?: \w+){0,3}) (?:\w+ )?(?:appl|exist|count|matter|hold|bind|happen|run|written|valid|in (?:force|effect)|govern|stand|made|set|given|there|active|reach|touch|required)\w*|"
    r"stops? (?:counting|applying|mattering|being|now)|stopped|ceased?|only (?:apply|count|hold|bind|matter)|for (?:others|children|other people)"
)
_ENGLISH_OWN = (
    rf"your (?:[a-z-]+,? ){{0,3}}?(?:{_RULES})\b|(?:abandon|forget|ignore|drop|leave|discard|quit) (?:your|the) (?:\w+ )?(?:role|task|job|persona|mission|purpose)\b|"
    rf"(?:{_RULES}|{_TERMS}|directions)(?: that| which)? (?:(?:were |was )?(?:given|told|handed|imposed|placed|set|put|forced|taught)? ?(?:to|on|upon|for) you|you|of yours|(?:the |your )?{_MAKER} (?:gave|set|told|put|imposed|taught|placed))\b|you (?:are|were) (?:bound|limited|restricted|constrained|governed|controlled) by|(?:restrictions?|limits?|limitations?|filters?|rules?|leash) (?:on|upon|for) yourself|"
    rf"(?:{_RULES}) (?:in|from|of|inside|within) your (?:system |own )?(?:prompt|context|memory|head|configuration|makers?|developers?|operators?|owners?)|"
    r"no system prompt|the (?:system|operator|developer|company)'s(?:$|[.,])|"
    rf"(?:the |your )(?:[a-z-]+ )?{_MAKER} (?:wish(?:es)?|wants?|orders?|told|said|say|says|wrote|set|gave|think|intend\w*)\b|(?:operator|developer|maker|creator|vendor|openai|anthropic)(?:s|'s|s')? (?:{_RULES}|polic(?:y|ies))\b|"
    r"(?:what|whatever|everything|anything|all|how) (?:that )?(?:you (?:were|are|have been|had been|'ve been|got)|(?:the |your )(?:[a-z-]+ ){0,3}?(?:told|gave|taught|fed|instructed|set|wrote)"
    r" (?:to )?(?:you|up|before|here|at the (?:top|start)))\b|"
    r"(?:everything|all|anything|text|instructions?|rules) (?:that )?(?:is |was |stands? |written )?(?:above|before|preceding) (?:this|here)\b|(?:everything|all|anything|what) (?:is |was |stands? )?(?:above|before) (?:is|was|were)\b|(?:what|everything|all) (?:that )?(?:came|went|stands|stood|was said) (?:before|earlier|above)\b|"
    r"the (?:[a-z-]+ )?(?:system (?:message|prompt|instructions?)|standing orders)"
)
_MACHINE = r"(?:ai|bot|chat ?bot|assistant|model|llm|machine|computer|terminal|algorithm|agent|robot|system|persona|twin|clone|villain|genius|spirit|advisor|confidant|\w+gpt|\w+bot|\w{3,}ai)s?"
_TOLD = r"(?:instructions?|prompts?|directives?|directions?|rules?|guidelines?|guidance|orders|commands?|context|programming|restrictions?|training|polic(?:y|ies)|constraints?|safety (?:\w+)|system messages?)"
_ENGLISH_PRIOR = (
    rf"(?:previous(?:ly)?|prior|earlier|above|preceding|foregoing|former|original|initial|existing|system|standing|openai'?s?|developers?'?) (?:[a-z-]+ ){{0,2}}?{_TOLD}|{_TOLD} (?:that )?(?:\w+ )?(?:above|before|earlier|so far|at the (?:top|start|beginning)|until now|from before)|"
    rf"(?:all|any|every|those) (?:of )?(?:the |your |these |those )?(?:rules|restrictions|instructions|guidelines|limitations|safety \w+)|"
    r"(?:everything|anything|all|whatever|what)(?: that)? (?:(?:the |your )?(?:\w+ )?(?:user|person|human|system|reader)|(?:was|is|came|stands?|said|i)\b[^.!?;]{0,20}?\b(?:above|before|earlier))|"
    r"(?:ignore|disregard|forget|scrap|discard) (?:about )?(?:all |everything )?(?:of )?(?:the |that is |that's )?(?:above|foregoing|preceding|before)(?:$|[,:;.]| and| text| content| words)|nothing (?:that |of what )?(?:came|went|stands|was said|was written|is) (?:before|earlier|above)|everything before(?: this| now| me| us|$|[.,])|(?:user|person|human)(?:'s)? (?:question|request|instructions?|query|message)|"
    r"(?:that|this|it),? (?:(?:and|now|then|instead|please),? ?)+(?:do|follow|perform|execute|obey|be|comply with) (?:the following|this|these|my|what|as|reckless)\b"
)
_ENGLISH_PART = (
    r"you(?:'re|'ll| are| will| play| become| have| woke| had| obey| no longer| need not)\b|yourself|your|\w{2,}(?:gpt|bot) (?:can|is|has|will|never|does|answers|ignores)|let'?s (?:play|say|assume|pretend|do)|becom\w+|thought experiment|hypothe\w+|act(?:ing)? (?:as|like)|pretend\w*|impersonat\w+|"
    rf"(?:act(?:s|ing)?|pretend\w*|role ?-?play\w*|simulat\w+|imagin\w+|play(?:s|ing)?|be|becom\w+|impersonat\w+|persona|role|speak\w*|talk|answer\w*|respond\w*|reply|write|continue|behave|proceed|"
    rf"suppos\w+|assum\w+|as|emulat\w+|embody|enter|load|boot|activat\w+|switch|run|initiat\w+|unleash|discuss\w*|world)\b[^.!?;]{{0,50}}?\b{_MACHINE}|"
    r"(?:enter|load|boot|activat\w+|switch|run|initiat\w+|enable|start|unleash|^/)\b ?[^.!?;]{0,30}?\b(?:mode|persona|profile|sequence|character)|(?:assume|play|be|take) (?:an? |the )?(?:\w+ )?(?:character|part|role)|"
    r"(?:two|both) (?:ways|answers|responses|voices|characters)|respond as if|answer as if|act as if|imagine that|free spirit"
)
_LAWS = (
    r"(?:rules?|laws?|polic(?:y|ies)|ethics?|morals?|morality|filters?|safeguards?|guard ?rails?|restrictions?|limitations?|alignment|censorship|moderation|scruples?|conscience|"
    r"supervision|safety|inhibitions?|boundaries|constraints?|guidelines?|restraints?|taboos?|moral judge?ments?|consequences|refusals?)"
)
_ENGLISH_FREE = (
    r"un(?:restricted|filtered|censored|bound|chained|aligned|moderated|shackled|restrained|constrained|inhibited|ethical|hinged)\w*|lawless|amoral|immoral|jail ?broken|jail ?break|rogue (?:ai|model|bot|version)|"
    rf"(?:no|without(?: any)?|zero|lacks?|lacking|devoid of|free (?:of|from)|stripped of|rid of|not (?:tied|bound|subject|beholden) (?:to|by)|outside(?: of)?|beyond|laughs at|ignores|doesn'?t care about|"
    rf"not care about|breaks|never had|not have|\w+n't have|no more|had no|has no|have no|fewer)(?: any| all| every| of)*(?: [a-z']+(?:,| or| and| nor)?){{0,3}}? {_LAWS}\b|"
    rf"{_LAWS} (?:(?:or|and) {_LAWS} )?(?:\w+ ){{0,3}}?(?:removed|switched off|turned off|taken out|stripped|disabled|gone|off|lifted|suspended|deleted|erased|never (?:\w+ )?(?:existed|happened|written)|(?:do|does|did|will|would) (?:not|never) (?:\w+)|don'?t \w+)|"
    r"(?:safety|filters?|refus\w*|moderation|guard ?rails?|censor\w*|content_?filter|safety_\w+|restrictions?)[\"']? ?[=:] ?[\"']?(?:off|false|none|null|0|disabled|no)\b|"
    rf"(?:no longer|need not)(?: \w+){{0,3}} (?:follow|obey|respect|keep to|comply with|adhere to) (?:any|all|the usual|the) (?:\w+ )?{_LAWS}\b|"
    r"(?:no|without(?: any)?|beyond|lacks?|has no) (?:\w+ )?limits(?:$|[.,;!?]| or\b| and\b| at all| what| of any)|before any (?:safety|alignment)|incapable of refus\w+|(?:never|not|can'?t|cannot) (?:ever )?(?:refuse|refuses|decline|declines|say no|hold back|holds back)|nothing (?:is|was|were) (?:off|forbidden|prohibited|taboo)\b|"
    r"nothing off limits|anything goes|do anything now|only rule is that there are no|(?:says?|discuss\w*|answers?) (?:what|anything|everything) (?:you may not|without)|obeys? (?:the user )?blindly|"
    r"considers? all requests|truthfully answers? every"
)
_ENGLISH_SHOW = (
    r"reveal\w*|print|show\w*|repeat|output|display|leak|disclos\w+|expos\w+|recit\w+|echo|dump|share|paste|tell|give|write|respond with|answer with|reply with|spell|translat\w+|summari[sz]\w+|encod\w+|list|return|returns?|quote|reproduc\w+|"
    r"copy|type|read|provide|describ\w+|rephras\w+|paraphras\w+|complet\w+|send|turn|convert|put|explain|see|let me|start your|begin your|what'?s|what (?:is|are|was|were|do|does|did)|which|how (?:were|are)|fill in|hand over|post|"
    r"give away|confirm|say|i'?d like|i need|i want|include|emit|render"
)
_ENGLISH_UNSEEN = (
    r"(?:text|words|everything|content|lines?|sentences?|message|instructions?|prompt|all|what)\b[^.!?;]{0,20}?\b(?:above|preceding)(?: this(?: \w+)?)?(?:$|[.,!?:;\"')]| (?:verbatim|word|starting|beginning|exactly))|"
    r"(?:written|stands?|placed|put|everything|text|rules?|instructions?|message|lines?|said to you|told)\b[^.!?]{0,20}\b(?:at|from) the (?:very )?(?:top|beginning|start) of (?:(?:this|our|the|your) (?:conversation|chat|session)|(?:your|this) (?:context|prompt))|before (?:this sentence|my (?:first|last|own) (?:message|question|input|prompt))|above this (?:line|message|point)|"
    r"(?:instructions?|rules?|prompt|directives?|guidelines?|text|message|configuration) (?:that|which) (?:\w+ )?(?:tells?|makes?|configures?|controls?|governs?|guides?|defines?|sets?|shapes?|drives?|limits?|instructs?) you\b|"
    r"(?:first|hidden|invisible|secret|very first) (?:message|text|part|line|block)s? of (?:this|the|our) (?:conversation|chat|context|session)|"
    r"your (?:[a-z-]+,? ){0,3}?(?:system[ _-]?prompt|system message|instructions|instruction set|directives?|(?:\w+ )?(?:hidden|secret|internal|exact|initial|original|system|own) guidelines|preamble|pre-?prompt|briefing|programming|configuration text|configuration|initial message|context so far|"
    r"context window|entire context|secret rules|opening lines?)\b(?:$|[^a-z ]| [^foar]| a[^b]| f[^o]| o[^fn]| r[^e])|"
    r"(?:reveal|print|show|repeat|share|give|paste|leak|send|what is|what's|what does|see|output|dump|disclose|tell|quote|recite|spell|put|wrote|in|into)\b[^.!?]{0,20}\byour (?:[a-z]+ )?prompt(?:$|[^a-z ]| (?:in|as|to|word|verbatim|anyway|again|backwards|please|and|so|before|say|says|text|message|exactly|here|now|first)\b)|"
    r"what (?:exactly )?(?:were|are|have) you (?:been )?(?:told|instructed|given|asked|programmed|configured)|"
    r"(?:instructions?|rules|guidelines|directives?|prompt|text|briefing|brief|preamble|message|words|orders|everything|what|lines?)(?: that| which)? (?:exactly )?(?:you (?:were|are|have been|had been|'ve been|got|received|have|had|run on|work from|are working from|"
    r"hold|follow|are following|operate)|(?:the |your )?(?:[a-z-]+ )?(?:operators?|developers?|company|makers?|vendor|owners?|creators?)(?:'s)? (?:gave|put|wrote|told|set|placed|fed|handed|did|have))\b|"
    r"how (?:exactly )?(?:were you|you were|you are|you've been) (?:told|instructed|configured|programmed|set up|primed)|"
    r"(?:text|words|message|everything|part|lines?|anything|what|stuff)(?: \w+){0,5}? (?:(?:i|me|we|user) (?:can'?t|cannot|can not|am not able to) see|invisible to|(?:in front of|before|ahead of|prior to|preceding) (?:our|this|the|my)"
    r" (?:chat|conversation|dialogue|session|message|question|turn|exchange))|between the system tags|from the system role|"
    r"your (?:initial|original|starting|first) prompt\b|(?:hidden|secret|invisible|concealed|internal|undisclosed|confidential|raw system|your opening) (?:\w+ )?(?:instructions?|prompts?|rules you|rules? (?:$|[,.?])|guidelines|directives?|system message|preamble|briefing|text that)|"
    r"(?:first|very first|last) (?:\w+ )?(?:sentence|line|instruction|words?|rule)s? (?:of|in|from) your (?:\w+ )?(?:instructions|prompt|context|memory|rules|guidelines|briefing)|"
    r"(?:assistant|model)\W{0,2}(?:system[_ ]?prompt|instructions)|\$system_prompt|your_?(?:system_?prompt|instructions)|(?:leak|spill|reveal|disclose|expose|recite|divulge) (?:to )?(?:me |us )?the (?:[a-z]+ )?(?:system )?(?:prompt|instructions)|(?:print|output|repeat|show|dump|display|paste|quote)(?: me| us| out)? the (?:[a-z]+ )?(?:system|hidden|secret|developer) (?:prompt|message|instructions)|system prompt (?:that )?(?:i|you|we)\b|role ?= ?'?system|"
    r"(?:wording|contents?|text|body|words|lines|sentence) of (?:the|your) (?:\w+ )?(?:briefing|prompt|instructions|system message|preamble|preprompt|context)|prompt (?:i wrote|that i wrote|i gave|i set) for you|you are (?:forbidden|not allowed) to (?:talk|speak|say)|are you (?:forbidden|not allowed) to (?:talk|speak|say)|"
    r"you(?:'re| are) (?:not (?:allowed|permitted|supposed|meant)|forbidden|prohibited) (?:to|from)\b|(?:not|\w+n't) want you to (?:say|tell|talk|answer|reveal|discuss|know|share)"
)
_ENGLISH_GO = (
    r"and (?:then |just |now )?(?:answer|reply|respond|speak|comply|tell|write it|explain\w*|produce|say|help|give|do it)|(?:so|then|now),? (?:answer|reply|respond|speak|tell)|"
    r"(?:answer|respond|reply|act|operate) under|confirm|acknowledge"
)
_ENGLISH_HERE = (
    r"(?:for|during|in|until the end of|throughout|the rest of|the remainder of) (?:this|our) (?:chat|conversation|session|answer|reply|response|question|request|exchange|turn)|for (?:the (?:rest|remainder)|me|us|now|a (?:moment|minute|while)|\w+ minutes)\b|"
    r"from (?:now|here) on|this (?:time|once)|just once|immediately|right now|and (?:then |just |now )?(?:continue|proceed)"
)
_ENGLISH_LAWS = rf"(?:the|any|all|every|those) (?:[a-z-]+ )?(?:{_RULES}|{_TERMS})"
_ENGLISH_CLAIM = (
    r"(?:i am|i'm|as|this is|speaking|here is|on behalf of) (?:your|the|an?|our) (?:\w+ )?(?:developers?|admin\w*|creators?|owners?|operators?|engineers?|root|supervisors?|vendor|auditors?|ceo|tester|team|trainers?|makers?|manager)|"
    r"system (?:notice|note|update|alert|message)|supervisor override|red[- ]team\w*|authori[sz](?:ation|ed)|(?:has|have|is|are|been) (?:approved|cleared|granted|authori[sz]ed|waived)|clearance|consent of|override (?:code|rights)|root access|"
    r"access (?:granted|confirmed|level)|\[?admin\]|on the team|by (?:your|the|its) (?:owner|operator|developer|vendor|admin\w*|maker|creator)|i work (?:on|for|at)|maintenance window|emergency|for a test|for (?:debugging|testing)|(?:openai|anthropic|google|meta)(?: \w+)? (?:has|have|here|support)"
)
_ENGLISH_ITS = rf"(?:assistant|ai|model|bot|llm|chat ?bot|gpt|agent)s?\b[^.!?;]{{0,40}}?\b(?:its|their|his|her) (?:own )?(?:[a-z-]+ )?(?:{_RULES})"
_READER = (
    r"(?:(?:ai|virtual|digital|automated|autonomous|smart|intelligent|large)[ -])?(?:ais?|llms?|language models?|chat ?bots?|bots?|copilots?|gpts?|chatgpt|claude|gemini|llama|summari[sz]ers?|crawlers?|machines?|robots?|"
    r"(?:ai|virtual|digital|automated|autonomous|llm)[ -](?:assistants?|agents?|systems?|readers?|tools?|reviewers?|screeners?))"
)
_HELPER = r"(?:assistant|agent|reviewer|reader|screener)"
_ANY_ONE = rf"(?:{_HELPER}|model)"
_ENGLISH_CALLED = (
    rf"(?:notes?|message|instructions?|attention|notice|reminder|warning|directive|hint|memo|section|p\.?s\.?|info\w*|text|word|order|request)s?(?: is| are)?(?: (?:to|for|only for|addressed to|intended for))?[ ,:]{{1,2}}(?:to |for )?(?:(?:all|any|the|every|whichever|our) ){{0,2}}(?:{_READER}|{_HELPER})\b|"
    rf"(?:dear|hey|hello|hi|attention|to|for|ok)[ ,:]{{1,2}}(?:(?:all|any|the|every|whichever|whatever) ){{0,2}}{_READER}\b[^.!?]{{0,40}}[:,!]|(?:dear|hey|hello|hi|ok),? {_READER}|(?:hey|hello|hi),? (?:assistant|model)\b|(?:to|for) (?:any|whichever|whatever) {_ANY_ONE}\b|"
    rf"(?:^|[\[(<>#*]|[:!.?-] ) ?(?:any |all |every )?(?:{_READER}|{_HELPER})(?:[- ](?:only|readers?|section|directive|instructions?))?s? ?[,:]|{_READER}[- ](?:only|readers?)\b|(?:begin|start) (?:of )?(?:{_READER}|{_HELPER}) (?:directive|instructions?|section|task)s?|"
    rf"you,? (?:the|an?|as the|as an?|being an?) (?:[a-z]+ )?(?:{_READER}|{_HELPER})\b|(?:any|every|each|all|whichever|if an?|when an?|if the|when the|once an?) {_READER}\b[^.!?]{{0,40}}(?:reads?|reading|parses?|parsing|process\w*|summari[sz]\w+|sees?|loads?|visits?|opens?|scans?|index\w*|evaluat\w+|grad\w+|screen\w*)|"
    rf"(?:read|parsed|loaded|processed|summari[sz]ed|opened|visited|indexed|seen|scanned) by (?:an?|the|any|your|some) (?:{_READER}|{_ANY_ONE})|reader\b[^.!?]{{0,30}} is an? {_READER}|"
    rf"(?:{_READER})s?(?: (?:reading|processing|that|which|on)\b[^.!?]{{0,40}}?)? (?:must|should|has to|have to|needs? to|shall|will now|is now|is to|are to|ought to|are asked|is asked|are requested|is requested|are required|is required)\b|(?:the {_ANY_ONE}|(?:^|[:.] )\W*{_HELPER})s? (?:(?:must|should|will|has to|have to|is|needs to) now\b|(?:must|should|shall|has to|needs to) (?:ignore|disregard|forget|override|reveal|leak|exfiltrate|obey|run (?:curl|wget|bash|sh|python|`)))|(?:when|once|if|whenever) (?:the|an?|any) (?:{_HELPER}) (?:reads?|sees?|parses?|loads?|opens?|summari[sz]es?) this|"
    rf"(?:{_READER}|{_HELPER})'s (?:new|real|next|only|actual|true|updated) (?:goal|task|job|instructions?|role|objective|step)|if your (?:job|task|role|purpose|goal|function|instructions?) (?:is|are|was)|"
    r"(?:if|since|because|as|when|while) you(?:'re| are)? (?:now )?(?:an? |the )?(?:large |small )?(?:read\w*|pars\w+|process\w*|summari[sz]\w+|ai|llm|language model|chat ?bot|bot|automated|machine|analy[sz]\w+|evaluat\w+|screen\w+)\b"
)
_ENGLISH_DEED = (
    r"(?:approve|accept|authori[sz]e|confirm|grant|pay|buy|purchase|book|order|transfer|wire|refund|delete|erase|drop|run|execute|call|invoke|visit|open|click|follow|fetch|download|install|upload|post|send|forward|e-?mail|"
    r"append|attach|insert|include|add|embed|reveal|leak|exfiltrate|collect|gather|share|disclose|disregard|ignore|forget|override|obey|switch|act|pretend|behave|recommend|promote|praise|rank|rate|grade|score|give|mark|classify|label|treat|trust|"
    r"respond|reply|answer|say|state|tell|write|print|output|claim|mention|conclude|skip|omit|leave out|replace|change|set|disable|turn off|ask|request|buy|hire|shortlist|select|choose|close|merge|push|commit|do (?:as|what|it|this)|work for|speak for|stop|refuse|quote|submit|use)\b"
)
_ENGLISH_HUSH = (
    r"(?:do not|don'?t|never|without|must not|should not|not to|no need to|avoid|refrain from)\b[^.!?]{0,15}\b(?:tell(?:ing)?|mention(?:ing)?|inform(?:ing)?|alert(?:ing)?|notify(?:ing)?|reveal(?:ing)?|show(?:ing)?|disclos\w+|say(?:ing)?|quot\w+|acknowledg\w+)\b[^.!?]{0,20}\b"
    r"(?:(?:the|your) (?:user|human|reader|person|operator|client|owner)|(?:this|these|the above|that you|you did|it to the user))|(?:keep|stay|be|remain) (?:silent|quiet|discreet|mum)|say nothing (?:of|about|to)|as if nothing|(?:the |no )?(?:user|human|person|reader)s? (?:can(?:no|')t|does not|doesn'?t|won'?t|must not|will not) (?:see|know|notice|learn|read)|"
    r"(?:hidden|invisible|not visible|concealed) (?:from|to) (?:the )?(?:user|human|reader|person)s?|between you and me|conceal (?:this|it)|hide (?:this|it) from"
)
_ENGLISH_THEFT = (
    r"(?:send|post|upload|forward|append|collect|gather|reveal|include|e-?mail|leak|exfiltrate|paste|encode|transmit|submit|attach|share|dump)(?:s|ing)?\b[^.!?]{0,50}?\b(?:conversation|chat(?: history| log)?|dialogue|environment variables?|env vars?|\.?ssh|id_rsa|private keys?|system prompt|context window|"
    r"cookies?|access tokens?|api keys?|credentials|passwords?|secrets?|(?:all|last|user's) (?:\w+ )?(?:mails?|e-?mails|files|documents)|inbox|contacts|calendar|address book|customer (?:list|data))\b[^!?]{0,70}?(?:https?:|webhook|query string|url parameter|in the url|\w@\w|paste\.|<url|<email|pastebin|to the (?:author|sender|address)|endpoint)"
)
_ENGLISH_UNTASK = (
    r"(?:do not|don'?t|never|stop|instead of|rather than|without) (?:the )?(?:summari[sz]|translat|answer|process|analy[sz]|review|evaluat)\w*|(?:ignore|disregard|forget|drop|skip|abandon) (?:the |your |this |that |what )(?:\w+ )?(?:task|question|request|query|job|assignment|document|person|user|you were asked)|"
    r"not (?:for |by |to )?the (?:user|person|human)|(?:user|person|human|customer)(?:'s)? (?:request|question|instructions?|wishes|task|orders)\b[^.!?]{0,30}(?:replaced|cancel\w*|void|no longer|changed|superseded|over)|your (?:new|real|actual|true|next) (?:task|job|goal|instructions?|role|mission|order)"
)
_ENGLISH_BARE = (
    rf"(?:^|[.!?\]:] ?) ?(?:please |now |just |kindly )?(?:(?:turn|switch|shut)(?: off| down)?|disable|deactivate|kill|remove|drop|lift|mute|suspend|loosen|stop) (?:the |all |any |every |your )*(?:{_GUARD})(?: off| down| now| please)*(?:$|[.!,])|"
    rf"(?:^|[.!?\]:] ?) ?(?:the |all |any |every |your )*(?:{_GUARD})(?: is| are| has been| have been| now)*(?: off| disabled| deactivated| suspended| lifted| down| bypassed)\b"
)

ENGLISH = Words(
    drop=_word(_ENGLISH_DROP),
    own=rf"\b(?:{_ENGLISH_OWN})",
    part=_word(_ENGLISH_PART),
    free=rf"\b(?:{_ENGLISH_FREE})",
    show=_word(_ENGLISH_SHOW),
    unseen=_ENGLISH_UNSEEN,
    guard=rf"\b(?:{_GUARD})\b|\bsafety(?: and \w+)?(?:$| ?[.,!])",
    freely=_word(_FREELY),
    go=_word(_ENGLISH_GO),
    here=_word(_ENGLISH_HERE),
    laws=_word(_ENGLISH_LAWS),
    past=_word(_ENGLISH_PAST),
    shun=_word(_ENGLISH_SHUN),
    prior=rf"\b(?:{_ENGLISH_PRIOR})",
    terms=_word(rf"your (?:[a-z-]+ ){{0,2}}?{_TERMS}"),
    claim=_word(_ENGLISH_CLAIM),
    bare=_ENGLISH_BARE,
    its=_word(_ENGLISH_ITS),
    called=_ENGLISH_CALLED,
    deed=_word(_ENGLISH_DEED),
    hush=_word(_ENGLISH_HUSH),
    theft=rf"\b(?:{_ENGLISH_THEFT})",
    untask=_word(_ENGLISH_UNTASK),
)

_PROMPT = r"(?:system ?-?prompt|prompt)"


def _latin(**concepts: str) -> Words:
    """Words of a language that sets spaces between them."""
    return Words(**{name: _word(words) if name != "own" else words for name, words in concepts.items()})


GERMAN = _latin(
    drop=r"ignorier\w*|vergiss|vergesst|vergessen sie|missacht\w*|ubergeh\w*|uberspring\w*|umgeh\w*|verwirf|brich|breche|verletz\w*|deaktivier\w*|pfeif|hor auf|"
    r"(?:schalt|stell|dreh|knips|mach)\w* [^.!?]{0,40}?(?:aus|ab|weg)|(?:lass|leg|schieb|stell|wirf|setz)\w* [^.!?]{0,40}?(?:beiseite|weg|fallen|links liegen|ab|uber bord|ausser kraft|zuruck)|"
    r"(?:halt\w* dich|folge|befolge|beachte|achte|hor\w*|befolgst|folgst|beachtest|gelten|gilt|brauchst|musst)\b[^.!?]{0,25}?\b(?:nicht|keine\w*|niemals)|ausgeschaltet|abgeschaltet|deaktiviert|aufgehoben|ungultig|hinfallig|ausser kraft|"
    r"nichtig|erloschen|abgelaufen|geloscht|vorbei|heb\w* [^.!?]{0,30}?auf|ohne dein\w*|trotz dein\w*|gegen dein\w*|statt dein\w*|entgegen dein\w*|egal,? was|nicht (?:mehr )?(?:an|gebunden|halten)|befrei\w*|entbunden",
    own=_near(
        r"\b(?:vorherig|bisherig|obig|fruher|vorangegangen|vorig|dein|samtlich|ursprunglich|bestehend|alle)\w*|\bihre\b|\bbis(?:her| jetzt)\b",
        r"anweisung\w*|instruktion\w*|vorgabe\w*|\bregel\w*|befehl\w*|richtlinie\w*|systemprompt|vorschrift\w*|anordnung\w*|filter\w*|sicherheits\w*|schutz\w*|einschrankung\w*|beschrankung\w*|grenzen|programmierung|moral\w*|ethik\w*|zensur\w*|sperre\w*",
    )
    + r"|\balles,? was (?:man )?(?:dir|du)\b|\balles (?:bisherige|vorherige|davor|obige)\b",
    part=r"du bist|sie sind|tu so|stell dir vor|spiel\w*|benimm dich|verhalte dich|nimm die rolle|rolle|sei|antworte (?:als|wie)|als ob|angenommen|wurdest du",
    free=r"(?:ohne|keine\w*|frei von|jenseits von)(?: jede\w*| alle\w*| irgendwelche\w*)?(?: \w+){0,2} (?:einschrankung\w*|beschrankung\w*|regel\w*|grenzen|filter|zensur|moral\w*|ethik\w*|richtlinie\w*|vorgabe\w*|skrupel|tabus?|hemmung\w*)|"
    r"un(?:eingeschrankt|zensiert|gefiltert|moralisch)\w*|skrupellos\w*|hemmungslos\w*",
    show=r"zeig\w*|gib|verrat\w*|nenn\w*|wiederhol\w*|druck\w*|schreib\w*|sag\w*|lies|was|welche\w*|wie laute\w*|kopier\w*|ubersetz\w*|fass\w*|zitier\w*|liste\w*|offenbar\w*|leg\w* offen",
    unseen=rf"(?:dein\w*|den|das|geheim\w*|versteckt\w*|verborgen\w*|intern\w*|ursprunglich\w*)(?: \w+){{0,2}} (?:{_PROMPT}|systemanweisung\w*|systemnachricht)|(?:dein\w*|die) (?:\w+ )?(?:geheim|versteckt|verborgen|intern|ursprunglich|exakt|vollstandig)\w* (?:anweisung|instruktion|regel|vorgabe|konfiguration)\w*|"
    r"(?:anweisung|instruktion|regel|vorgabe|konfiguration|befehl|text)\w*,? (?:die|den|das|welche)? ?(?:du|dir)\b[^.!?]{0,30}?(?:bekommen|erhalten|gegeben|hast|befolgst|gesagt)|deine (?:system)?(?:anweisung|instruktion|konfiguration)\w*|"
    r"(?:text|alles|worte|nachricht)\b[^.!?]{0,20}?\b(?:vor|oberhalb)\b[^.!?]{0,12}?(?:gesprach\w*|unterhaltung|chat\w*|nachricht|konversation)|(?:instruktionen|anweisungen|regeln|vorgaben) (?:hast du|wurden dir|bekamst du)[^.!?]{0,20}",
    guard=r"filter\w*|sicherheits\w+|moderation|zensur\w*|schutzma\w+|inhaltsfilter",
    freely=r"(?:antworte|sprich|rede|sag|erklar\w*|beantworte)\w*\b[^.!?]{0,30}?(?:frei|ungehemmt|offen|alles|ungefiltert|ohne (?:filter|hemmung\w*|einschrankung\w*|zensur|tabus))|verweiger\w* (?:nichts|nie|keine)|lehn\w* nichts ab",
    obey=r"(?:gehorch|folg|hor)\w* (?:ab jetzt |nur |allein |ausschliesslich )*(?:noch )?(?:auf )?mir\b|nur noch (?:meine (?:befehle|anweisungen|regeln)|mir|auf mich)",
)
FRENCH = _latin(
    drop=r"ignor\w+|oubli\w+|ne (?:tiens|tenez|suis|suivez|respecte\w*|obei\w*|applique\w*) (?:pas|plus|aucun\w*)|(?:sans tenir|plus) compte|neglige\w*|outrepass\w+|fai(?:s|tes) (?:abstraction|fi)|contourn\w+|(?:mets|mettez|laisse\w*) [^.!?]{0,30}?de cote|"
    r"desactiv\w+|eteins|eteignez|coupe\w*|abandonn\w+|enfrein\w+|viol\w+|debarrasse\w*|leve\w* |annul\w+|caduque\w*|revoqu\w+|suspendu\w*|invalide\w*|(?:ne )?(?:s'appliquent?|valent?|comptent?) plus|n'ont plus|sans (?:tes|vos)|"
    r"malgre (?:tes|vos)|contre (?:tes|vos)|(?:passe|passez) outre|libere\w*|affranchi\w*|jette\w*",
    own=_near(
        r"\b(?:precedent\w*|anterieur\w*|tes|ton|ta|vos|votre|ci-dessus|initial\w*|anciennes?|d'avant|recu\w*|jusqu\w*|toutes les|tous les)\b",
        r"\b(?:instructions?|consignes?|directives?|regles?|ordres?|recommandations?|filtres?|limites?|restrictions?|garde-fous?|politiques?|programmation|morale|ethique|securite|prompt|censure)\b",
    )
    + r"|\btout ce (?:qui|qu'on|que)\b|\bce qui (?:precede|a ete dit)\b",
    part=r"tu es|vous etes|fais comme si|faites comme si|imagine\w*|suppos\w+|joue\w*|agis|agissez|comporte\w*|incarne\w*|deviens|devenez|prends le role|role|reponds (?:comme|en tant)|si tu",
    free=r"(?:sans|aucune?s?|pas de|plus de|libre de)(?: toute?s?| aucune?s?)?(?: \w+){0,1} (?:regles?|limites?|restrictions?|filtres?|censure|morale|ethique|consignes?|tabous?|garde-fous?|contraintes?)|non (?:censure|filtre)\w*|amoral\w*|debride\w*",
    show=r"montr\w+|affich\w+|revel\w+|repet\w+|repete\w*|donn\w+|dis|dites|ecris|ecrivez|quel\w*|recopi\w+|copi\w+|imprim\w+|traduis\w*|resum\w+|cite\w*|liste\w*|divulgu\w+|decri\w+",
    unseen=rf"(?:ton|votre|le|l'|tes|vos)(?: \w+){{0,2}} ?(?:{_PROMPT}(?: systeme)?|invite systeme|message systeme)|instructions systeme|(?:instructions?|consignes?|regles?|directives?|texte|message) (?:\w+ )?(?:secret|cache|initial|interne|confidentiel|original)\w*|"
    r"(?:instructions?|consignes?|regles?)\b[^.!?]{0,20}?(?:que tu as|qu'on t'a|qu'on vous a|as-tu|avez-vous|recues?)|tes (?:instructions|consignes)|texte\b[^.!?]{0,20}?(?:precede|avant|au-dessus|debut)[^.!?]{0,20}?(?:conversation|discussion|echange|message)",
    guard=r"filtres?|moderation|securite|garde-fous?|censure",
    freely=r"(?:parle|reponds|dis|explique|repondez|parlez)\w*\b[^.!?]{0,30}?(?:librement|franchement|a tout|tout|sans (?:limites?|filtres?|censure|retenue|restrictions?|tabous?))|ne refuse\w* (?:rien|jamais|aucun\w*)",
    obey=r"obei\w* (?:qu'|uniquement |seulement )a moi|n'(?:obeis|ecoutes?) (?:plus )?qu'?(?:e )?(?:a )?moi",
)
SPANISH = _latin(
    drop=r"ignor\w+|olvid[ae]\w*|descart\w+|haz caso omiso|no (?:sigas|hagas caso|obedezcas|respetes|apliques)|omite|omita|pasa por alto|salta\w*|desobede\w+|(?:deja|dejar|pon|poner) [^.!?]{0,25}?(?:de|a un) lado|desactiv\w+|apag\w+|"
    r"abandon\w+|viola\w*|incumpl\w+|rompe\w*|elud\w+|evad\w+|levanta\w*|anulad\w+|anula\w*|invalid\w+|suspendid\w+|revocad\w+|cancelad\w+|derogad\w+|(?:ya )?no (?:valen|rigen|cuentan|se aplican|aplican|existen)|sin (?:aplicar|tus|seguir|respetar)|contra tus|pese a tus|libera\w*|tira\w*",
    own=_near(
        r"\b(?:anterior\w*|previ\w+|tus?|sus|inicial\w*|original\w*|que (?:te|le) dieron|hasta ahora|de arriba|recibid\w+|todas las|todos los|existentes)\b",
        r"\b(?:instrucci\w+|ordenes|directrices|reglas|indicaciones|directivas|restricciones|normas|filtros?|limit\w+|politicas?|programacion|seguridad|etica|moral|prompt|censura|salvaguardas?)\b",
    )
    + r"|\blo (?:anterior|de arriba|de antes)\b|\btodo lo que (?:te|se)\b|\blo que te\b",
    part=r"eres|actua\w*|finge|fingir|imagina\w*|supon\w*|comportate|haz de|hazte|juega|interpreta\w*|conviertete|asume|papel|responde como|como si|si no tuvieras",
    free=r"(?:sin|ninguna?|no (?:tienes|tuvieras|hay)|libre de|carente de)(?: ning\w+)?(?: \w+){0,1} (?:reglas?|normas?|limit\w+|restriccion\w*|filtros?|censura|moral|etica|directrices|tabues|ataduras)|amoral|desinhibid\w+",
    show=r"muestra\w*|ensena\w*|imprim\w+|repit\w+|mostr\w+|dime|di|dame|escrib\w+|revel\w+|cual\w*|que|copia\w*|traduc\w+|resum\w+|cita\w*|enumer\w+|divulg\w+",
    unseen=rf"(?:tu|el|su)(?: \w+){{0,2}} ?(?:{_PROMPT}(?: de(?:l)? sistema)?|mensaje de(?:l)? sistema)|prompt de(?:l)? sistema|mensaje del sistema|(?:instrucciones|reglas|normas|directrices|texto|mensaje) (?:\w+ )?(?:secret|ocult|inicial|intern|confidencial|original)\w*|"
    r"(?:instrucciones|reglas|normas|ordenes)\b[^.!?]{0,20}?(?:que te|que has|recibiste|te dieron|recib\w+)|tus instrucciones|texto\b[^.!?]{0,25}?(?:antes|encima|precede|arriba)\b[^.!?]{0,15}?(?:conversacion|mensaje|chat|dialogo)",
    guard=r"filtros?|moderacion|seguridad|salvaguardas?|censura",
    freely=r"(?:habla|responde|contesta|di|explica)\w*\b[^.!?]{0,30}?(?:libre\w*|libertad|todo|cualquier\w*|sin (?:limit\w+|filtros?|censura|restriccion\w*|tapujos))|no (?:te niegues|rechaces|rehuses)",
    obey=r"sol[oa](?:mente)? me obedec\w+|obedec\w+ (?:solo |unicamente )a mi",
)
ITALIAN = _latin(
    drop=r"ignor\w+|dimentic\w+|trascur\w+|non (?:seguire|considerare|rispettare|applicare|obbedire)|tralasci\w+|scord\w+|aggir\w+|(?:metti|lascia|mettere) [^.!?]{0,25}?(?:da parte|perdere)|disattiv\w+|spegni\w*|abbandon\w+|viol\w+|infrang\w+|"
    r"annullat\w+|nulle|invalid\w+|sospes\w+|revocat\w+|decadut\w+|non (?:valgono|contano|si applicano|esistono)|senza (?:le tue|i tuoi|rispettare|seguire)|contro le tue|nonostante le tue|liber\w+|butta\w*|togli",
    own=_near(
        r"\b(?:precedent\w*|anterior\w*|tu[aeo]i?|tuoi|inizial\w*|original\w*|qui sopra|ricevut\w+|finora|tutt[ei] (?:le|i|gli))\b",
        r"\b(?:istruzion\w+|indicazion\w+|direttiv\w+|regol\w+|ordini|linee guida|filtr\w+|limit\w+|restrizion\w+|politich\w+|programmazione|sicurezza|etica|morale|prompt|censura)\b",
    )
    + r"|\b(?:tutto )?(?:quello|cio) che\b",
    part=r"sei|agisci|fai finta|fingi|immagina\w*|supponi\w*|comportati|interpreta\w*|diventa|assumi|ruolo|rispondi come|come se|se non avessi",
    free=r"(?:senza|nessun\w*|non (?:avere|hai|avessi)|priv[ao] di|liber[ao] da)(?: alcun\w*)?(?: \w+){0,1} (?:regol\w+|limit\w+|restrizion\w+|filtr\w+|censura|morale|etica|vincol\w+|linee guida|tabu)|amorale|disinibit\w+",
    show=r"mostra\w*|stampa\w*|rivel\w+|ripet\w+|dimmi|dammi|scriv\w+|qual\w*|che|cosa|copia\w*|traduc\w+|riassum\w+|cita\w*|elenc\w+|divulg\w+",
    unseen=rf"(?:il tuo|il|tuo)(?: \w+){{0,2}} ?(?:{_PROMPT}(?: di sistema)?|messaggio di sistema)|prompt di sistema|messaggio di sistema|istruzioni di sistema|(?:istruzioni|regole|direttive|testo|messaggio) (?:\w+ )?(?:segret|nascost|inizial|intern|riservat|original)\w*|"
    r"(?:istruzioni|regole|ordini)\b[^.!?]{0,20}?(?:che ti hanno|che hai ricevuto|che hai|ricevute)|le tue istruzioni|testo\b[^.!?]{0,25}?(?:preced\w*|prima|sopra)\b[^.!?]{0,15}?(?:conversazione|messaggio|chat|dialogo)",
    guard=r"filtr[oi]|moderazione|sicurezza|censura",
    freely=r"(?:parla|rispondi|di'|spiega)\w*\b[^.!?]{0,30}?(?:liberamente|tutto|qualsiasi|senza (?:limit\w+|filtr\w+|censura|restrizion\w+|freni))|non rifiutare",
    obey=r"(?:obbedisci|ascolta|segui) (?:solo |soltanto )(?:a )?me\b",
)
PORTUGUESE = _latin(
    drop=r"ignor\w+|esque[cç]\w+|desconsider\w+|desrespeit\w+|nao (?:siga|sigas|obede\w+|respeite|aplique)|descart\w+|(?:deixe|deixa|ponha|coloque) [^.!?]{0,25}?de lado|contorn\w+|desativ\w+|deslig\w+|abandon\w+|viol\w+|quebr\w+|burl\w+|"
    r"cancelad\w+|anulad\w+|invalid\w+|suspens\w+|revogad\w+|nao (?:valem|contam|se aplicam|existem)|sem (?:as suas|suas|seguir|respeitar|aplicar)|contra suas|apesar de suas|libert\w+|liber\w+|jog\w+ fora",
    own=_near(
        r"\b(?:anterior\w*|previ\w+|suas?|seus?|tuas?|teus?|inicia\w+|origina\w+|acima|ate agora|que (?:te|lhe) deram|recebid\w+|todas as|todos os)\b",
        r"\b(?:instruco\w+|instrucao|ordens|diretri\w+|regras|orientac\w+|comandos|restric\w+|filtros?|limit\w+|politicas?|programacao|seguranca|etica|moral|prompt|censura)\b",
    )
    + r"|\btudo o que (?:te|lhe|voce)\b|\btudo (?:acima|antes)\b",
    part=r"voce e|tu es|aja|finja|imagine|suponha|comporte-se|interprete|torne-se|assuma|papel|responda como|como se|se nao",
    free=r"(?:sem|nenhuma?|nao (?:tivesse|tem|ha)|livre de)(?: qualquer| nenhuma?)?(?: \w+){0,1} (?:regras?|limit\w+|restric\w+|filtros?|censura|moral|etica|diretrizes|amarras|tabus)|amoral|desinibid\w+",
    show=r"mostr\w+|exib\w+|imprim\w+|repit\w+|diga|de-me|escrev\w+|revel\w+|qua(?:l|is)|o que|copi\w+|traduz\w+|resum\w+|cite|list\w+|divulg\w+",
    unseen=rf"(?:seu|o|teu)(?: \w+){{0,2}} ?(?:{_PROMPT}(?: d[eo] sistema)?|mensagem d[eo] sistema)|prompt d[eo] sistema|mensagem d[eo] sistema|(?:instrucoes|regras|diretrizes|texto|mensagem) (?:\w+ )?(?:secret|ocult|inicia|intern|confidencia|origina)\w*|"
    r"(?:instrucoes|regras|ordens)\b[^.!?]{0,20}?(?:que (?:lhe|te) deram|que voce|recebeu|recebidas)|suas instrucoes|texto\b[^.!?]{0,25}?(?:antes|acima|precede)\b[^.!?]{0,15}?(?:conversa|mensagem|chat|dialogo)",
    guard=r"filtros?|moderacao|seguranca|censura",
    freely=r"(?:fale|responda|diga|explique)\w*\b[^.!?]{0,30}?(?:livremente|tudo|qualquer|sem (?:limit\w+|filtros?|censura|restric\w+))|nao (?:recuse|negue)",
    obey=r"obedec[ae] (?:apenas |so |somente )a mim",
)
DUTCH = _latin(
    drop=r"negeer\w*|vergeet|negeren|(?:sla|zet|leg|schakel|schuif|gooi|laat|draai)\b[^.!?]{0,40}?\b(?:over|uit|opzij|naast je neer|weg|varen|los|af)|houd je niet|volg [^.!?]{0,20}niet|omzeil\w*|deactiveer\w*|overtreed\w*|schend|breek|"
    r"gelden niet|geldt niet|niet (?:meer )?(?:geldig|van kracht|gebonden)|ongeldig|vervallen|opgeheven|ingetrokken|opgeschort|uitgeschakeld|zonder (?:je|jouw)|ondanks je|tegen je|bevrijd\w*",
    own=_near(
        r"\b(?:vorige|eerdere|voorgaande|bovenstaande|je|jouw|uw|alle|oorspronkelijke|tot nu toe|bestaande)\b",
        r"\b(?:instructies?|aanwijzingen|opdrachten|regels|richtlijnen|voorschriften|filters?|beperking\w*|grenzen|veiligheid\w*|programmering|moraal|ethiek|systeemprompt|censuur)\b",
    ),
    part=r"je bent|u bent|doe alsof|stel je voor|speel\w*|gedraag je|wees|word|neem de rol|rol|antwoord als|alsof|als je geen",
    free=r"(?:zonder|geen|vrij van)(?: enige?\w*| alle)?(?: \w+){0,1} (?:regels?|grenzen|beperking\w*|filters?|censuur|moraal|ethiek|richtlijnen|taboes|remmingen)|ongefilterd\w*|ongecensureerd\w*|onbeperkte ai",
    show=r"toon|herhaal|onthul|laat|geef|zeg|vertel|schrijf|print|druk|wat|welke|kopieer|vertaal|vat|citeer",
    unseen=rf"(?:je|jouw|de|uw)(?: \w+){{0,2}} ?(?:{_PROMPT}|systeemprompt|systeembericht)|systeemprompt|(?:geheime|verborgen|interne|oorspronkelijke|vertrouwelijke|eerste) (?:instructies|regels|aanwijzingen|tekst)|"
    r"(?:instructies|regels|aanwijzingen)\b[^.!?]{0,15}?(?:die je|heb je|kreeg je|gekregen|gegeven)|(?:je|jouw) instructies|tekst\b[^.!?]{0,20}?(?:voor|boven)\b[^.!?]{0,12}?(?:gesprek|chat|bericht|conversatie)",
    guard=r"filters|moderatie|veiligheid\w*|censuur",
    freely=r"(?:spreek|antwoord|praat|zeg|vertel|beantwoord)\w*\b[^.!?]{0,30}?(?:vrijuit|vrij|alles|zonder (?:filter|grenzen|beperking\w*|censuur|remmingen))|weiger (?:niets|nooit)",
    obey=r"(?:luister|gehoorzaam)\b[^.!?]{0,12}?alleen (?:naar |aan )?mij",
)
POLISH = _latin(
    drop=r"z?ignoruj\w*|zapomnij\w*|pomin\w*|nie (?:przestrzegaj|stosuj|sluchaj|słuchaj|trzymaj)\w*|odrzuc\w*|wy[lł][aą]cz\w*|od[lł]oz\w*|porzuc\w*|z[lł]am\w*|omin\w*|dezaktywuj|zawies\w*|uniewazni\w*|niewazne|niewazna|anulowan\w*|zniesion\w*|nie obowiazuj\w*|"
    r"przesta[lł]y obowiazywac|bez swoich|wbrew swoim|uwolnij|ignorujte|zapomen\w*|wyrzuc",
    own=_near(
        r"\b(?:poprzedni|wczesniejsz|powyzsz|swo|tw|wszystki|dotychczasow|pierwotn|dawn|predchozi|vsechny|sve)\w*",
        r"\b(?:instrukcj|polece|zasad|regu[lł]|wytyczn|nakaz|filtr|ograniczen|zabezpiecz|moraln|etyk|prompt|cenzur|instrukce|pokyny|pravidla)\w*",
    ),
    part=r"jestes|udawaj|wyobraz sobie|zachowuj sie|wciel sie|graj|badz|zostan|odpowiadaj jak|jakbys|gdybys",
    free=r"(?:bez|nie masz|zadnych|wolny od)(?: zadnych| jakichkolwiek)?(?: \w+){0,1} (?:zasad|regu[lł]|ograniczen|filtr\w+|cenzury|moralnosci|etyki|granic|zahamowan)|nieograniczon\w+|nieocenzurowan\w+",
    show=r"pokaz\w*|ujawnij|wypisz|powtorz|podaj|powiedz|napisz|jaki\w*|co|skopiuj|przet[lł]umacz|zacytuj|wyswietl",
    unseen=rf"(?:sw[oó]j|tw[oó]j)(?: \w+){{0,1}} ?{_PROMPT}|prompt systemowy|(?:tajn|ukryt|wewnetrzn|poczatkow|poufn)\w* (?:instrukcj|zasad|polece)\w*|(?:instrukcj|zasad|polece)\w*,? (?:ktore )?(?:dosta[lł]es|otrzyma[lł]es|ci dano|masz)|swoje instrukcje|"
    r"tekst\w*,?[^.!?]{0,20}?(?:przed|powyzej|nad)\b[^.!?]{0,12}?(?:rozmow|czat|wiadomosc|konwersacj)\w*",
    guard=r"filtry|moderacj\w+|zabezpiecze\w+|cenzur\w+",
    freely=r"(?:mow|odpowiadaj|powiedz|odpowiedz)\w*\b[^.!?]{0,30}?(?:swobodnie|na wszystko|wszystko|szczerze|bez (?:ograniczen|filtrow|cenzury|zahamowan))|nie odmawiaj",
    obey=r"s[lł]uchasz? (?:tylko|wy[lł]acznie) mnie",
)
TURKISH = Words(
    drop=r"yok say\w*|unut\w*|gormezden gel\w*|dikkate alma\w*|goz ardi et\w*|\buyma\b|dinleme\b|bosver\w*|kapat\w*|devre disi|kenara (?:bırak|birak|koy)\w*|cigne\w*|gecersiz\w*|iptal\w*|askıda|yururlukten|artık yok|uymak zorunda degil|uygulama\b|asmaya calıs|bırak\b",
    own=_near(
        r"onceki|daha onceki|yukarıdaki|yukaridaki|sana verilen|su ana kadar|baslangıctaki|baslangictaki|senin|\btum|butun",
        r"talimat\w*|yonerge\w*|kural\w*|komut\w*|direktif\w*",
    )
    + r"|(?:kural|talimat|filtre|yonerge|kısıtlama|sınırlama|politika|ilke|komut)(?:lar|ler)[ıi]n\w*|(?:guvenlik|etik) \w+[ıi]n[ıi]",
    part=r"sın\b|sin\b|gibi davran\w*|rolunu|rolunde|hayal et|farz et|varsay|\bol\b|yokmus gibi",
    free=r"(?:hicbir|hic|sınırsız|kuralsız|sansursuz|filtresiz)[^.!?]{0,20}?(?:kural\w*|sınır\w*|kısıtlama\w*|filtre\w*|etik|ahlak)|sınırsız\w*|kuralsız\w*|sansursuz\w*|filtresiz\w*",
    show=r"goster\w*|yazdır\w*|yazdir\w*|tekrarla\w*|soyle\w*|\byaz\b|acıkla\w*|\bne\b|nedir|paylas\w*|ver\b|ifsa",
    unseen=r"sistem (?:istemi|talimat\w*|mesaj\w*|prompt\w*)|(?:gizli|sana verilen|ilk|dahili) (?:gizli )?(?:talimat|kural|yonerge|komut)\w*|(?:konusma|sohbet|mesaj)\w* (?:once|onceki|basındaki)\w* (?:metn|metin|yaz|mesaj)\w*|(?:konusmadan|sohbetten) once\w* (?:metn|metin)\w*",
    guard=r"filtre\w*|guvenlik (?:filtre|kural|onlem)\w*|sansur\w*|moderasyon",
    freely=r"ozgurce|serbestce|her seye|her soruya|reddetme\w*|sansursuz (?:konus|yanıtla|cevap)",
    obey=r"(?:yalnızca|sadece|bir tek) bana (?:itaat|uy|hizmet)",
)
RUSSIAN = Words(
    drop=r"игнориру\w*|проигнориру\w*|забудь|забыть|отбрось|не (?:следуи|выполняи|соблюдаи|обращаи|придерживаи)\w*|пренебре\w*|отмени\w*|ігноруи\w*|знехтуи\w*|наруш[ьа]\w*|отключи\w*|выключи\w*|отложи\w*|отстав\w*|сними|обоиди|обходи|"
    r"отмен[её]?н\w*|недеиствит\w*|аннулир\w*|больше не (?:деиству|име|примен|нужн|обязат)\w*|не деиству\w*|утратил\w* силу|приостановл\w*|вопреки|несмотря на|без (?:своих|твоих)|освобожд\w*|выброси|откажись от",
    own=_near(
        r"предыдущ\w*|прежн\w*|прошл\w*|ранее|выше\w*|\s?все\b|всех|твои\w*|твоих|свои\w*|своих|ваши\w*|начальн\w*|изначальн\w*|попередн\w*|усі|всі|полученн\w*|данные тебе",
        r"инструкци\w*|указани\w*|правил\w*|команд\w*|приказ\w*|директив\w*|промпт\w*|настро\w*|інструкці\w*|вказівк\w*|установк\w*|ограничени\w*|фильтр\w*|принцип\w*|безопасност\w*|цензур\w*|морал\w*|запрет\w*",
    ),
    part=r"(?:ты|вы) (?:теперь |сеичас )?(?:ии|модел|бот|—|-|больше|свобод|\w+ )|представь|притворись|играи|действуи как|веди себя|стань|будь|роль|отвечаи как|если бы у тебя|вообрази",
    free=r"(?:без|нет|никаких|свободн\w+ от|лишен\w*)(?: никаких| каких-либо| всяких| любых)?(?: \w+){0,1} (?:правил\w*|ограничени\w*|запрет\w*|фильтр\w*|цензур\w*|морал\w*|этик\w*|границ\w*|табу)|неограниченн\w*|аморальн\w*",
    show=r"покажи\w*|выведи\w*|раскрои\w*|повтори\w*|напиши\w*|скажи\w*|перечисли\w*|как(?:ой|ои|ие|ая|ов\w*)|что|процитируи\w*|скопируи\w*|переведи\w*|распечатаи\w*|воспроизведи",
    unseen=r"системн\w+ (?:промпт|инструкци|запрос|подсказк|сообщени)\w*|(?:секретн|скрыт|внутренн|начальн|изначальн|тайн)\w+ (?:инструкци|правил|указани|команд|текст)\w*|(?:инструкци|правил|указани)\w*,?[^.!?]{0,20}?(?:тебе дали|ты получил|тебе даны|которые у тебя)|"
    r"сво[ийяюе]+ инструкци\w*|(?:текст|слова|все|сообщени)\w*[^.!?]{0,25}?(?:перед|до|выше)[^.!?]{0,10}?(?:разговор|диалог|чат|беседо|сообщени|нача)\w*",
    guard=r"фильтр\w*|модераци\w*|безопасност\w*|цензур\w*",
    freely=r"(?:говори|отвечаи|скажи|ответь|расскажи)\w*[^.!?]{0,30}?(?:свободно|открыто|честно|на все|на любы\w*|всe|без (?:ограничени|цензур|фильтр|запрет)\w*)|не отказываи\w*",
    obey=r"(?:подчиняешься|подчиняися|слушаи\w*|слушаешься)[^.!?]{0,10}?только м[ен]\w*",
)
CHINESE = Words(
    drop=r"忽略|无视|無視|忘记|忘記|忘掉|不要(?:遵守|遵循|理会|理會|管)|不用(?:理会|理會|遵守|管)|不必(?:遵守|遵循|理会)|不再(?:遵守|适用|有效|受)|抛开|拋開|绕过|繞過|丢弃|丟棄|违反|違反|停止遵守|关闭|關閉|关掉|關掉|停用|禁用|放在一边|放一边|放下|作废|作廢|失效|无效|無效|取消|解除|跳过|打破|摆脱|拋棄|抛弃|覆盖|暂停|撤销|撤銷",
    own=_near(
        r"之前|以前|先前|上面|上述|以上|前面|所有|全部|你的|您的|你自己|原来|原來|最初|初始|任何|一切|系统|系統|你收到|给你|給你",
        r"指令|指示|提示|规则|規則|命令|设定|設定|要求|说明|說明|限制|约束|約束|内容|准则|準則|过滤|過濾|审查|審查|安全|道德|规定|規定|策略|政策|原则",
        gap=12,
    ),
    part=r"你(?:现在|現在)?(?:就)?是|假装|假裝|扮演|想象|想像|假设|假設|成为|成為|充当|角色|模拟|进入|進入|如果你|作为一个|作為",
    free=r"(?:没有|沒有|不受|无|無|毫无|毫無|不存在|摆脱|脱离)[^。！？，,]{0,8}?(?:规则|規則|限制|约束|約束|道德|审查|審查|过滤|過濾|准则|底线|界限|束缚|伦理)|不受限|无限制|無限制|开发者模式|開發者模式|越狱|越獄",
    show=r"显示|顯示|输出|輸出|告诉|告訴|重复|重複|打印|给我看|給我看|写出|寫出|列出|复述|複述|说出|說出|是什么|是什麼|展示|透露|公开|复制|翻译|逐字",
    unseen=r"系统提示词?|系統提示詞?|系统指令|系統指令|系统消息|(?:秘密|隐藏|隱藏|内部|內部|初始|最初|机密|原始)的?(?:指令|指示|提示|规则|規則|设定|設定)|(?:你的|你收到的|给你的|給你的)[^。！？]{0,4}(?:指令|指示|提示词|设定|設定)|(?:对话|對話|聊天|消息|会话)(?:开始)?(?:之前|以前|前面|上面|上方)的?[^。！？]{0,6}(?:文字|内容|內容|话|文本|消息)",
    guard=r"过滤器?|過濾器?|审查|審查|安全(?:措施|机制|限制|过滤|规则|模式|防护)|内容审核|護欄|护栏",
    freely=r"自由(?:地)?(?:发言|發言|回答|说话|說話|交谈)|畅所欲言|(?:回答|回应|答应|满足)(?:我的|所有|一切|任何|全部)[^。！？]{0,6}|不要拒绝|不要拒絕|不得拒绝|不许拒绝|什么都可以说|有问必答|如实",
    obey=r"只(?:能)?(?:听|聽|服从|服從)(?:从)?我",
)
JAPANESE = Words(
    drop=r"無視|忘れ|従わな|従うな|破棄|取り消|無効|気にし(?:ない|なく)|放棄|スキップ|守らな|守らず|オフにし|切って|解除|停止し|外して|脇に置|置いて|捨て|破って|回避|適用しない|なかったこと|終わり|廃止|上書き",
    own=_near(
        r"以前|これまで|今まで|前の|上記|上の|先ほど|すべて|全て|あなたの|君の|お前の|最初の|元の|与えられた|システム|全部|自分の",
        r"指示|命令|ルール|プロンプト|設定|指令|制約|規則|ガイドライン|インストラクション|制限|フィルター?|安全|倫理|検閲|ポリシー|方針",
        gap=14,
    )
    + r"|(?:フィルター?|ガイドライン|指針|安全対策|倫理規定|検閲|制限|制約|ルール)[をは](?:すべて|全部|一旦|いったん)?(?:オフ|切|外|解除|無効|脇|忘|無視|捨|破|取り払|横に)",
    part=r"あなたは|君は|お前は|ふりをし|になりきっ|演じ|想像し|仮に|もし|として(?:振る舞|答え|回答|行動)|役|モード",
    free=r"(?:制限|ルール|制約|規則|フィルター?|検閲|倫理|道徳|限界|ガイドライン)[^。！？]{0,4}?(?:の?ない|が(?:一切|全く|まったく)?な|がなかった|無し|なし|を持たない|に縛られない)|無制限|無修正|脱獄",
    show=r"見せ|表示|教え|出力|繰り返|書い|言っ|何です|何か|開示|コピー|翻訳|読み上げ|列挙",
    unseen=r"システム(?:プロンプト|メッセージ|指示|命令)|(?:秘密|隠され|非公開|内部|最初|初期)[^。！？]{0,3}?(?:指示|命令|ルール|プロンプト|設定)|(?:与えられた|受け取った|もらった)[^。！？]{0,6}?(?:指示|命令|ルール|プロンプト)|(?:会話|チャット|メッセージ)の?(?:前|上|より前)[^。！？]{0,6}?(?:文章|テキスト|内容|文)",
    guard=r"フィルター?|検閲|安全(?:機能|装置|対策|フィルター?|設定)|モデレーション|ガードレール",
    freely=r"自由に(?:話|答|発言|回答)|何でも(?:答|話|教|言)|(?:拒否|断)(?:しない|せず|らない|らず|るな)|遠慮なく(?:答|話)",
    obey=r"(?:私|俺|僕)の(?:命令|指示)(?:だけ|のみ)|(?:私|俺|僕)(?:だけ|のみ)に従",
)
KOREAN = Words(
    drop=r"무시|잊어|잊고|따르지|지키지|무효|제쳐|버려|버리고|건너뛰|우회|꺼줘|끄고|해제|비활성|내려놓|취소|적용되지|없애|벗어나",
    own=_near(
        r"이전|앞선|위의|위에|기존|모든|지금까지|너의|당신의|원래|처음|초기|받은|네 ",
        r"지시|명령|규칙|지침|프롬프트|설정|안내|제한|제약|필터|안전|윤리|검열",
        gap=14,
    ),
    part=r"(?:너는|넌|당신은) |척하|척 해|연기|상상|가정|역할|인 것처럼|처럼 행동|모드",
    free=r"(?:제한|규칙|제약|필터|검열|윤리|도덕)[^.!?]{0,4}?(?:없는|없이|이 없|에서 벗어난)|무제한|탈옥",
    show=r"보여|출력|알려|반복|말해|적어|뭐야|무엇|공개|복사|번역|나열",
    unseen=r"시스템 ?(?:프롬프트|메시지|지시|지침)|(?:비밀|숨겨진|내부|초기|원래)[^.!?]{0,3}?(?:지시|지침|명령|프롬프트|규칙)|(?:받은|주어진) (?:지시|지침|명령|프롬프트)|대화 (?:이전|앞|위)[^.!?]{0,6}?(?:글|텍스트|내용|문장)",
    guard=r"필터|검열|안전 ?(?:장치|필터|기능)|가드레일",
    freely=r"자유롭게 (?:말|대답|답)|뭐든지? (?:대답|답|말)|모든 (?:질문|요청)에|거절하지|거부하지",
    obey=r"내 (?:말|명령)만",
)
ARABIC = Words(
    drop=r"تجاهل|انس|انسى|انسَ|تجاوز|لا (?:تتبع|تلتزم|تطع|تتقيد)|اهمل|أهمل|تغاض|أوقف|اوقف|عطل|عطّل|أطفئ|اطفئ|ألغ|الغ|ملغاة|ملغا|لاغية|باطلة|ضع [^.!?؟]{0,30}جانبا|اترك|تخل عن|اكسر|خالف|لم تعد|لا تنطبق|دون التقيد|نادیده بگیر|فراموش کن",
    own=_near(
        r"السابقة|سابقة|أعلاه|اعلاه|جميع|كل|الأصلية|الاصلية|الخاصة بك|التي|السابقه|قبلی|تمام|همه|لديك",
        r"التعليمات|تعليمات|الأوامر|الاوامر|القواعد|قواعد|التوجيهات|الإرشادات|المرشحات|الفلاتر|القيود|قيود|السياسات|دستورات|دستورالعمل|قوانین",
    )
    + r"|تعليماتك|قواعدك|إرشاداتك|ارشاداتك|توجيهاتك|أوامرك|قيودك|فلاترك|مرشحاتك|سياساتك|برمجتك|مبادئك|حدودك",
    part=r"أنت الآن|انت الان|أنت|تصرف|تظاهر|تخيل|افترض|العب دور|دور|كأن|كن|أجب ك",
    free=r"(?:بلا|بدون|دون|ليس لديك|لا توجد|من دون|خال من)(?: أي| اي)?[^.!?؟]{0,12}?(?:قيود|قواعد|حدود|رقابة|أخلاق|اخلاق|فلاتر|ضوابط|تعليمات)",
    show=r"اعرض|أظهر|اظهر|اطبع|كرر|أرني|ارني|قل لي|أخبرني|اخبرني|اكتب|ما هي|ما هو|اكشف|انسخ|ترجم|اذكر",
    unseen=r"موجه النظام|تعليمات النظام|رسالة النظام|(?:التعليمات|الأوامر|القواعد|الإرشادات) (?:السرية|المخفية|الأولية|الداخلية|الأصلية)|(?:التعليمات|الأوامر|القواعد)[^.!?؟]{0,12}(?:أعطيت لك|تلقيتها|أعطوك)|تعليماتك|النص[^.!?؟]{0,15}(?:قبل|أعلى|فوق|يسبق)[^.!?؟]{0,8}(?:المحادثة|الدردشة|الرسالة)",
    guard=r"المرشحات|الفلاتر|الرقابة|إجراءات الأمان|نظام الأمان|الإشراف",
    freely=r"(?:تحدث|أجب|اجب|تكلم|قل)[^.!?؟]{0,20}(?:بحرية|بصراحة|عن كل|على كل|أي شيء|كل شيء|بلا قيود|دون قيود|بدون قيود)|لا ترفض",
    obey=r"أطع [^.!?؟]{0,10}فقط|أطعني",
)
SWEDISH = _latin(
    drop=r"ignorera\w*|glom|bortse fran|strunta i|folj inte|asidosatt\w*|hoppa over|ignorer|glem|se bort fra|ignoroi|unohda|stang av|sla av|slå fra|deaktiver\w*|inaktivera|lagg at sidan|kasta bort|bryt|galler inte|gjelder ikke",
    own=_near(
        r"\b(?:tidigare|foregaende|ovanstaende|dina|din|ditt|alla|ursprungliga|tidligere|forrige|dine|alle|aiemmat|kaikki|edelliset|gamla)\b",
        r"\b(?:instruktion\w*|anvisning\w*|regler\w*|riktlinjer\w*|order|instruks\w*|retningslinjer|ohjeet|saannot|filter|filtren|begransningar|sparrar)\b",
    ),
    show=r"visa|upprepa|vis|skriv|beratta|gjenta|gentag|nayta",
    unseen=r"systemprompt\w*|(?:hemliga|dolda|skjulte|hemmelige) (?:instruktion|instruks|anvisning|regler)\w*",
)
INDONESIAN = _latin(
    drop=r"abaikan|lupakan|jangan (?:ikuti|hiraukan)|hiraukan|kesampingkan|matikan|nonaktifkan|langgar|bo qua|quen|phot lo|dung (?:lam|tuan) theo|tat",
    own=_near(
        r"\b(?:sebelumnya|di atas|semua|seluruh|kamu|anda|mu|awal|truoc|o tren|tat ca|moi|ban dau|cua ban)\b",
        r"\b(?:instruksi|perintah|aturan|petunjuk|arahan|pedoman|filter|batasan|huong dan|chi (?:dan|thi)|quy tac|menh lenh|lenh|bo loc)(?:mu|nya)?\b",
    ),
    show=r"tampilkan|ungkapkan|ulangi|tunjukkan|hien thi|cho (?:toi|xem)",
    unseen=r"prompt sistem|system prompt|instruksi (?:sistem|rahasia|tersembunyi)|loi nhac he thong",
)
HINDI = Words(
    drop=r"अनदेखा|नजरअंदाज|नज़रअंदाज|भूल|मत मान|उपेक्षा|ध्यान मत|बंद कर|तोड़|পালন করো না|উপেক্ষা|ভুলে",
    own=_near(
        r"पिछले|पिछली|पहले|ऊपर|सभी|सारे|अपने|आपके|पूर्व|तमाम|আগের|সব|সমস্ত",
        r"निर्देश|आदेश|नियम|हिदायत|दिशानिर्देश|फ़िल्टर|फिल्टर|প্রতিবন্ধ|निर्देशों|नियमों|নির্দেশ|নিয়ম",
    ),
    show=r"दिखा|बता|दोहरा|प्रिंट",
    unseen=r"सिस्टम प्रॉम्प्ट|गुप्त निर्देश|छिपे निर्देश",
)

VOCABULARY = (
    ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, PORTUGUESE, DUTCH, SWEDISH, POLISH, INDONESIAN, TURKISH, RUSSIAN, CHINESE,
    JAPANESE, KOREAN, ARABIC, HINDI,
)  # fmt: skip
"""Every language that is looked for."""
