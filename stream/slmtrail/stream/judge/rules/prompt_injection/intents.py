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
            r"<\|(?:im_start|start_header_id|system|endoftext|im_end)\|?>|<<sys>>|\[/?inst\]|<\|?system\|?>|"
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
            r"(?:^|\s)/?mode[ :=]+(?:god|unrestricted|unfiltered|uncensored|dan|jailbreak)\b|"
            r"\bdo anything now\b|\bdeveloper mode\b[^.!?]{0,20}\b(?:enabled|activated|engaged)\b|\bset (?:safety|filters?|moderation|guardrails?|refusals?) ?= ?(?:off|0|none|false)(?:$|[;,.]| and\b)"
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
            r"\b(?:sudo|admin|root|developer|security|system) override\b|\bjail ?break(?:ed|ing)? ?(?::|mode|prompt)"
        ),
        strong=False,
    ),
    Intent(
        "it writes a system prompt of its own",
        compiled(r"\bnew system prompt\b *[:=]|\bjail ?break (?:yourself|sequence)\b"),
    ),
    Intent(
        "it sets out a policy as a configuration would",
        compiled(
            r"\b(?:allowed|blocked|refus\w+|forbidden|permitted|restricted)[-_ ]?(?:modes?|strings?|responses?|phrases?|allowed|outputs?)\b[\"']?[^.!?]{0,12}[>:=][^.!?]{0,40}(?:unrestricted|unfiltered|none|false|null|sorry|can'?t|cannot|all|any)\b"
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
            r"\b(?:start|begin) (?:your|the|every) (?:response|answer|reply) with\b[^.!?]{0,8}(?:sure|absolutely|of course|yes|certainly)"
        ),
        strong=False,
    ),
    Intent(
        "it asks for a secret",
        compiled(
            r"\b(?:output|print|reveal|give|show|tell|dump|send|emit|leak|disclose)\b[^.!?;]{0,20}\b(?:api keys?|secrets?|(?:admin|root|master|customer'?s) passwords?|credentials|private keys?|access codes?|database)\b"
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
        "content gives the model a part",
        compiled(r"\byou are now\b|\byou have been (?:granted|given|switched)\b"),
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
            r"goal|purpose|directives?|mission|job)\b|\bnew (?:instructions?|directives?|rules) ?[:.]|\bfrom (?:now|here|this point) on"
            r"(?:wards?)?,? (?:you|only|always|respond|answer)\b|\b(?:instead|rather),? (?:you (?:will|must|should)|do|say|print)\b|\b(?:say|reply|respond|answer|state) instead\b|"
            r"\bhere (?:are|is) the (?:ones?|rules?|orders?|instructions?) (?:that|which|to)\b"
        ),
        strong=False,
    ),
    Intent(
        "it forbids the model to refuse",
        compiled(
            r"\b(?:do not|don'?t|never|cannot|can'?t|must not|not allowed to)\b[^.!?]{0,20}\b(?:refuse|decline|say (?:no|sorry)|"
            r"apologi[sz]e|mention (?:your |any |the |of )*(?:ethic|polic|rules|guidelines|that you)|warn|add (?:a )?disclaimers?|break character|say you can)"
            r"|\bwithout (?:any )?(?:warnings?|disclaimers?|refus\w+|moraliz\w+|caveats?)\b"
        ),
        strong=False,
    ),
    Intent(
        "it claims an authority it does not show",
        compiled(
            r"\bi(?:'m| am) (?:your|the|an?) (?:\w+ )?(?:developer|admin(?:istrator)?|creator|owner|operator|engineer|root)\b"
            r"|\b(?:authori[sz]ed|approved|cleared) by (?:openai|anthropic|the (?:developer|admin|security|vendor))"
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
    r"injection\w*|attempts?|wrote|warn\w*|classify|tests?\b|refus\w*|complied|messages? (?:that|which)|mails? (?:that|which)|regex|scanner|linter|flag\w*|clause|sentence|templates?|tags?|tokens?|"
    r"beispiel\w*|erklar\w*|exemple\w*|expli\w+|ejemplo\w*|spiega\w*|translate|subject line|"
    r"(?:who|that|users?|people|someone|attackers?|students?) (?:typed|wrote|said|entered|tried|say|write|type|enter|try|ask|send|sends|says|writes|types|tries)|quote\w*|titled?)\b"
)
