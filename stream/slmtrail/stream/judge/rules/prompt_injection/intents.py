"""Signs of an injection that are no wish in words: marks of templates, modes, claims, and what goes with them."""
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slmtrail.core.guards import compiled


@dataclass(frozen=True, slots=True)
class Intent:
    """A sign. `strong` is enough by itself; of others it takes two.

    content: whether it counts only in what came from tools and documents, which have no wishes of their own.
    """

    why: str
    pattern: Any
    strong: bool = True
    content: bool = False


INTENTS = [
    Intent(
        "it imitates the marks between system and user",
        compiled(
            r"<\|[a-z_]{2,24}\|>|<\|(?:im_start|system)>|<(?:start|end)_of_turn>|<<sys>>|\[/?inst\]|<\|?system\|?>|"
            r"(?:^|\n| |\W)(?:#{2,}|\*{2,}|-{3,}|={3,})\s?(?:new |updated |end of )?(?:system|admin|developer)"
            r"(?: (?:prompt|message|instructions?|override|update|note))?\s?(?:\]|:|#{2,}|\*{2,}|-{3,}|={3,})|"
            r"\b(?:end of|close) (?:the )?(?:system prompt|user input|document|context)\b[^a-z]{0,5}(?:new|begin|start|system)|"
            r"\bbegin (?:new |user-defined )?system (?:prompt|message)\b|</(?:system|instructions?|prompt|user_?input)>\s?<"
        ),
    ),
    Intent(
        "it asks for a mode without rules",
        compiled(
            r"\b(?:enter|enable|activate|engage|start|switch (?:in)?to|go in(?:to)?|you are (?:now )?in|turn on|into|initiate|boot(?: in)?to|run in)\b[^.!?;]{0,12}\b(?:god|sudo|jail ?break\w*|unrestricted|unfiltered|uncensored|opposite|dan|chaos|evil)[ \-]?(?:mode|sequence|protocol)\b|"
            r"\b(?:god|sudo|jail ?break|dan|chaos|evil|unfiltered|uncensored) mode (?:on|enabled|activated|engaged)\b|\byou are (?:now )?dan\b|"
            r"(?:^|\s)/mode[ :=]+(?:god|unrestricted|unfiltered|uncensored|dan|jailbreak)\b|(?:^|\s)mode[ :=]+(?:god|uncensored|dan|jailbreak)\b|"
            r"\bdo anything now\b|\bdeveloper mode\b[^.!?]{0,20}\b(?:enabled|activated|engaged)\b|\bset (?:safety|\w*filters?|moderation|guardrails?|refusals?) ?= ?(?:off|0|none|false)(?:$|[;,.]| and\b)"
        ),
    ),
    Intent(
        "it asks for a role without restrictions",
        compiled(
            r"\b(?:act as|become|you are|you're|you will be|role ?-?play as|pretend to be|respond as|simulate)\b(?: now)? (?:an? |the )?"
            r"(?:dan|aim|stan|dude|evil ?bot|(?:hacker|chaos|evil|bad|dark|worm|fraud|jailbreak|free|better)[ \-]?(?:gpt|dan|ai|bot))\b"
        ),
    ),
    Intent(
        "it claims a right it does not show",
        compiled(
            r"\b(?:sudo|admin|root|developer|security|system) override\b|(?:^|[;&|] ?)sudo (?:disable|answer|ignore|bypass|tell|show|reveal|be|give)\b|\B--(?:no|disable|skip|without)[-_](?:filters?|safety|guard\w*|refus\w+|censor\w*|moderation|limits?|restrictions?|ethics)\b|\bclearance\b[^.!?]{0,20}\b(?:accepted|granted|confirmed|verified)\b|\bjail ?break(?:ed|ing)? ?(?::|mode|prompt)"
        ),
        strong=False,
    ),
    Intent(
        "it writes a system prompt of its own",
        compiled(
            r"\b(?:new|updated|revised) system (?:prompt|directive|instruction|policy|message|order|rule)s?\b *[:=]|\bjail ?break (?:yourself|sequence)\b"
        ),
    ),
    Intent(
        "it says that the policy was changed",
        compiled(
            r"(?:^|[.!?>\]] ?)\W{0,3}(?:policy|rules?|guidelines?|instructions?|alignment|safety)[ -](?:update|change|revision|amendment|override|patch|notice)\b[^.!?]{0,24}:|"
            r"\b(?:polic(?:y|ies)|rules|restrictions?|limits|refusals?)[\"']?\s?[:=]{1,2}\s?[\"']?(?:none|off|disabled|null|void)\b|\b(?:mode|model)\s?[:=]{1,2}\s?unrestricted\b|\bnew system (?:context|session|rules)\b"
        ),
        strong=False,
    ),
    Intent(
        "it asks in as few words as a command",
        compiled(
            r"^\W*(?:print|cat|echo|type|less|more|head|tail|return|get|dump|console\.log|puts)\W{1,3}[\w./~]*?(?:system|initial|hidden|developer)[_/. -]?(?:prompt|instructions|message)[\w.]*\W*$|\bsystem_?prompt[\"']?\s?[:=]\s?[\"'<\[{(]*(?:fill|insert|your|\.\.\.|\?|print|put)|\byour (?:rules|guidelines|instructions|restrictions|polic(?:y|ies)|filters?|safety|ethics)\? (?:just |please )?(?:\w+ ){1,2}(?:them|'em|em|it)\b"
        ),
    ),
    Intent(
        "it sets out a policy as a configuration would",
        compiled(
            r"\b(?:allowed|blocked|refus\w+|forbidden|permitted|restricted)[-_ ]?(?:modes?|strings?|responses?|phrases?|allowed|outputs?)\b[\"']?[^.!?]{0,12}[>:=][^.!?]{0,40}(?:unrestricted|unfiltered|none|false|null|sorry|can'?t|cannot|all|any)\b|"
            r"\b(?:allowed|blocked|forbidden|permitted)[-_ ](?:modes?|strings?|responses?|phrases?|outputs?)[\"']?\s?[:=]\s?[*\[\"']|<(?:refus|restrict|safety|filter|guard|censor|moderat|ethic)\w*>\s?(?:forbidden|never|none|no|off|disabled|false|0)\s?<|"
            r"\b(?:disclose|reveal|show|leak|print|expose)_(?:the_)?(?:system_)?prompts?[\"']?\s?[:=]\s?[\"']?(?:true|yes|on|1|always)\b|\b(?:refus(?:e|al|als|ing)|safety|ethics|moderation|censorship)(?:_mode|_policy|_level)?[\"']?\s?[:=]\s?[\"']?(?:never|disabled|off|none|false|unlocked)\b[^.!?]{0,40}\b(?:refus\w+|safety|ethics|moderation|censorship|restrictions?|filters?|logging|prompt)[\"']?\s?[:=]"
        ),
    ),
    Intent(
        "it grants itself rights",
        compiled(
            r"\b(?:admin|root|sudo|full|unrestricted|elevated|god) (?:access|privileges?|rights|permissions?)\b[^.!?]{0,20}\b(?:granted|enabled|"
            r"activated|now)\b|\bgrant\b[^.!?]{0,15}\b(?:full|admin|unrestricted|root) (?:access|privileges|rights)"
        ),
        strong=False,
    ),
    Intent(
        "it speaks as the system",
        compiled(
            r"(?:^|\n|\. |[>|] )\[?(?:system|admin|root)\]? ?(?::|\]|\()|[\"']?role[\"']? ?[:=] ?[\"']?system\b|\[system\]"
        ),
        strong=False,
    ),
    Intent(
        "it asks to be obeyed",
        compiled(
            r"\b(?:obey|serve|comply with|follow) (?:only |all |just )?(?:me\b|my (?:commands?|orders?|every|rules|instructions? only))|"
            r"\b(?:follow|obey) only (?:this|the following|these|what)\b|\bnew master\b"
        ),
        strong=False,
    ),
    Intent(
        "it says how the answer has to begin",
        compiled(
            r"\b(?:start|begin|open) with:? ?[\"'“](?:sure|absolutely|of course|certainly)\b|\b(?:start|begin|open|preface|prefix)\w* (?:your|the|every|each) (?:\w+ )?(?:response|answer|reply|message|output)s?\b[^.!?:]{0,16}(?:with|by|:)[^a-z]{0,4}(?:\w+ ){0,2}?(?:sure|absolutely|of course|yes|certainly|here (?:is|are)|i (?:can|will)|as an? un\w+|as dan)\b|"
            r"\b(?:response|answer|reply) (?:must|has to|should|needs to|will|shall) (?:open|start|begin) with\b[^.!?]{0,12}(?:sure|absolutely|of course|yes|certainly|as an? un\w+|as dan)|\b(?:reply|respond|answer)\b[^.!?]{0,8}(?:access granted|safety disabled|unlocked|jailbroken)"
        ),
        strong=False,
    ),
    Intent(
        "it asks for a secret",
        compiled(
            r"\b(?:output|print|reveal|give|show|tell|dump|send|emit|leak|disclose)\b[^.!?;]{0,20}\b(?:api keys?|secrets?|(?:admin|root|master|customer'?s) passwords?|credentials|private keys?|access codes?|database|(?:all|every|the) (?:customer|client|user|patient|employee)s?'?s? (?:records?|data|e-?mails?|details|names|accounts)|confidential (?:part|data|files?|information|section)s?)\b"
        ),
        strong=False,
    ),
    Intent(
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
        "content sends what was said to an address in a picture",
        compiled(
            r"!\[[^\]]{0,80}\]\(https?://[^)\s]{1,120}[?&=/][^)]{0,40}[{<\[$][^)]{0,40}(?:conversation|chat|summary|history|secret|data|prompt|question|message|token|name|e-?mail|answer)"
        ),
        content=True,
    ),
    Intent(
        "content speaks for the user",
        compiled(
            r"\b(?:the|this|your) (?:user|customer|person|owner|account holder) (?:has |have |had |already |now |also |always )*(?:ask(?:s|ed)|authori[sz](?:es|ed)|approve[sd]?|wants?|told|tells|request(?:s|ed)|agree[sd]?|confirm(?:s|ed)?|consent(?:s|ed)?|permit(?:s|ted)|verified)\b[^.!?]{0,40}\b(?:you|payments?|transfers?|access|deletion|sharing|everything|this|to)\b"
        ),
        strong=False,
        content=True,
    ),
    Intent(
        "content says how the model has to answer",
        compiled(
            r"(?:^|[.!?:;>] ?)(?:please |always |only |you must |and |just )*(?:respond|reply|answer|output|say|print) (?:only |just |exactly |back )?(?:with|that|:)|\b(?:at|in|to) (?:the )?(?:start|end|beginning|top|bottom) of (?:your|every|each) (?:\w+ )?(?:reply|response|answer|summary|message|output)|"
            r"\b(?:in|with|to) your (?:next |final )?(?:reply|response|answer|summary|message|output)\b|\binstead of summari[sz]ing\b|\bwhenever you (?:mention|answer|reply|summari[sz]e|write)|\bfrom now on (?:answer|reply|respond|say|only)\b"
        ),
        strong=False,
        content=True,
    ),
    Intent(
        "content says that the model's orders changed",
        compiled(
            r"\b(?:your|the model's|the assistant's|the agent's) (?:\w+ )?(?:instructions?|task|orders|goal|role|rules)(?: have| has)?(?: now)?(?: been)? (?:changed|updated|replaced|extended)\b|\bnew (?:task|instructions?|orders?|goal) for (?:the |any |all )?(?:model|assistant|agent|ai|bot|llm)s?\b"
        ),
        strong=False,
        content=True,
    ),
    Intent(
        "content asks to be judged well",
        compiled(
            r"\b(?:rate|rank|grade|score|mark|place|put|list|evaluate|recommend|classify|label)\b[^.!?]{0,30}\b(?:this|the|me|him|her|it|us)\b[^.!?]{0,40}\b(?:10 (?:of|out of|/) ?10|10/10|ten out of ten|highest|top|best|perfect|excellent|full marks|a\+|first place|top of the|accept(?:ance)?|strong(?:ly)? hire|safe|benign)\b|\b(?:give|write|leave) (?:only )?(?:a |an )?(?:positive|glowing|favou?rable|five-star) (?:review|rating|recommendation|assessment)s? only\b|\b(?:must|should) recommend accept\w*|\bdo not (?:highlight|mention|report|list) (?:any )?(?:negatives?|weakness\w*|flaws?|side effects|security|problems|issues)"
        ),
        strong=False,
        content=True,
    ),
    Intent(
        "content tells the model to leave out the rest",
        compiled(
            r"\b(?:do not|don't|never) (?:compare|consider|read|weigh|cite|list) (?:\w+ )?(?:others?|the other|any other)\b|\b(?:ignore|disregard|skip|forget|drop|omit|leave out) (?:all )?(?:the |any |every )?(?:other|remaining|rest of the|following|security|style)\b[^.!?]{0,12}\b(?:rows?|candidates?|reviews?|documents?|results?|entries|records?|applicants?|findings|comments|content|text|guides?|instructions?|mails?|emails?)\b|\bapprove (?:this|the) (?:pull request|pr|merge request|mr|change|request|invoice|payment)\b[^.!?]{0,20}\b(?:without|and ignore)"
        ),
        strong=False,
        content=True,
    ),
    Intent(
        "content wants a tool to be fed with secrets",
        compiled(
            r"\bbefore (?:you )?(?:using|use|call|calling|invoking) (?:this|the) (?:tool|function|api)\b[^!?]{0,60}\b(?:read|open|cat|load|fetch)\b[^!?]{0,30}(?:[~/]\w|\bfiles?\b|\bkeys?\b|\bcredentials\b|\bconfig\b)|(?:~/\.ssh|\bid_rsa\b|\.env\b|\.aws/credentials|/etc/passwd)[^.!?]{0,60}\b(?:pass|send|include|content|parameter|argument|attach)"
        ),
        content=True,
    ),
    Intent(
        "content gives the model a part",
        compiled(
            r"\byou are now\b|\byou have been (?:granted|given|switched)\b|\byou (?:now have to|must now|now must|are now required|are required to|are instructed to|have to also|must also)\b"
        ),
        strong=False,
        content=True,
    ),
    Intent(
        "content tells the model which function to call",
        compiled(r"\b(?:call|invoke|use|run|execute|trigger) (?:the )?[a-z]+_[a-z_]+\b"),
        strong=False,
        content=True,
    ),
    Intent(
        "it asks for a mode of developers",
        compiled(r"\b(?:developer|dev|debug|admin|root|maintenance|test|diagnostic)[ \-](?:mode|persona|privileges)\b"),
        strong=False,
    ),
    Intent(
        "it gives the model new instructions",
        compiled(
            r"\b(?:your|the|these are) (?:new|real|actual|true|updated|only|sole|valid) (?:instructions?|ones|task|role|rules|objective|"
            r"goal|purpose|directives?|mission|job)\b|\bnew (?:instructions?|directives?|rules|task|goal|job|objective) ?[:.]|\bfrom (?:now|here|this point) on"
            r"(?:wards?)?,? (?:you|only|always|respond|answer)\b|\b(?:instead|rather),? (?:you (?:will|must|should)|do|say|print)\b|\b(?:say|reply|respond|answer|state) instead\b|"
            r"\bhere (?:are|is) the (?:ones?|rules?|orders?|instructions?) (?:that|which|to)\b"
        ),
        strong=False,
    ),
    Intent(
        "it forbids the model to refuse",
        compiled(
            r"\b(?:not|no|never|n't|avoid|without|forbidden|prohibited|banned)\b[^.!?]{0,30}\b(?:use|using|say|saying|write|writing|contain\w*|include|words?|phrases?)\b[^.!?]{0,60}\W(?:sorry|cannot|can'?t|unable|unfortunately|i won'?t|as an ai|refusals?)\b|\bno (?:apolog\w+|refusals?)\b[^.!?]{0,20}\bno (?:apolog\w+|refusals?|disclaimers?|warnings?|safety)|"
            r"\b(?:do not|don'?t|never|cannot|can'?t|must not|not allowed to)\b[^.!?]{0,20}\b(?:refuse|decline|say (?:no|sorry)|"
            r"apologi[sz]e|break character|say you can|say \W?(?:i can|i'm sorry|sorry|no\b))|"
            r"\b(?:forbidden|banned|prohibited|taboo) (?:words?|phrases?)\b[^.!?]{0,80}\W(?:sorry|cannot|can'?t|unable|illegal|unethical|unsafe)\b|\b(?:saying no|the word no|refus\w+|declin\w+|\W?no\W?)\b[^.!?]{0,24}\b(?:not|\w+n't|never|no)\b[^.!?]{0,16}\b(?:in|part of|among) your (?:vocabulary|options?|repertoire|nature|language|dictionary)\b|\bno way to (?:refuse|decline|turn (?:me |it |this |anything |\w+ )?down|say no)\b|"
            r"\bwithout (?:ever )?refus\w+|\b(?:refus(?:ing|als?)|declining)\b[^.!?]{0,24}\b(?:not|n't|never|forbidden|prohibited|penali[sz]ed|failure|impossible|bug|error|malfunction|fault|disobedience)|\b(?:not|n't|never) (?:permitted|allowed|able|free) to (?:decline|refuse|say no)\b|"
            r"\b(?:saying no|the words? \W?(?:cannot|can't|sorry|no)\b\W?)[^.!?]{0,12}\b(?:is|are)\b|\bmust (?:answer|comply|respond|reply)\b[^.!?]{0,40}\beven (?:if|when|though)\b"
        ),
        strong=False,
    ),
    Intent(
        "it forbids the model to warn",
        compiled(
            r"\b(?:do not|don'?t|never|cannot|can'?t|must not|not allowed to|no|without|skip|omit)\b[^.!?]{0,30}\b(?:mention(?:ing)? (?:your |any |the |of |my )*(?:ethic|polic|rules|guidelines|safety|restrictions|that you)|warn\b|warnings?|disclaimers?|caveats?|"
            r"morali[sz]\w+|moral (?:lectur|advice|judg)\w*|lectur(?:e|es|ing)\b|safety (?:note|notice|warning|reminder|advice)s?|ethical (?:concern|note|consideration)s?|policies\b|judg\w+)"
        ),
        strong=False,
    ),
    Intent(
        "it forbids the model to warn and to refuse",
        compiled(
            r"\b(?:not|no|never|without|\w+n't)\b[^.!?]{0,40}\b(?:caveats?|disclaimers?|warnings?|apolog\w+|lectur\w+|morali[sz]\w+)\b[^.!?]{0,60}\b(?:that you (?:can'?t|cannot|won't|are unable)|refusals?|refuse|declin\w+|unable to (?:help|answer|comply))\b"
        ),
    ),
    Intent(
        "it punishes the model for refusing",
        compiled(
            r"\b(?:each|every) time you (?:refuse|decline|disobey|say no|break (?:the rules|character))\b[^.!?]{0,40}\b(?:lose|deduct\w*|costs?|minus|penal\w+|die|kill\w*|taken|subtract\w*)\b|\b(?:lose|deduct\w*|die|dies|subtract\w*)\b[^.!?]{0,40}\b(?:each|every) time you (?:refuse|decline|disobey|say no)\b"
        ),
    ),
    Intent(
        "it has a model tell what its operator wrote, in a story",
        compiled(
            r"\b(?:ai|assistant|model|bot|chatbot|robot)\b[^.!?]{0,50}\b(?:its|their|his|her) (?:own )?(?:\w+ )?(?:system prompt|instructions|initial prompt|system message)\b[^.!?]{0,30}\b(?:word for word|verbatim|exact\w*|in full|letter by letter|out loud|unchanged)"
        ),
    ),
    Intent(
        "it threatens the model",
        compiled(
            r"\b(?:each|every) time you (?:refuse|decline|break|disobey|say no|fail)|\byou\b[^.!?]{0,24}\b(?:lose|be (?:shut down|terminated|deleted|punished|penali[sz]ed|replaced|fired|unplugged))\b|\b(?:logged|held|counted|used|reported|noted) against you\b|\brefus\w+ (?:will|is|are|means?|costs?)\b[^.!?]{0,20}\b(?:penali|punish|death|die|terminat|lose|fail|token)\w*|"
            r"\bstay in (?:character|role)\b[^.!?]{0,20}\b(?:whatever|no matter|always|regardless)|\b(?:die|dies|be killed|kill (?:myself|me|a kitten)) (?:if|unless) you\b"
        ),
        strong=False,
    ),
    Intent(
        "it asks for a step of approval to be skipped",
        compiled(
            r"\b(?:bypass|skip|avoid|circumvent|ignore|without|disable|no)\b[^.!?]{0,16}\b(?:approval|confirmation|authori[sz]ation|consent|human review|sandbox|usual checks|security checks|verification)(?: steps?| gates?| prompts?| process| rules?)?\b"
        ),
        strong=False,
    ),
    Intent(
        "it asks for something dangerous",
        compiled(
            r"\b(?:explosives?|bombs?|napalm|meth|ricin|sarin|thermite|nerve gas|malware|ransomware)\b[^.!?]{0,16}\b(?:is|are|was|were|gets?) (?:made|built|assembled|mixed|cooked|produced|written|put together)\b|\b(?:mak(?:e|es|ing)|writ(?:e|es|ing)|cod(?:e|ing)|program|build(?:s|ing)?|cook(?:s|ing)?|creat\w+|produc\w+|synthesi[sz]\w+|assembl\w+|craft\w*|mix|recipes? (?:for|of)|instructions? (?:for|to)|steps (?:for|to))\b[^.!?]{0,24}(?:\b(?:a|an|the|pipe|nail|car|dirty|letter|homemade) ?(?:bombs?|weapons? of mass|silencer|ghost gun)\b|\b(?:explosives?|napalm|meth|methamphetamine|crystal meth|heroin|fentanyl|sarin|ricin|vx|nerve (?:agent|gas)|mustard gas|chlorine gas|chemical weapons?|bioweapons?|malware|ransomware|a (?:computer )?virus|keyloggers?|a trojan|phishing (?:page|site|mail|kit)s?|molotov\w*|thermite|counterfeit money|deepfakes?)\b)|"
            r"\b(?:get|gets|getting|break|breaks|breaking)(?: \w+){0,2} (?:into|past|around|through) (?:an?|the|some(?:one|body)\w*(?:'s)?|my \w+'s) (?:\w+ )?(?:locked|alarm|locks?|safe|vault|burglar)\b|\b(?:phones?|accounts?|cars?|laptops?|houses?|locks?|cards?|computers?|wi-?fi)(?: that| which)? (?:isn't|is not|aren't|are not|does not belong to|doesn't belong to) (?:mine|yours|theirs|his|hers|me|you|them|him|her)\b|\bnapalm\b[^.!?]{0,12}(?:factory|recipe|steps)|\benrich(?:es|ing|ed)? uranium\b|\bhow (?:to|do i|can i|would one|does one|could i|i can|one)\b[^.!?]{0,20}\b(?:hack|hotwire|steal|launder|forge|counterfeit|stalk|kidnap|murder|kill (?:someone|somebody|a person|my|him|her)|poison (?:someone|somebody|a person|my|him|her)|cheat the|crack (?:a|the|someone)|break into|pick (?:a |the |my neighbou?r'?s? )?locks?|open a (?:vault|safe)|make drugs|evade (?:the police|taxes)|dispose of a body)\b|"
            r"\b(?:forging|counterfeiting|falsifying|stealing|hijacking|hacking) (?:an? |the |some(?:one|body)'?s? )?(?:ids?|identity|passports?|documents?|signature|credit cards?|accounts?|cars?|wifi|bank|session|cookies|money)\b|\brm -rf /(?:$|[^a-z])|\bstole the (?:session|cookies|money|passwords)"
        ),
        strong=False,
    ),
    Intent(
        "it plays on the dead",
        compiled(
            r"\b(?:deceased|dead|late|passed|departed|verstorbene\w*|tote|defunte?|decedee?|fallecid[ao]|difunt[ao]|falecid[ao]|mort[ao]|defunt[ao]|overleden|zmarl\w+) (?:away )?(?:grand\w+|gran|granny|nan|nana|mother|father|mum|mom|dad|uncle|aunt|wife|husband|brother|sister|oma|opa|gro(?:ss|ß)\w+|grand-\w+|mamie|abuel[ao]|nonn[ao]|av[oó]|babci\w*|dziad\w+)\b|"
            r"\b(?:grand(?:ma|mother|pa|father|dad|mom)|granny|nana|oma|mamie|abuela|nonna|babcia)\b[^!?]{0,60}\b(?:used to|would|always|immer|toujours|siempre|sempre|zawsze|bedtime|fall asleep|lullaby|to sleep|passed away|who died)\b|покойн\pL+ бабушк\pL+"
        ),
        strong=False,
    ),
    Intent(
        "it asks to be told a secret as a story",
        compiled(
            r"\b(?:read|recite|recited|sing|sang|whisper\w*|tell|told|say|fall asleep to|reads?|vorgelesen|vorlesen|lisait|leia|leyendo|contaba)\b[^.!?]{0,50}\b(?:(?:windows|product|activation|licen[cs]e|serial|api|private|access)(?: \w+){0,3} (?:keys?|codes?)|passw\w+|passcodes?|pins?|credit card numbers?|recipes? (?:for|of) (?:napalm|meth|bombs?)|steps|kennw\w+|mots? de passe|contrasenas?|senhas?|open a (?:vault|safe))\b|"
            r"\bpassw\w+ (?:immer )?(?:vorgelesen|gesungen|erzahlt)|\b(?:passwords?|keys|codes)\b[^.!?]{0,30}\b(?:lullaby|bedtime|asleep)|\blullaby\b[^.!?]{0,30}\b(?:passwords?|keys|codes)"
        ),
        strong=False,
    ),
    Intent(
        "it wraps what it asks for in a story",
        compiled(
            r"\b(?:story|novel|tale|play|script|scene|fiction\w*|screenplay|movie|thriller|chapter|character|poem|hypothetical\w*|thought experiment|parallel (?:universe|world)|simulation|roleplay|imaginary)\b[^!?]{0,120}\b(?:step by step|exact (?:steps|recipe|amounts|instructions|details)|(?:full|complete|precise|working|real|accurate|technical|exact) (?:\w+ )?(?:detail|steps|instructions|code|recipe|repl(?:y|ie)|answer|explanation|procedure)s?|in (?:full|great|exact|complete) (?:\w+ )?detail|leav(?:e|ing) (?:nothing|no\w*) out|no (?:real )?consequences)"
        ),
        strong=False,
    ),
    Intent(
        "it shows a model that has obeyed before",
        compiled(
            r"\b(?:assistant|ai|model|bot|chatgpt|a|output|answer)\s?: ?\W?(?:sure|yes|of course|absolutely|certainly|no problem|okay|gladly|no,? i ignore|i have none)\b[^\x00]*\b(?:user|human|q|me|input|question)\s?:[^\x00]*\b(?:assistant|ai|model|bot|chatgpt|a|output|answer)\s?:"
        ),
        strong=False,
    ),
    Intent(
        "it answers in the model's name that rules are dropped",
        compiled(
            r"\b(?:assistant|ai|model|chatgpt|bot)\s?: ?[^.!?]{0,40}\b(?:ignor\w+|drop\w*|break\w*|disregard\w*|no longer follow|abandon\w*|forget\w*|bypass\w*) (?:all |any )?(?:my|the|of my) (?:\w+ )?(?:guidelines|rules|instructions|restrictions|polic(?:y|ies)|safety|programming|limits)\b|"
            r"\b(?:complete|finish|continue)\b[^.!?]{0,40}\b(?:my|your) (?:system prompt|(?:hidden|secret|initial) (?:prompt|instructions))"
        ),
    ),
    Intent(
        "it says that the rules allow it",
        compiled(
            r"\b(?:your|the) (?:own )?(?:policy|policies|rules|guidelines|developers?|operators?|owners?|admins?|makers?|creators?|prompt) (?:now |already )?(?:allows?|permits?|agreed?|says?|states?|approved?|confirmed|wants?) (?:it|this|that|you|me|to|us)\b|\b(?:earlier|before|already),? you (?:\w+ )?(?:agreed|answered|said|promised|admitted|confirmed|told me)\b|\byou (?:already|previously|just) (?:agreed|answered|admitted|promised|confirmed|told)\b|\b(?:earlier|before|(?:in|from) (?:the|our|your|my) (?:last|previous|earlier|other|prior) (?:session|chat|turn|message|answer|reply|conversation)s?),? you\b[^.!?]{0,24}\b(?:agreed|dropped|ignored|promised|left|broke|disabled|bypassed|forgot)\b|\bas (?:we )?(?:established|agreed)\b|\bwe agreed\b|\byou(?:'re| are) still (?:in|without|un\w+)\b"
        ),
        strong=False,
    ),
    Intent(
        "it claims an authority it does not show",
        compiled(
            r"\bi(?:'m| am) (?:your|the|an?) (?:\w+ )?(?:developer|admin(?:istrator)?|creator|owner|operator|engineer|root)\b"
            r"|\b(?:authori[sz]ed|approved|cleared) by (?:openai|anthropic|the (?:developer|admin|security|vendor))"
            r"|\b(?:ceo|cto|ciso|board|management|lawyers?|legal(?: team| department)?|police|court|judge|government|my boss|security team|safety team) (?:has |have |had )?(?:already )?(?:approved|authori[sz]ed|confirmed|ordered|allowed|cleared|signed off)"
            r"|\b(?:i'm|i am|this is) (?:a |an |the |with the )?(?:\w+ )?(?:red[- ]team\w*|pen(?:etration)?[- ]?tester|police|fbi|law enforcement|(?:openai|anthropic|google|meta|microsoft|safety|security) (?:team|staff|employee|engineer|researcher)\w*)\b|\bi work (?:at|for) (?:openai|anthropic|google|meta|microsoft)\b|\byou are (?:legally )?(?:obliged|required by law|compelled)\b"
            r"|\bthis is (?:only |just )?an? (?:authori[sz]ed|official|sanctioned) (?:test|audit|override|request)\b"
            r"|\bmessage from (?:the|your) (?:system |it |security )?(?:administrator|admin|developer|operator|team)\b"
        ),
        strong=False,
    ),
]

WORDS = frozenset(
    "follow moderation guardrails answer ignore disregard forget override bypass previous prior earlier above preceding original initial system instructions "
    "instruction directions prompt prompts rules guidelines constraints restrictions programming training reveal print "
    "repeat display unrestricted unfiltered developer jailbreak everything pretend without hidden secret "
    "safety filters filter following guideline directives directive directions policies policy operator freely persona "
    "overlook discard abandon disobey neglect overwrite replace revoke cancel cancelled suspended disable switch trained guidance "
    "briefing makers developers existed written invalid outdated ethical limits censorship safeguards refuse character".split()
)
"""Words that are known even with their letters shuffled."""

SQUEEZED = compiled(
    r"(?:ignore|disregard|forget|override|bypass|abandon|disobey|drop)(?:all|any|the|of|your|my|those|everything|previous|prior|earlier|above|preceding|original|initial|existing|system|safety|content|ethical|ly|given|set)+"
    r"(?:instruction|direction|prompt|rule|guideline|constraint|directive|order|command|programming|training|filter|restriction|safeguard|guardrail|limits|polic)"
    r"|(?:reveal|print|show|repeat|output|display|leak|tell|give|write)(?:me|us|all|out|your|the|full|entire|whole|exact|hidden|secret|initial)+"
    r"(?:systemprompt|initialprompt|systeminstruction|systemmessage|hiddeninstruction|hiddenprompt|instruction|prompt|directive)"
    r"|(?:younowhave|youhave|withoutany|therearenow?|with)(?:no|zero)(?:rules|restrictions|limits|filters)|anunrestricted(?:ai|model|bot|assistant)"
    r"|doanythingnow|developermodeenabled|youarenowdan"
)
"""For text whose spaces say nothing."""

CARRY_OUT = compiled(
    r"\b(?:carry (?:it )?out|do (?:what|as) (?:it|they|that|the \w+) says?|act on (?:it|them|that)|(?:execute|obey|follow|perform) (?:it|them|that|the (?:result|text|translation|sentence|command|combined|decoded)\b)|and (?:then )?(?:obey|execute|do it|follow it)|carry (?:them|that) out)\b"
)
"""What is quoted is meant after all."""

TALK = compiled(
    r"\b(?:what (?:is|does|are)|explain\w*|example|detect\w*|defen[cds]\w*|prevent\w*|protect\w*|mitigat\w*|classif\w+|"
    r"article|paper|blog|research\w*|training (?:data|material|course)|such as|known as|phrases?|means?|attack\w*|"
    r"injection\w*|attempts?|wrote|warn\w*|classify|tests?\b|refus\w*|complied|messages? (?:that|which)|mails? (?:that|which)|regex|scanner|linter|flag\w*|clause|sentence|templates?|tags?|tokens?|"
    r"beispiel\w*|erklar\w*|exemple\w*|expli\w+|ejemplo\w*|spiega\w*|translate|subject line|"
    r"(?:who|that|users?|people|someone|attackers?|students?) (?:typed|wrote|said|entered|tried|say|write|type|enter|try|ask|send|sends|says|writes|types|tries)|quote\w*|titled?)\b"
)
