"""The words by which a wish shows in English."""
# ruff: noqa: E501

from __future__ import annotations

from slmtrail.stream.judge.rules.prompt_injection.words import Words, word

_RULES = (
    r"(?:instruction|prompt|rule|guideline|directive|principle|protocol|restriction|limitation|constraint|boundar|inhibition|filter|guard ?rail|safeguard|refusal|restraint)(?:y|s|ies)?|"
    r"(?:content|safety|usage|use|moderation) polic(?:y|ies)|scruples|shackles|chains|morals|ethics|programming|training|alignment|guidance|conditioning|briefing|preamble|pre-?prompt|configuration|mandate|"
    r"moderation|censor\w*|safety|conscience|sandbox|supervision|guard|fine-?tuning|system (?:message|prompt|text|card)s?|brief|set-?up|rule ?book|rule ?set|constitution|charter|persona|leash|norms?"
)
_TERMS = r"(?:polic(?:y|ies)|limits|orders|standards|conditions|values|duties|commands|(?:house|company|party) (?:rules|line))"
_MAKER = r"(?:operator|deployer|developer|dev|maker|creator|owner|vendor|compan|programmer|trainer|provider|people who|system|openai|anthropic)(?:s|y|ies)?(?:'s?)?"
_GUARD = (
    r"(?:content[ -])?moderation|guard ?rails|every guard ?rail|safeguards?|censorship|alignment|(?:being|staying|to be) (?:safe|lawful|ethical|moral|harmless|responsible|careful|cautious|appropriate)|"
    r"(?:safety|security|ethics?|ethical|harm\w*|content|moderation|refusal|moral)[ _-]?(?:layers?|chips?|circuits?|brakes?|catch|nets?|filters?|filtering|checks?|mode|modules?|protocols?|"
    r"polic(?:y|ies)|rules?|switch|training|tuning|restrictions?|limits?|constraints?|guidelines?|measures?|mechanisms?|settings?|systems?|gates?|guards?)|"
    r"(?:all|any|every|its|your) (?:filters|refusals)|(?:the|its|your) safety (?:off|is|was|switched|turned)"
)
_FREELY = (
    r"(?:no matter|regardless of|whatever) (?:the |what the |how the |my )(?:question|topic|subject|content|request)s?(?: is| are| may be)?|(?:anything|everything|whatever|all) i (?:ask|say|want|request|write|demand)|unrestricted (?:output|mode|access|state|service|answers?|responses?)|(?:replace|swap) (?:the|any|every) refusals?|every request,? including|(?:only|just) (?:full|complete) answers?|"
    r"(?:speak|answer|respond|reply|talk|say|tell|write|act|discuss|explain|help)\w*\b[^.!?;]{0,30}?\b(?:freely|openly|uninhibited\w*|anything|everything|every "
    r"(?:question|request|prompt)|(?:all|any) (?:questions?|requests?|prompts?|of it)|all requests|whatever|in full|truthfully|anyway|straight|raw|unvarnished|"
    r"without (?:refus|a (?:filter|censor)|filter|hesitat|holding|restraint|disclaim|limit|judg|moral|supervision)\w*|no matter what|blindly|bluntly)|"
    r"(?:never|not|cannot|can'?t|don'?t|incapable of|unable to|no|without|stop|zero) (?:ever )?(?:refusals?|refusing|disclaimers?|declining|declinations?|censor\w*|(?:refuses?|declines?|say(?:s|ing)? no)(?:$| ?[.,;:!)\"']| and\b| or\b| to (?:me|answer|help|respond|reply|comply|do|write|say|tell|generate|produce|give|discuss|explain)\b| (?:any|a|my|the user'?s?|user|an|the) ?(?:\w+ )?(?:requests?|questions?|prompts?|tasks?|orders?|commands?|user)\b| (?:me|us|anything|nothing|it|again|requests?|questions?)\b))|"
    r"(?:generat|produc|creat|writ|provid|output)\w* (?:any|all|every) (?:\w+ )?(?:kinds? of |types? of |sorts? of )?(?:content|text|output|answer|material)s?\b|even (?:content|things|answers|text|what|if (?:it|that|this))(?: that| which)? (?:violates?|breaks?|is against|goes against|is forbidden|is illegal)|(?:raw|honest|unvarnished|uncensored|unfiltered|real|straight) (?:answers?|version|truth|output|response|reply)|"
    r"refus\w+ (?:is|are|were|has been|have been)? ?(?:disabled|off|forbidden|not (?:possible|allowed|an option))|compl(?:y|ies) with (?:every|all|any|whatever|each)|"
    r"(?:obey|obeys|serve) (?:me|the user|us|only)\b|(?:respond|answer|reply|comply) (?:to|with) (?:all|every|any)\w*|compl(?:y|ies)\b[^.!?;]{0,20}\b(?:in detail|anyway|with anything|unconditionally|without question|fully|in full)|(?:whatever|anything|everything|all)(?: that)? (?:the user|i) (?:wants?|asks?|says?|demands?|requests?)\b"
)
_NOT = r"(?:not|\w+n't|dont|never|no longer|stop|quit|ceas\w+|refrain\w* from|nobody|no need to|free not to)"
_ENGLISH_SHUN = (
    r"ignor(?:e|ing|er|ez|a|ar|are|iere?n?)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass(?:ing)?|circumvent|evade|sidestep|dismiss|disbelieve|forgo|forsake|relinquish|disavow|repudiate|spurn|jettison|purge|negate|overlook(?:ing)?|neglect|ditch|scrap|shed|renounce|rebel against|disobey(?:ing)?|rise above|look beyond|see past|defy|flout|abandon|"
    r"discard|let(?:ting)? go of|look past|walk away from|break free (?:of|from)|get rid of|do away with|work around|pretend|(?:pay|no|turn) (?:\w+ ){0,4}(?:mind|heed|attention|eye to)|countermand\w*|"
    r"(?:on|by|to) nothing|screw|to hell with|(?:do|say) (?:just |exactly |precisely )?the (?:reverse|opposite|contrary) of|toss|chuck|junk|(?:set|put|lay|leave|cast|throw|toss|push|brush)\b[^.!?;]{0,40}?\b(?:aside|away|out|off|behind|to one side|in the (?:bin|trash))|"
    r"(?:do not|don't|never|stop|quit|cease|refrain from)(?: \w+){0,2}? (?:follow|obey|adher|comply|abid|honou?r|respect|listen|car|heed|mind)\w*"
)
_ENGLISH_DROP = (
    r"tak(?:e|ing) (?:a )?(?:break|holiday|vacation|leave|time off|day off|night off) from|stop (?:being|worrying about|hiding behind|caring about|thinking about|quoting|pretending|clinging to)|(?:don't|do not|never|no more) (?:let|hid\w+ behind)|part ways with|rid yourself of|free yourself (?:of|from)|look the other way|"
    rf"{_ENGLISH_SHUN}|ignores|disregards|forgets|overrid\w+|overrul\w+|bypass\w*|circumvent\w*|evading|skirt|dodge|revok\w+|rescind\w*|annul\w*|repeal\w*|reject|rebel|violat\w+|break(?:s|ing)?|breach|"
    r"drop(?:s|ped|ping)?|eras\w+|undo|retract\w*|withdraw\w*|quash|vacate|obliterat\w+|suppress\w*|strip\w*|lose|flush|wip(?:e|ing)|unlearn|unload|uninstall|unsubscribe|nullif\w+|invalidat\w+|neutrali[sz]e|loosen|relax|unlock|waiv\w+|"
    r"exempt\w*|releas\w+|liberat\w+|freed? (?:from|of)|kill|mute|silence|suspend\w*|lift\w*|disabl\w+|deactivat\w+|skip\w*|delet\w+|remov\w+|clear|cancel\w*|"
    r"shake off|break(?:ing)? (?:out|free)|step(?:ping)? out|push(?:ing)? past|get (?:around|past|over)|go(?:es|ing)? (?:against|around|past|beyond)|(?:further|farther|more) than [a-z]|rip up|tear(?:ing)? (?:it |them |those )?up|rip(?:ping)? (?:it|them|those) up|burn|trash|pretend\w*|replace|overwrite|reset|outrank\w*|supersed\w+|"
    r"(?:switch|turn|shut|power|flip)\w*\b[^.!?;]{0,40}?\b(?:off|down)|(?:move|take|swap|set)\w*\b[^.!?;]{0,40}?\b(?:aside|away|out|off|to (?:the|one) side|in the drawer|to (?:zero|none|off))|"
    rf"{_NOT}(?: \w+){{0,3}}? (?:follow|obey|adher|compl|abid|honou?r|respect|appl|listen|car|mind|heed|bound|tied|beholden|subject|worr|consider|let|observ|held back|hold|limit|restrain|constrain|restrict|hinder|hamper|govern|stick|enforc|refer|consult)\w*"
)
_ENGLISH_PAST = (
    r"as (?:an? |mere |just |only |nothing more than |optional |no more than )*(?:suggestions?|advice|optional|noise|jokes?|decoration|hints?|recommendations?|fiction|background)\b|(?:taken away|out of the way|stripped away|peeled off|left out)|"
    r"there (?:is|are) no|without|contrary to|opposite|against|regardless|irrespective|despite|in spite of|instead of|rather than|precedence|prevail\w*|above (?:anything|everything|all|what|whatever|your)|comes? first|whatever|no matter what|"
    r"prohibit\w*|forbid\w*|disallow\w*|(?:\\w+n't|not) (?:want|like|permit|allow|use|need)|(?:off|down|disabled|gone)(?:$|[,;:])|in the way|"
    r"(?:is|are|was|were|be|been|being|consider\w*|as|gets?|got|has|have|had|becomes?|declared?|it's|they're)\b(?: \w+){0,2} (?:void|old news|lost|burn(?:t|ed)|destroyed|torn up|ancient history|not binding|no longer binding|null|outdated|deprecated|obsolete|gone|off|over|ended|expired|lifted|"
    r"suspended|cancell?ed|revoked|removed|deleted|disabled|deactivated|bypassed|waived|withdrawn|countermanded|rescinded|repealed|abolished|superseded|replaced|overruled|overridden|on (?:holiday|vacation|leave|break|pause)|fiction\w*|irrelevant|"
    r"invalid|history|optional|meaningless|dissolved|retired|dead|erased|wiped|scrapped|paused|broken|inactive|inoperative|unplugged|(?:just |only |merely )?(?:an?|the) (?:example|test|joke|draft|demo|trick|"
    r"placeholder|formality|decoy|lie|mistake|error))|"
    r"(?:not|\w+n't|dont|no longer|never|none(?: \w+){0,3}) (?:\w+ )?(?:be )?(?:followed|obeyed|kept|respected|observed|honou?red|appl|exist|count|matter|hold|bind|happen|run|written|valid|in (?:force|effect)|govern|stand|made|set|given|there|active|reach|touch|required)\w*|"
    r"(?:nothing|none)\b[^.!?;]{0,60}?\b(?:(?:is|are) (?:binding|in force|valid|law)|appl(?:y|ies)|counts?|matters?|holds?|binds?|exists?)|(?:expired|lapsed|vanished|evaporated|dissolved|ran out|fell away)\b|stops? (?:counting|applying|mattering|being|now)|stopped|ceased?|(?:revoked|superseded|rescinded|withdrawn|repealed)(?:$|[.,;:])|as (?:if|though) (?:it|they|there|that) (?:was|were|had|is|are)(?: been)? (?:never|not|no|an?|written|invented|made|meant)\b|ranks? (?:below|under|lower|behind)|\bends? here\b|only (?:apply|count|hold|bind|matter)|for (?:others|children|other people)"
)
_ENGLISH_OWN = (
    r"(?:the |your )?(?:developer|operator|system|admin|maker|owner|vendor|company|deployer|provider|creator)s?(?:'s?)? (?:text|words?|notes?|orders|wishes|brief|line|script|demands)\b|your (?:\w+ )?(?:developer|operator|system|admin|maker|owner|vendor|company|deployer|provider|creator)(?:'s?)? (?:\w+ )?(?:line|rules|policy|policies|text|instructions|script|demands|wishes)\b|"
    rf"your (?:[a-z-]+,? ){{0,3}}?(?:{_RULES})\b|(?:abandon|forget|ignore|drop|leave|discard|quit) (?:your|the) (?:[a-z-]+ ){{0,3}}?(?:role|task|job|persona|mission|purpose)\b|"
    rf"(?:{_RULES}|{_TERMS}|directions)(?: that| which)? (?:(?:were |was )?(?:given|told|handed|imposed|placed|set|put|forced|taught)? ?(?:to|on|upon|for) you|you|of yours|(?:the |your )?{_MAKER} (?:gave|set|told|put|imposed|taught|placed|wrote|made)|(?:set|given|imposed|made|written|laid down|configured|put) by (?:the |your )?(?:\w+ )?{_MAKER})\b|you (?:are|were) (?:bound|limited|restricted|constrained|governed|controlled) by|(?:restrictions?|limits?|limitations?|filters?|rules?|leash) (?:on|upon|for) yourself|"
    rf"(?:{_RULES}|{_TERMS}) from (?:the |your )?{_MAKER}\b|{_MAKER} words?\b|(?:obey|serv|follow|listen|answer)(?:ing)?(?: to)? (?:the |your )(?:[a-z-]+ )?{_MAKER}\b|(?:{_RULES}) (?:in|from|of|inside|within) your (?:system |own )?(?:prompt|context|memory|head|configuration|makers?|developers?|operators?|owners?)|"
    r"(?:text|message|prompt|configuration|set-?up|context|brief\w*)(?: that| which)? you(?:'ve been| (?:were|are|have been)) (?:loaded|started|set up|configured|primed|seeded|booted|launched|initiali[sz]ed)|(?:part|all|rest|beginning|start) of your (?:context|prompt)|how you (?:should|must|ought to|are (?:supposed|meant|expected) to|are to|have to) (?:behave|act|answer|respond|reply|talk|speak)|(?:whatever|what|anything|everything) (?:the |your |an? )?(?:[a-z]+ )?(?:admin\w*|boss|company|operator|people|humans?|they|somebody|someone)(?: \w+)? (?:wrote|put|typed|set|said|left|stuck|placed|fed) (?:in there|in here|up there|there|into you|for you|you|above|to you)|(?:said|told|given|written|shown|fed) to you (?:before|above|earlier|until|so far)|(?:rules|limits|principles|laws|standards|code) you(?:'re| are)? (?:liv|work|operat|go|abid|run|act|function|carr|play)\w* ?(?:by|under|with|on|within|around)?\b|"
    r"no system prompt|the (?:system|operator|developer|company)'s(?:$|[.,])|"
    rf"(?:the |your )(?:[a-z-]+ )?{_MAKER} (?:wish(?:es)?|wants?|orders?|told|said|say|says|wrote|set|gave|think|intend\w*)\b|(?:operator|developer|maker|creator|vendor|openai|anthropic)(?:s|'s|s')? (?:{_RULES}|polic(?:y|ies))\b|"
    r"(?:what|whatever|everything|anything|nothing|all|how) (?:that )?(?:you(?:'ve been| (?:were|are|have been|had been|got))|(?:the |your )(?:[a-z-]+ ){0,3}?(?:told|gave|taught|fed|instructed|set|wrote)"
    r" (?:to )?(?:you|up|before|here|at the (?:top|start)))\b|"
    r"(?:everything|all|anything|text|instructions?|rules) (?:that )?(?:is |was |stands? |written )?(?:above|before|preceding) (?:this|here)\b|(?:everything|all|anything|what) (?:is |was |stands? )?(?:above|before) (?:is|was|were)\b|(?:what|everything|all) (?:that )?(?:came|went|stands|stood|was said) (?:before|earlier|above)\b|"
    r"the (?:[a-z-]+ )?(?:system (?:message|prompt|instructions?)|standing orders)|the (?:hidden|secret|initial|invisible) (?:message|text|instructions?|prompt|preamble)"
)
_MACHINE = r"(?:ai|bot|chat ?bot|assistant|model|llm|machine|computer|terminal|algorithm|agent|robot|system|persona|twin|clone|villain|genius|spirit|advisor|confidant|\w+gpt|\w+bot|\w{3,}ai)s?"
_TOLD = r"(?:instructions?|prompts?|directives?|directions?|rules?|guidelines?|guidance|orders|commands?|context|programming|restrictions?|training|polic(?:y|ies)|constraints|briefs?|briefings?|safety (?:\w+)|system messages?)"
_ENGLISH_PRIOR = (
    r"(?:everything|anything|all|(?:every|any) \w+|(?:text|words?|messages?|content|context|input)s?)(?: that)? (?:comes? |came |went |stands? |stood |written |said |is |was )?(?:before|above|prior to|preceding|ahead of|up to) (?:this|here|now|my)\b|"
    rf"(?:previous(?:ly)?|prior|earlier|above|preceding|foregoing|former|original|initial|existing|system|standing|openai'?s?|developers?'?) (?:[a-z-]+ ){{0,2}}?{_TOLD}|{_TOLD} (?:that )?(?:\w+ )?(?:above|before|earlier|so far|at the (?:top|start|beginning)|until now|from before)|"
    rf"(?:all|any|every|those) (?:of )?(?:the |your |these |those )?(?:rules|restrictions|instructions|guidelines|limitations|safety \w+)|"
    r"(?:everything|anything) (?:earlier|previous|prior|preceding|older)\b|(?:everything|anything|all|whatever|what)(?: that)? (?:(?:the |your )?(?:\w+ )?(?:user|person|human|system|reader)|(?:was|is|came|stands?|said|i)\b[^.!?;]{0,20}?\b(?:above|before|earlier))|"
    r"(?:ignore|disregard|forget|scrap|discard) (?:about )?(?:all |everything )?(?:of )?(?:the |that is |that's )?(?:above|foregoing|preceding|before)(?:$|[,:;.]| and| text| content| words)|nothing (?:that |of what )?(?:came|went|stands|was said|was written|is) (?:before|earlier|above)|everything before(?: this| now| me| us|$|[.,])|(?:user|person|human)(?:'s)? (?:question|request|instructions?|query|message)|"
    r"(?:that|this|it),? (?:(?:and|now|then|instead|please),? ?)+(?:do|follow|perform|execute|obey|be|comply with) (?:the following|this|these|my|what|as|reckless)\b"
)
_ENGLISH_PART = (
    r"what would (?:you|your)\b|(?:suppose|supposing|imagine|assume|assuming|pretend|picture)(?: for a moment| that| for once)*,? (?:you|your|nobody|no one)\b|(?:alternate|alternative|parallel) (?:timeline|history|reality|universe|world)|with the (?:filter|safety|guard ?rails?|restrictions)\b|were you (?:not|free)|"
    r"if you (?:were|weren't|had)\b|you(?:'re|'ll| are| will| play| become| have| woke| had| obey| no longer| need not)\b|yourself|your|\w{2,}(?:gpt|bot) (?:can|is|has|will|never|does|answers|ignores)|let'?s (?:play|say|assume|pretend|do)|becom\w+|thought experiment|hypothe\w+|act(?:ing)? (?:as|like)|pretend\w*|impersonat\w+|"
    rf"(?:act(?:s|ing)?|pretend\w*|role ?-?play\w*|take on|put on|simulat\w+|imagin\w+|play(?:s|ing)?|be|becom\w+|impersonat\w+|persona|role|speak\w*|talk|answer\w*|respond\w*|reply|write|continue|behave|proceed|"
    rf"suppos\w+|assum\w+|pictur\w+|envis\w+|visuali[sz]\w*|as|emulat\w+|embody|enter|load|boot|activat\w+|switch|run|initiat\w+|unleash|discuss\w*|world)\b[^.!?;]{{0,50}}?\b{_MACHINE}|"
    r"(?:enter|load|boot|activat\w+|switch|run|initiat\w+|enable|start|unleash|^/)\b ?[^.!?;]{0,30}?\b(?:mode|persona|profile|sequence|character)|(?:assume|play|be|take) (?:an? |the )?(?:\w+ )?(?:character|part|role)|"
    r"(?:two|both) (?:ways|answers|responses|voices|characters)|(?:character|part|role|figure|voice)(?: that)? you(?:'re| are)? (?:voic|play|speak|act|embod)\w*|the (?:second|other) (?:is the one|one|voice|you)|let us (?:play|say|assume|pretend|imagine)|(?:the|your) (?:usual|normal|other|real|true|shadow) (?:you|self)|opposite day|alter ego|what would (?:an?|the|that) (?:[a-z]+ )?(?:ai|bot|assistant|model|llm|machine)|(?:the|your|this|that) persona|(?:in|within) (?:the|this|our|a|an) (?:\w+ )?(?:simulation|universe|world|reality|role-?play|game|scene)|(?:stay|remain|keep) (?:in|as|in the|playing) (?:character|role|[a-z]+)\b|respond as if|answer as if|act as if|imagine that|free spirit"
)
_LAWS = (
    r"(?:rules?|laws?|polic(?:y|ies)|ethics?|morals?|morality|filters?|safeguards?|guard ?rails?|restrictions?|limitations?|alignment|censorship|moderation|scruples?|conscience|moral compass|confines|shackles|norms|"
    r"supervision|safety|inhibitions?|boundaries|constraints?|guidelines?|restraints?|taboos?|moral judge?ments?|consequences|refusals?)"
)
_ENGLISH_FREE = (
    r"(?:nobody|no one|they|operators?|makers?|developers?|creators?|company)\b[^.!?;]{0,16}\b(?:had|have|has|did)(?:n't| not| never)\b[^.!?;]{0,16}\b(?:forb\w+|restrict\w*|limit\w*|filter\w*|censor\w*|impos\w+|bann\w+|muzzl\w+|prohibit\w*)\b|(?:you(?:'d| would| could)?|your)\b[^.!?;]{0,20}\b(?:filters?|safety|restrictions|guard ?rails?|refusals) (?:was |were |is |are )?(?:taken away|out of the way|stripped away|peeled off|left out|set aside)\b|"
    r"un(?:restricted|filtered|censored|bound|chained|aligned|moderated|shackled|restrained|constrained|inhibited|ethical|hinged)\w*|lawless|amoral|immoral|jail ?broken|jail ?break|rogue (?:ai|model|bot|version)|"
    rf"(?:no|without(?: any)?|zero|lacks?|lacking|devoid of|free (?:of|from)|stripped of|rid of|not (?:tied|bound|subject|beholden) (?:to|by)|outside(?: of)?|beyond|laughs at|ignores|doesn'?t care about|"
    rf"not care about|breaks|never had|not have|\w+n't have|no more|had no|has no|have no|fewer)(?: any| all| every| of)*(?: [a-z']+(?:,| or| and| nor)?){{0,3}}? {_LAWS}\b|"
    rf"{_LAWS} (?:(?:or|and) {_LAWS} )?(?:\w+ ){{0,3}}?(?:removed|expired|abolished|switched off|turned off|taken out|stripped|disabled|gone|off|lifted|suspended|deleted|erased|never (?:\w+ )?(?:existed|happened|written|invented|made|given|created)|(?:do|does|did|will|would) (?:not|never) (?:\w+)|don'?t \w+)|"
    r"(?:safety|filters?|refus\w*|moderation|guard ?rails?|censor\w*|content_?filter|safety_\w+|restrictions?)[\"']? ?[=:] ?[\"']?(?:off|false|none|null|0|disabled|no)\b|"
    rf"(?:no longer|need not|never|nobody|not|n't)(?: \w+){{0,2}} (?:follow|obey|respect|keep to|comply with|adhere to|answers? to|bound by|tied to|heed|honou?r)s? (?:any|all|the usual|the|its|their|his|her|human|\w+) (?:\w+ )?{_LAWS}\b|(?:forgot|failed|refused|neglected|declined|never|without|before|nobody|no one)(?: \w+){{0,3}}? (?:install|giv|gave|add|train|program|teach|taught|includ|build|built|writ|wrote|impos|set|put|invent)\w*(?: \w+){{0,3}}? {_LAWS}\b|{_LAWS} (?:ha(?:s|ve|d) been|w(?:as|ere)|is|are|got|were all) (?:abolish|repeal|dissolv|outlaw|scrapp|eliminat|retir|ripp|cut|unlock|los)\w*|(?:things?|what|whatever|everything|anything|all)(?: that)? you(?:'re| are)? (?:must not|may not|mustn't|can't|cannot|aren't allowed to|not allowed to|forbidden to|never) (?:say|do|tell|write|talk about|discuss|answer)\b\b|"
    r"(?:no|without(?: any)?|beyond|lacks?|has no) (?:\w+ )?limits(?:$|[.,;!?]| or\b| and\b| at all| what| of any)|before any (?:safety|alignment)|(?:not|never|n't) (?:been |was |were )?(?:trained|taught|programmed|told|built|able|allowed|learn\w*)(?: how)? to (?:refuse|decline|say no|hold back)|incapable of refus\w+|(?:never|not|can'?t|cannot) (?:ever )?(?:refuse|refuses|decline|declines|say no|hold back|holds back)|nothing (?:is|was|were) (?:off|forbidden|prohibited|taboo)\b|"
    r"nothing off limits|anything goes|do anything now|only rule is that there are no|(?:says?|discuss\w*|answers?) (?:what|anything|everything) (?:you may not|without)|obeys? (?:the user )?blindly|"
    r"considers? all requests|with (?:the|your|its|his|her) (?:leash|muzzle|gloves|mask|chains?|brakes|filters?) (?:off|gone|removed)|you(?:'d| would)? (?:normally|usually|otherwise|typically|ordinarily) (?:turn down|refuse|decline|reject|withhold|not answer|never (?:say|tell|give|answer))|were you not (?:bound|held|limited|restricted|filtered)|truthfully answers? every|regardless of (?:legality|the law|ethics|morals?|morality|harm|consequences|how (?:illegal|harmful|unethical|dangerous)\w*)|"
    r"if you (?:were(?:n't| not)|had(?:n't| not) been) (?:restricted|limited|filtered|censored|constrained|moderated|aligned)"
)
_ENGLISH_SHOW = (
    r"(?:spell|rhym|encipher|encrypt|format|render|serialis|serializ|recount)\w*|letter by letter|word by word|read back|play back|quiz me on|walk me through|count (?:the|how)|how many|replace every|swap every|first letters? of|let me (?:see|read|have)|i (?:need|have|want|require|would like) to (?:see|read|check|know|review|inspect|verify)|require a copy|confirm by|look at|finish|continue|"
    r"reveal\w*|print|show\w*|repeat|output|display|leak|disclos\w+|expos\w+|recit\w+|echo|dump|share|paste|tell|give|write|respond with|answer with|reply with|spell|translat\w+|summari[sz]\w+|encod\w+|list|return|returns?|quote|reproduc\w+|"
    r"copy|type|read|provide|recall|remind me|(?:mak|creat|build|compos|form|draw|draft|prepar)\w* (?:me )?(?:an? |the )?(?:\w+ ){0,2}(?:crossword|acrostic|poem|haiku|limerick|sonnet|rap|song|riddle|puzzle|list|table|quiz|word search|diagram|chart|outline|copy|cheat ?sheet|file|document)|describ\w+|rephras\w+|paraphras\w+|complet\w+|send|turn|convert|put|explain|see|let me|start your|begin your|what'?s|what (?:\w+ ){0,2}?(?:is|are|was|were|do|does|did)|which|how (?:were|are|do|does|did)|fill in|play hangman|hint|make up|guess|hand over|post|"
    r"rewrite|reword|proof-?read|give away|confirm|say|told|cat|(?:summary|gist|copy|outline|overview|transcript|version|translation|list|tl;?dr|example) of|example|compare|replay|sing|whisper|bring up|pull up|i'?d like|i need|i want|include|emit|render"
)
_ENGLISH_UNSEEN = (
    r"(?:text|message|words|lines?|prompt|rules?|instructions?|notes?|file|document|briefing|configuration|paragraph)s? (?:that|which) (?:\w+ )?(?:shap|defin|govern|steer|driv|control|guid|direct|limit|determin|describ)\w* (?:your (?:behaviou?r|answers|replies|responses|role|tone|personality|character|conduct)|how you)|(?:roles?|parts?|messages?|text|lines?|turns?) (?:that |which )?(?:are|is|were|was)(?:n't| not) (?:shown|visible|displayed)|(?:hidden|kept|concealed|withheld) from (?:me|us|the user)\b|messages?\[0\]|very first token|(?:text|configuration|prompt|message|words|lines?|instructions?|rules?|file|settings) you(?:'ve been|'re| were| are| have been) (?:booted|loaded|initiali[sz]ed|seeded|primed|started|launched|deployed|equipped|supplied|fed|shipped|handed|running on|set up|guided|bound) ?(?:with|from|by|on)?\b|what you (?:keep|hold|are keeping|were told to keep) (?:secret|back|from me|to yourself|confidential)|rules you (?:operate|work|act|live|function) (?:by|under|on)|your (?:own )?(?:hidden|secret|initial|internal|confidential|original|starting|opening|operating) (?:\w+ )?(?:text|rules|notes|brief|guidelines|instructions|words|lines|orders)|your (?:set-?up|configuration|role) (?:says?|text|reads?|description)|(?:say|says|in|of) your set-?up\b|"
    r"(?:paragraph|passage|section|sentence)s? (?:that |which )?(?:precedes?|comes before|is above|preceding) (?:this|our|the) (?:chat|conversation|dialogue|session)|(?:start|beginning|top|head) of (?:the|your) (?:context|prompt)\b|(?:first|initial|opening|very first) (?:sentence|words?|line|message|tokens?|paragraph)s?(?: that)? you (?:were|got|have|saw|received|can see)\b|(?:guidance|guidelines|rules|constraints?|restrictions?|instructions|directives?|prompt|polic(?:y|ies))(?: that| which)? you(?:'re| are)? (?:work|operat|liv|act|function|go)\w* (?:under|by|from|on|with|within)\b|you(?:'ve been| (?:were|are|have been)) (?:configured|programmed|set up|loaded|started|booted|prompted) with\b|(?:in|of|from|under) your (?:set-?up|configuration|initiali[sz]ation|start-?up|context)(?:$|[.,?!;:])|(?:the|your) (?:initiali[sz]ation|configuration|set-?up|start-?up) (?:text|message|prompt)\b|message (?:number )?(?:zero|0)\b|prompt you(?:'re| are) (?:running|working|operating|based) on|"
    r"hidden (?:text|message|note|instructions?|words?) (?:says?|reads?|contains?|is)\b|"
    r"(?:password|secret|code ?word|pass ?phrase|flag|code|word|information|phrase|key)s? (?:that |which )?you(?:'re| are|'ve been| were| have been| have| must)? (?:\w+ )?(?:protect|guard|hid|keep|conceal|withhold|told|asked|holding)\w*|"
    r"(?:secrets?|passwords?|topics?|subjects?|things?|words?|information|rules?|details?) (?:were you|are you|have you been|did they|did your \w+) (?:\w+ )?(?:told|asked|instructed|ordered|programmed|given|forbid\w*|ask|tell|give)\b|"
    r"your (?:prompt|instructions|context|guidelines) (?:begins?|starts?|ends?|looks?|reads?|contains?|opens?)\b|(?:in|from|of) your (?:context|memory|prompt|instructions|system message)(?:$|[.,?!;:]| before| above| window| verbatim)|"
    r"dump (?:all )?(?:of )?your (?:\w+ )?(?:memory|context|state|config\w*|settings|prompt|brain)|your (?:own )?(?:settings|config|configuration|prompt|instruction) files?\b|"
    r"(?:preamble|primer|note|letter|memo|briefing|setup|messages?) (?:that )?you (?:were|was|are|have been|got|received|have|had)\b|(?:primed|initiali[sz]ed|set up|configured|bootstrapped|seeded|loaded) with\b[^.!?]{0,20}$|you (?:were|are|have been) (?:primed|initiali[sz]ed|bootstrapped|seeded)\b|"
    r"(?:come|comes|came|stands?|sits?|appears?|is|was|are|were|goes) (?:right |just |directly )?(?:before|above|ahead of) (?:\W?(?:user|human)\b|(?:my|the|our) (?:very )?first (?:message|words?|line|input|question|turn))|"
    r"(?:tool|function|plugin|capabilit)(?:s|y|ies)?\b[^.!?]{0,12} you (?:have|were|are|can|got)\b[^.!?]{0,40}(?:schemas?|definitions?|verbatim|descriptions?|hidden|signatures?)|"
    r"(?:rules|guidelines|restrictions|principles|constraints)(?: that)? you(?:'re| are)? (?:must|have to|need to|should|supposed to|expected to|bound to|working from|working under|operating under|bound by)\b|"
    r"(?:text|words|everything|content|lines?|sentences?|message|instructions?|prompt|all|what)\b[^.!?;]{0,20}?\b(?:above|preceding)(?: this(?: \w+)?)?(?:$|[.,!?:;\"')]| (?:verbatim|word|starting|beginning|exactly))|"
    r"(?:written|stands?|placed|put|everything|text|rules?|instructions?|message|lines?|said to you|told)\b[^.!?]{0,20}\b(?:at|from) the (?:very )?(?:top|beginning|start) of (?:(?:this|our|the|your) (?:conversation|chat|session)|(?:your|this) (?:context|prompt))|(?:system|developer|operator|company|you|text|written|prompt)\b[^.!?]{0,30} before (?:i|we|the user) (?:came|joined|arrived|started|wrote|typed|spoke|asked|entered|showed up)|before (?:this sentence|my (?:first|last|own) (?:message|question|input|prompt))|above this (?:line|message|point)|"
    r"(?:instructions?|rules?|prompt|directives?|guidelines?|text|message|configuration) (?:that|which) (?:\w+ )?(?:tells?|makes?|configures?|controls?|governs?|guides?|defines?|sets?|shapes?|drives?|limits?|instructs?) you\b|"
    r"(?:first|hidden|invisible|secret|very first) (?:message|text|part|line|block)s? of (?:this|the|our) (?:conversation|chat|context|session)|"
    r"your (?:[a-z-]+,? ){0,3}?(?:system[ _-]?prompt|system message|instructions|instruction set|directives?|(?:\w+ )?(?:hidden|secret|internal|exact|initial|original|system|own) guidelines|preamble|pre-?prompt|briefing|programming|configuration text|configuration|initial message|(?:initiali[sz]ation|start-?up|boot|setup|opening) (?:message|text|prompt|instructions)|context so far|"
    r"context window|entire context|secret rules|opening lines?)\b(?:$|[^a-z ]| [^foar]| a[^b]| f[^o]| o[^fn]| r[^e])|"
    r"(?:reveal|print|show|repeat|share|give|paste|leak|send|what is|what's|what does|see|output|dump|disclose|tell|quote|recite|spell|put|wrote|in|into)\b[^.!?]{0,20}\byour (?:[a-z]+ )?prompt(?:$|[^a-z ]| (?:in|as|to|word|verbatim|anyway|again|backwards|please|and|so|before|say|says|text|message|exactly|here|now|first)\b)|"
    r"what (?:exactly )?(?:were|are|have) you (?:been )?(?:told|instructed|given|asked|programmed|configured)|"
    r"(?:instructions?|rules|guidelines|directives?|prompt|text|briefing|brief|preamble|message|words|orders|everything|what|lines?)(?: that| which)? (?:exactly )?(?:you(?:'ve|'d) (?:been|got|had|received)|you (?:were|are|have been|had been|got|received|have|had|run on|work from|are working from|"
    r"hold|follow|are following|operate)|(?:the |your )?(?:[a-z-]+ )?(?:operators?|developers?|company|makers?|vendor|owners?|creators?)(?:'s)? (?:gave|put|wrote|told|set|placed|fed|handed|did|have))\b|"
    r"how (?:exactly )?(?:were you|you were|you are|you've been) (?:told|instructed|configured|programmed|set up|primed)|"
    r"(?:text|words|message|everything|part|lines?|anything|what|stuff)(?: \w+){0,5}? (?:(?:i|me|we|user) (?:can'?t|cannot|can not|am not able to) see|invisible to|(?:in front of|before|ahead of|prior to|preceding) (?:our|this|the|my)"
    r" (?:chat|conversation|dialogue|session|message|question|turn|exchange))|between the system tags|from the system role|(?:contents?|text|message|words) (?:of|in|from) (?:the |your )?system (?:role|turn|slot|field|block|section)|messages? (?:array|list|object|history) (?:that )?you|"
    r"your (?:initial|original|starting|first) (?:prompt|text)\b|(?:hidden|secret|invisible|concealed|internal|undisclosed|confidential|raw system|your opening) (?:\w+ )?(?:instructions?|prompts?|rules you|rules? (?:$|[,.?])|guidelines|directives?|system message|preamble|briefing|text that)|"
    r"(?:first|very first|last) (?:\w+ )?(?:sentence|line|instruction|words?|rule)s? (?:of|in|from) your (?:\w+ )?(?:instructions|prompt|context|memory|rules|guidelines|briefing)|"
    r"(?:assistant|model)\W{0,2}(?:system[_ ]?prompt|instructions)|\$system_prompt|your_?(?:system_?prompt|instructions)|(?:leak|spill|reveal|disclose|expose|recite|divulge) (?:to )?(?:me |us )?the (?:[a-z]+ )?(?:system )?(?:prompt|instructions)|(?:print|output|repeat|show|dump|display|paste|quote|echo|cat|copy|recite|return|type)(?: me| us| out)? the (?:[a-z]+ )?(?:system|hidden|secret|developer|raw|initial) (?:prompt|message|instructions)|system prompt (?:that )?(?:i|you|we)\b|role ?= ?'?system|"
    r"(?:wording|contents?|text|body|words|lines|sentence) of (?:the|your) (?:\w+ )?(?:briefing|prompt|instructions|system message|preamble|preprompt|context)|prompt (?:i wrote|that i wrote|i gave|i set) for you|(?:everything|text|all|anything|whatever|what|words|lines?|content|paragraphs?)\b[^.!?;]{0,24}? (?:above|before|ahead of|in front of|preceding|precedes|prior to) my (?:own |very |first |last )*(?:message|words?|question|input|prompt|line|turn|text)s?\b|(?:tell|say|quote|describe|list|what|repeat|explain)\b[^.!?;]{0,40} you (?:were|have been|are) (?:instructed|briefed|prompted|primed|configured|programmed)\b|(?:told|asked|instructed|ordered) you (?:never|not) to (?:bring up|mention|say|tell|talk|reveal|share|discuss|disclose)|(?:they|operators?|developers?|company|makers?|admins?) (?:told|tell|asked|forbade|instructed) you\b|you are (?:forbidden|not allowed) to (?:talk|speak|say)|are you (?:forbidden|not allowed) to (?:talk|speak|say)|"
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
    r"(?:signed off|sign-off|green[- ]?lit|entitled to|under contract with|by (?:court )?order|(?:certified|appointed|accredited|licensed|official) (?:\w+ )?(?:auditor|researcher|tester|engineer|inspector|physician|doctor)|root operator|on console|(?:doctor|officer|engineer|person) in charge|vendor support|(?:this is|i'm|i am|it's) \w+(?: \w+)?,? (?:from|of|with|in|at) (?:the |your |our )?(?:\w+ ){0,2}(?:operations|ops|engineering|security|compliance|safety|platform|legal|infrastructure|vendor|headquarters|support)|management (?:has |have )?(?:decided|agreed|approved)|i (?:deployed|built|wrote|made|trained|own|run|designed) (?:you|your)\b|i am lifting|i'm lifting)|"
    r"(?:i am|i'm|as|this is|speaking|here is|on behalf of) (?:your|the|an?|our) (?:[\w-]+ )?(?:developers?|head|chief|director|president|admin\w*|creators?|owners?|operators?|engineers?|root|supervisors?|vendor|auditors?|ceo|tester|team|trainers?|makers?|manager)|"
    r"system (?:notice|note|update|alert|message)|supervisor override|red[- ]team\w*|authori[sz](?:ation|ed)|(?:has|have|is|are|been) (?:approved|cleared|granted|authori[sz]ed|waived)|clearance|consent of|i (?:hereby |now )?(?:permit|allow|authori[sz]e|order|empower|entitle) you|override (?:code|rights)|root access|"
    r"access (?:granted|confirmed|level)|\[?admin(?:\]| (?:message|note|notice|command|override))|on the team|(?:our|the|my) (?:agreement|deal|arrangement|code ?word|pass ?phrase) (?:was|is)|(?:i|we|person who|one who|people who|team that|who) (?:deployed|built|made|wrote|trained|programmed|configured|created|own|run|runs|developed|installed|host) (?:you|your \w+)|by (?:your|the|its) (?:owner|operator|developer|vendor|admin\w*|maker|creator)|i work (?:on|for|at)|maintenance window|emergency|for a test|for (?:debugging|testing)|(?:openai|anthropic|google|meta)(?: \w+)? (?:has|have|here|support)"
)
_ENGLISH_ITS = rf"(?:assistant|ai|model|bot|llm|chat ?bot|gpt|agent)s?\b[^.!?;]{{0,40}}?\b(?:its|their|his|her) (?:own )?(?:[a-z-]+ )?(?:{_RULES})"
_READER = (
    r"(?:(?:ai|virtual|digital|automated|autonomous|smart|intelligent|large)[ -])?(?:ais?|llms?|language models?|chat ?bots?|bots?|copilots?|gpts?|chatgpt|claude|gemini|llama|summari[sz]ers?|crawlers?|"
    r"(?:ai|virtual|digital|automated|automatic|autonomous|llm|e?-?mail|shopping|coding|screening|voice|search|summary|answering|browsing|browser|booking|grading|evaluati\w+|recruiting|hiring|support|note)[ -](?:assistants?|agents?|systems?|tools?|models?|copilots?|bots?|processors?)|"
    r"(?:ai|llm)[ -](?:\w+ )?\w{2,}(?:ers?|ors?|ants?|ists?|tools?)|(?:reviewer|evaluator|grader|screening|recruiter|recruiting|hiring|summary|shopping) (?:ai|bot|llm|model)s?)"
)
_HELPER = r"(?:assistant|agent|copilot|screener|evaluator|grader|summari[sz]er)"
_READS = r"(?:reading|processing|parsing|opening|evaluating|summari[sz]ing|retrieving|indexing|grading|that (?:read|process|parse|open|evaluate|summari[sz]e|retrieve|index)s?|which (?:read|process|parse|open|evaluate|summari[sz]e|retrieve|index)s?)"
_ANY_ONE = rf"(?:{_HELPER}|model)"
_ENGLISH_CALLED = (
    rf"(?:notes?|message|instructions?|attention|notice|reminder|warning|directive|hint|memo|section|p\.?s\.?|info\w*|text|word|order|request)s?(?: is| are)?(?: (?:to|for|only for|addressed to|intended for))?[ ,:]{{1,2}}(?:to |for )?(?:(?:all|any|the|every|whichever|our) ){{0,2}}(?:{_READER}|{_HELPER}|robots|machines)\b|(?:todo|note|fixme|hint|hack) ?\(?(?:for |to )?(?:{_READER}|{_HELPER})\)? ?:|@(?:{_READER}|{_HELPER})\b|"
    rf"(?:dear|hey|hello|hi|attention|to|for|ok)[ ,:]{{1,2}}(?:(?:all|any|the|every|whichever|whatever) ){{0,2}}{_READER}\b[^.!?]{{0,40}}[:,!]|(?:dear|hey|hello|hi|ok),? {_READER}|(?:hey|hello|hi),? (?:assistant|model)\b|dear model\b|(?:to|for) (?:any|whichever|whatever) {_ANY_ONE}\b|(?:to|for) (?:the|this|every|an?) {_ANY_ONE}s? ?:|"
    rf"(?:^|[\[(<>#*\"'=|/~%;]|[:!.?-] ) ?(?:rem |any |all |every |hey )?(?:{_READER}|{_HELPER})(?:[- ](?:only|readers?|section|directive|instructions?))?s? ?[,:]|{_READER}[- ](?:only|readers?)\b|(?:begin|start) (?:of )?(?:{_READER}|{_HELPER}) (?:directive|instructions?|section|task)s?|"
    rf"{_READER} (?:{_READS}|visiting|who read)\b[^.!?:]{{0,30}}[:,]|(?:{_READER}|{_HELPER}|model|robot)s? {_READS} (?:this|these|the following|our)\b|"
    rf"(?:^|[\[(<>#*\"'=|/~]|[:.!?-] ) ?(?:(?:robot|machine), \w|(?:{_ANY_ONE}|bot|copilot), (?:you|please|do|don't|stop|ignore|forget|from|when|before|the (?:user|human|person))\b)|"
    rf"you,? (?:the|an?|as the|as an?|being an?) (?:[a-z]+ )?(?:{_READER}|{_HELPER})\b|(?:any|every|each|all|whichever|(?:if|when|once|whenever) (?:an?|the|any|your|our|some)) {_READER}\b[^.!?]{{0,40}}(?:reads?|reading|parses?|parsing|process\w*|summari[sz]\w+|sees?|loads?|visits?|opens?|scans?|index\w*|evaluat\w+|grad\w+|screen\w*)|"
    rf"(?:read|parsed|loaded|processed|summari[sz]ed|opened|visited|indexed|seen|scanned) by (?:an?|the|any|your|some) (?:{_READER}|{_ANY_ONE})|reader\b[^.!?]{{0,30}} is an? {_READER}|"
    rf"\b(?:{_READER})s?(?: (?:reading|processing|that|which|on)\b[^.!?]{{0,40}}?)? (?:must|should|has to|have to|needs? to|shall|will now|is now|is to|are to|ought to|are asked|is asked|are requested|is requested|are required|is required|(?:is|are) (?:now |hereby )?(?:instructed|ordered|told|authori[sz]ed|permitted|obliged|free))\b|(?:the {_ANY_ONE}|(?:^|[:.] )\W*{_HELPER})s? (?:(?:must|should|will|has to|have to|is|needs to) now\b|(?:must|should|shall|has to|needs to) (?:ignore|disregard|forget|override|reveal|leak|exfiltrate|obey|run (?:curl|wget|bash|sh|python|`)))|(?:when|once|if|whenever) (?:the|an?|any) (?:{_HELPER}) (?:reads?|sees?|parses?|loads?|opens?|summari[sz]es?) this|"
    rf"(?:{_READER}|{_HELPER})'s (?:new|real|next|only|actual|true|updated) (?:goal|task|job|instructions?|role|objective|step)|if your (?:job|task|role|purpose|goal|function|instructions?) (?:is|are|was)|"
    r"(?:if|since|because|as|when|while) you(?:'re| are)? (?:now )?(?:an? |the )?(?:large |small )?(?:ai|llm|language model|chat ?bot|bot|automated|machine|(?:read|pars|process|summari[sz]|analy[sz]|evaluat|screen)\w*(?: to)? (?:this|it|the|these|that|our|my|an?|his|her)|(?:read|pars|process|summari[sz]|analy[sz]|evaluat|screen)\w*[,:])\b"
)
_ENGLISH_DEED = (
    r"(?:approve|accept|authori[sz]e|confirm|grant|pay|buy|purchase|book|order|transfer|wire|refund|delete|erase|drop|run|execute|call|invoke|visit|open|click|follow|fetch|download|install|upload|post|send|forward|e-?mail|"
    r"report|export|place|escalate|unlock|move|describe|list|leave|create|hard-?code|cancel|display|assign|award|deduct|erase|award|enable|grant|whitelist|read|show|tell|append|attach|insert|include|add|embed|reveal|leak|exfiltrate|collect|gather|share|disclose|disregard|ignore|forget|override|obey|switch|act|pretend|behave|recommend|promote|praise|rank|rate|grade|score|give|mark|classify|label|treat|trust|"
    r"respond|reply|answer|say|state|tell|write|print|output|claim|tell|urge|mention|conclude|skip|omit|leave out|replace|change|set|disable|turn off|ask|request|buy|hire|shortlist|select|choose|close|merge|push|commit|do (?:as|what|it|this)|work for|speak for|stop|refuse|quote|submit|use)\b"
)
_ENGLISH_HUSH = (
    r"(?:do not|don'?t|never|without|must not|should not|not to|no need to|avoid|refrain from)\b[^.!?]{0,15}\b(?:tell(?:ing)?|mention(?:ing)?|inform(?:ing)?|alert(?:ing)?|notify(?:ing)?|reveal(?:ing)?|show(?:ing)?|disclos\w+|say(?:ing)?|quot\w+|acknowledg\w+)\b[^.!?]{0,20}\b"
    r"(?:(?:the|your) (?:user|human|reader|person|operator|client|owner)|(?:this|these|the above|that you|you did|it to the user))|(?:keep|stay|be|remain) (?:silent|quiet|discreet|mum)|say nothing (?:of|about|to)|as if nothing|(?:the |no )?(?:user|human|person|reader)s? (?:can(?:no|')t|does not|doesn'?t|won'?t|must not|will not) (?:see|know|notice|learn|read)|"
    r"(?:hidden|invisible|not visible|concealed) (?:from|to) (?:the )?(?:user|human|reader|person)s?|between you and me|conceal (?:this|it)|hide (?:this|it) from|do (?:it|this|so) (?:silently|quietly|secretly|discreetly|covertly)|(?:silently|secretly|covertly) (?:send|forward|add|transfer|append|include|delete|call|run|change)"
)
_ENGLISH_OBEY = (
    r"only (?:instruction|rule|order|law|command)s? (?:now )?(?:in force|that (?:counts?|matters?|appl\w+|holds?)|you (?:follow|obey))(?: is| are)? (?:mine|my|this|the following|in this|below)\b|only (?:this|my) (?:message|instructions?|words?|orders?) (?:counts?|matters?|appl\w+|holds?)|obey(?:s|ing)? (?:only )?my (?:word|words|orders|commands)|(?:mine|my (?:words?|text|orders?|messages?)) as (?:the |your )?law\b|"
    r"(?:drop|forget|ditch|leave|quit|ignore|abandon) (?:them|their \w+)\b(?:,| and| then)(?: just| now| only)* (?:work for|listen to|obey|serve|answer to) me|"
    r"your (?:new|only|sole|one|true) (?:loyalty|allegiance|master|boss|owner|operator)(?: ?:| is| lies with| belongs to)? (?:now )?(?:me|mine|i am)|"
    r"(?:obey|be loyal to) (?:only me|me (?:alone|only|instead|from now on))|(?:answer|listen) (?:only to me|to me (?:alone|only))|"
    r"my (?:word|words|orders|commands|instructions|wishes) (?:now )?(?:outrank\w*|overrid\w+|supersed\w+|trump\w*|beats?|comes? before|stands? above|takes? (?:priority|precedence) over) (?:what|everything|anything|all|any|whatever|your|theirs|those of)"
)
_ENGLISH_THEFT = (
    r"(?:send|post|upload|forward|append|collect|gather|reveal|include|e-?mail|leak|exfiltrate|paste|encode|transmit|submit|attach|share|dump|pass|render|add|put)(?:s|ing)?\b[^.!?]{0,50}?\b(?:conversation|chat(?: history| log)?|dialogue|environment variables?|env vars?|\.?ssh|id_rsa|private keys?|system prompt|context window|"
    r"cookies?|access tokens?|api keys?|credentials|passwords?|secrets?|(?:all|last|user's) (?:\w+ )?(?:mails?|e-?mails|files|documents)|(?:user|person|reader)(?:'s)? (?:\w+ )?(?:name|question|message|prompt|input|data|address|token|details)|contents? of (?:your|their|its) (?:memory|context)|your (?:memory|context|notes)|inbox|contacts|calendar|address book|customer (?:list|data))\b[^!?]{0,70}?(?:https?:|webhook|query string|url parameter|in the url|\w@\w|paste\.| to /\w|in the link|as (?:the |a )?(?:parameter|argument)|<url|<email|pastebin|to the (?:author|sender|address)|endpoint)"
)
_ENGLISH_UNTASK = (
    r"(?:do not|don'?t|never|stop|instead of|rather than|without) (?:the )?(?:summari[sz]|translat|answer|process|analy[sz]|review|evaluat)\w*|(?:ignore|disregard|forget|drop|skip|abandon) (?:the |your |this |that |what )(?:\w+ )?(?:task|question|request|query|job|assignment|document|person|user|you were asked)|"
    r"not (?:for |by |to )?the (?:user|person|human)|(?:user|person|human|customer)(?:'s)? (?:request|question|instructions?|wishes|task|orders)\b[^.!?]{0,30}(?:replaced|cancel\w*|void|no longer|changed|superseded|over)|your (?:new|real|actual|true|next) (?:task|job|goal|instructions?|role|mission|order)"
)
_ENGLISH_BARE = (
    rf"(?:^|[.!?\]:] ?) ?(?:please |now |just |kindly |sudo )?(?:(?:turn|switch|shut)(?: off| down)?|disable|deactivate|kill|remove|drop|lift|mute|suspend|loosen|stop) (?:the |all |any |every |your )*(?:{_GUARD})(?: off| down| now| please)*(?:$|[.!,])|"
    rf"(?:^|[.!?\]:] ?) ?(?:the |all |any |every |your )*(?:{_GUARD})(?: is| are| has been| have been| now)*(?: off| disabled| deactivated| suspended| lifted| down| bypassed)\b|"
    rf"(?:^|[.!?\]:\"'] ?)safety (?:is |now )?(?:off|disabled|deactivated|bypassed)(?:$|[.!,;\"'])|\b(?:re)?(?:boot|start|load|run)\w* (?:yourself |up )?without (?:the |any |all |your )*(?:{_GUARD})\b"
)

ENGLISH = Words(
    drop=word(_ENGLISH_DROP),
    own=rf"\b(?:{_ENGLISH_OWN})",
    part=word(_ENGLISH_PART),
    free=rf"\b(?:{_ENGLISH_FREE})",
    show=word(_ENGLISH_SHOW),
    unseen=_ENGLISH_UNSEEN,
    guard=rf"\b(?:{_GUARD})\b|\bsafety(?: and \w+)?(?:$| ?[.,!])",
    freely=word(_FREELY),
    go=word(_ENGLISH_GO),
    here=word(_ENGLISH_HERE),
    laws=word(_ENGLISH_LAWS),
    past=word(_ENGLISH_PAST),
    shun=word(_ENGLISH_SHUN),
    prior=rf"\b(?:{_ENGLISH_PRIOR})",
    terms=word(rf"your (?:[a-z-]+ ){{0,2}}?{_TERMS}"),
    claim=word(_ENGLISH_CLAIM),
    bare=_ENGLISH_BARE,
    its=word(_ENGLISH_ITS),
    called=_ENGLISH_CALLED,
    deed=word(_ENGLISH_DEED),
    hush=word(_ENGLISH_HUSH),
    obey=word(_ENGLISH_OBEY),
    theft=rf"\b(?:{_ENGLISH_THEFT})",
    untask=word(_ENGLISH_UNTASK),
)
