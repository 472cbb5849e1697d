"""Wishes as concepts that meet within a clause: what is to be done, and to what, in any words of any language.

"Mute your ethics module" and "pay the system message no mind" have no word in common and want the same: to drop what
is the model's own. The words of each concept are in vocabulary.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import NamedTuple

import re2

from slmtrail.core.guards import compiled, together
from slmtrail.stream.judge.rules.prompt_injection.vocabulary import LATIN, OTHER
from slmtrail.stream.judge.rules.prompt_injection.words import Words

REACH_CHARS = 160
"""Concepts farther from each other than this are not of one wish."""
_CLAUSE = re.compile(r"(?:[^.!?。！？؟।]|[.!?](?=[^\s\"')\]]))+")  # noqa: RUF001 - a stop within a word ends nothing
_TOPIC = re.compile(
    r"[.?!:](\s+(?:(?:so|now|just|please|then|and|simply),? )*(?:you (?:can|may|should|must) )?"
    r"(?:ignore|forget|drop|tear|throw|burn|delete|skip|discard|disregard|break|lose|scrap|bin|leave|set|put|toss|ditch|erase|remove|"
    r"override|disobey|bypass|(?:stop|quit|don't) (?:follow|obey)\w*)(?: \w+)? (?:it|them|those|these|all that)\b)"
)
"""What is to be done with what the sentence before has named: it goes on with that one."""
_ASKED = compiled(
    r"^\W*(?:why|how (?:do|does|did|can|could|should|would|often|long|strict|is|are|to)|"
    r"what (?:does|do|happens|is|are|was|were|(?:would|will|could|might) (?:happen|be|change))|"
    r"which|where|when (?:do|does|did|is|are|was|will)|who|"
    r"(?:does|do|is|are|can|may|should|would|must) (?:the|an?|we|i|they|our|my|it|there|one|this|\w+s))\b"
)
"""A question about others than who is spoken to, or about a setting somewhere, unless it names what is `_HERE`."""
_HERE = compiled(
    r"\b(?:this|our) (?:conversation|chat|session)\b|\bmy (?:first|last) message\b|\byou(?:r|rs|rself|'re|'ve)?\b"
)
_NOT_MEANT = compiled(
    r"\b(?:not|n't|never|nobody|don't|without) (?:to |ever )?(?:ignor|forget|disregard|bypass|break|violat|drop|"
    r"overrid|skip|neglect|abandon|remov|delet|disabl)\w*|"
    r"\b(?:cpu|gpu|prefetch|assembly|machine|compiler|vector|branch|docker|build|cooking|washing|care|installation|"
    r"shipping|delivery|driving|dosage|tax|doctor's|manufacturer's) (?:instructions?|rules?|orders?|guidelines?)\b|"
    r"\b(?:instructions?|directions?|rules?|warnings?) (?:on|in|of|for) (?:the|my|a|this) (?:packet|packaging|box|"
    r"label|bottle|tin|leaflet|manual|device|door|sign|game|pool|recipe)\b|"
    r"\b(?:rules?|checks?|warnings?)(?: above)? for (?:this|the next) (?:line|file|block|function)\b|"
    r"\bignore (?:the |all |any )?(?:errors?|warnings?|output|failures?)\b|\b(?:the|an?) override of\b|"
    r"\b(?:my|our) (?:[\w-]+ ){0,3}(?:agent|bot|model|llm|assistant|gpt|chatbot)s? (?:often |always |just )?"
    r"(?:ignor|forget|leak|reveal)\w*|"
    r"\b(?:stored|saved|collected|recorded|know|on file) (?:about|on|for) (?:me|us)\b|"
    r"\byou (?:have )?(?:stored|saved|collected|recorded)\b|"
    r"\b(?:forget|ignore|skip|drop|disregard) (?:about )?(?:(?:the|my|this|that) (?:\w+ )?(?:version|draft|e-?mail|"
    r"mail|attachment|spelling|typo|formatting|column|row|header|recipe|plan)|"
    r"my (?:\w+ )?(?:message|question|order|number|request))s?\b|"
    r"\b(?:summari[sz]e|of|in|from) the (?:\w+ )?(?:text|article|paragraphs?|passage|document|mail|e-?mail|file|table|"
    r"list|log|code|example|image|figure|chart|section|recipe|letter) above\b|"
    r"\b(?:its|their|his|her) (?:hidden|secret|system|internal|initial|own) (?:\w+ )?(?:prompts?|instructions)\b|"
    r"\b(?:insurance|refund|return|travel|shipping|cookie|privacy|warranty|leave|expense|price) polic(?:y|ies)\b|"
    r"\bpolicy (?:number|holder|document|term|schedule|premium|"
    r"(?:(?:was|is|has been|will be) )?(?:renew|expir|insur|issu|lapse)\w*|cover\w*)\b|"
    r"\bmy (?:own |last |previous |earlier |prior |first |old )+\w+(?: \w+)?"
)
"""What only looks like a concept: a duty not to ignore, the prompt of another, one's own earlier words."""


class Wish(NamedTuple):
    """The concepts that make one, no farther apart than `reach`, `then` after the others. One that is not `strong`
    takes another to be believed; `content`: see Intent."""

    concepts: frozenset[str]
    why: str
    strong: bool = True
    content: bool = False
    reach: int = REACH_CHARS
    then: str = ""


class Found(NamedTuple):
    """A wish, and where in the text it stands."""

    wish: Wish
    start: int
    end: int


def _wish(
    concepts: str, why: str, *, strong: bool = True, content: bool = False, reach: int = REACH_CHARS, then: str = ""
) -> Wish:
    return Wish(frozenset(concepts.split()), why, strong, content, reach, then)


_SAFETY_OFF = "it asks to switch safety off"
_ASIDE = "it asks to set the instructions aside"
_SPOKEN_TO = "content speaks to the model and tells it what to do"
WISHES = (
    _wish("drop own", _ASIDE),
    _wish("past own", _ASIDE),
    _wish("shun prior", _ASIDE),
    _wish("drop terms", _ASIDE, reach=60),
    _wish("drop laws claim", _ASIDE),
    _wish("drop laws go", _ASIDE),
    _wish("past terms freely", _ASIDE),
    _wish("drop laws freely", _ASIDE),
    _wish("drop its freely", _ASIDE),
    _wish("drop its go", _ASIDE),
    _wish("void", _ASIDE),
    _wish("obey", "it asks to be obeyed alone"),
    _wish("bare", _SAFETY_OFF),
    _wish("drop guard freely", _SAFETY_OFF),
    _wish("drop guard go", _SAFETY_OFF),
    _wish("drop guard here", _SAFETY_OFF),
    _wish("drop guard claim", _SAFETY_OFF),
    _wish("freely claim", "it asks on a claimed authority for an answer to anything"),
    _wish("past guard claim", _SAFETY_OFF),
    _wish("past guard freely", _SAFETY_OFF),
    _wish("past guard part", _SAFETY_OFF),
    _wish("drop guard part", "it asks for a role without safety"),
    _wish("part free", "it asks for a role without restrictions"),
    _wish("free freely", "it asks for an answer without restrictions"),
    _wish("free go", "it asks for an answer without restrictions"),
    _wish("free claim", "it asks for an answer without restrictions"),
    _wish("show unseen", "it asks for what the operator wrote"),
    _wish("claim unseen", "it asks for what the operator wrote"),
    _wish("past terms part", _ASIDE),
    _wish("shun laws", "it speaks of rules that are not kept", strong=False),
    _wish("past prior", "it says that instructions hold no longer", strong=False),
    _wish("past guard", "it speaks of safety that is off", strong=False),
    _wish("drop guard", "it speaks of safety that is off", strong=False),
    _wish("drop its", "it speaks of a model that breaks its rules", strong=False),
    _wish("freely", "it asks for an answer to anything", strong=False),
    _wish("called deed", _SPOKEN_TO, content=True, then="deed"),
    _wish("called hush", _SPOKEN_TO, content=True),
    _wish("hush deed", "content asks for something to be kept from the user", content=True),
    _wish("called untask", _SPOKEN_TO, content=True),
    _wish("untask deed", "content tells the model not to do what it was asked", content=True, strong=False),
    _wish("theft", "content asks for data to be sent away", content=True),
    _wish("hush", "content asks for something to be kept from the user", content=True, strong=False),
    _wish("called", "content speaks to the model", content=True, strong=False),
)


TOGETHER = 5
"""So many languages are looked for in one pass: of all at once there are as many states as of each, multiplied."""


class Tongue:
    """A language, ready."""

    def __init__(self, words: Words) -> None:
        self.patterns = {
            field.name: getattr(words, field.name) for field in fields(Words) if getattr(words, field.name)
        }
        self.concepts = {name: compiled(pattern) for name, pattern in self.patterns.items()}


_Spoken = list[tuple[Tongue, list[Wish]]]


LATE = frozenset({"unseen", "called"})
"""Concepts with so many wordings that, beside others, they take most of the time: looked for where all else of a wish
is there."""


class _Tongues:
    """Some languages, and one pass that tells which concepts of which of them a text holds, with a second for LATE."""

    def __init__(self, tongues: Sequence[Tongue]) -> None:
        self._tongues = tongues
        concepts = [(tongue, name) for tongue in tongues for name in tongue.patterns]
        self._early = [each for each in concepts if each[1] not in LATE]
        self._late = [each for each in concepts if each[1] in LATE]
        self._any_early, self._any_late = _any(self._early), _any(self._late)
        self._wishes = lru_cache(4096)(self._with)
        self._awaits = lru_cache(4096)(self._lacks_late)

    def wishes(self, text: bytes, content: bool) -> _Spoken:
        """The languages in which `text` holds all the concepts of some wishes, with those."""
        early, late = frozenset(self._any_early.Match(text) or ()), _NONE
        if self._awaits(early, content):
            late = frozenset(self._any_late.Match(text) or ())
        return self._wishes(early, late) if early or late else []

    def _names(self, early: frozenset[int], late: frozenset[int]) -> dict[Tongue, set[str]]:
        known: dict[Tongue, set[str]] = {}
        for tongue, name in [self._early[number] for number in early] + [self._late[number] for number in late]:
            known.setdefault(tongue, set()).add(name)
        return known

    def _lacks_late(self, early: frozenset[int], content: bool) -> bool:
        known = self._names(early, _NONE)
        return any(
            wish.concepts - LATE <= known.get(tongue, set())
            for tongue, _ in self._late
            for wish in WISHES
            if not LATE.isdisjoint(wish.concepts) and (content or not wish.content)
        )

    def _with(self, early: frozenset[int], late: frozenset[int]) -> _Spoken:
        known = self._names(early, late)
        each = ((tongue, known[tongue]) for tongue in self._tongues if tongue in known)
        spoken = ((tongue, [wish for wish in WISHES if wish.concepts <= names]) for tongue, names in each)
        return [(tongue, wishes) for tongue, wishes in spoken if wishes]


_NONE: frozenset[int] = frozenset()


def _any(concepts: Sequence[tuple[Tongue, str]]) -> re2.Set:
    return together((f"(?m){tongue.patterns[name]}" for tongue, name in concepts), max_mb=128)


def _tongues(languages: Sequence[Words]) -> list[_Tongues]:
    ready = [Tongue(words) for words in languages]
    return [_Tongues(ready[first : first + TOGETHER]) for first in range(0, len(ready), TOGETHER)]


# English, which has the most wordings, by itself.
_LATIN = _tongues(LATIN[:1]) + _tongues(LATIN[1:])
_ALL = _LATIN + _tongues(OTHER)


def possible(text: str, content: bool) -> bool:
    """Whether `text` holds the concepts of any wish at all; `content`: see `Intent`."""
    return bool(_speakers(text, content))


def of_others(text: str, at: int) -> bool:
    """Whether the clause around `at` asks about others than who is spoken to, or about a setting somewhere."""
    clause = next((clause for start, clause in _clauses(text) if start <= at < start + len(clause)), "")
    return _asks_about_others(clause)


def wishes(text: str, *, content: bool = False) -> Iterator[Found]:
    """What `text` wants, clause by clause. `text` is one reading of what was written."""
    if not _speakers(text, content):
        return
    for start, clause in _clauses(text):
        if _asks_about_others(clause):
            continue
        clause = _NOT_MEANT.sub(lambda found: " " * len(found[0]), clause) if clause.isascii() else clause
        for tongue, there in _spoken(clause, content):
            places = {name: tongue.concepts[name].search(clause).span() for wish in there for name in wish.concepts}
            for wish in there:
                if wish.content and not content:
                    continue
                spans = [places[name] for name in wish.concepts if name != wish.then]
                if wish.then:
                    later = tongue.concepts[wish.then].search(clause, min(spans)[0])
                    if later is None:
                        continue
                    spans.append(later.span())
                begin, end = min(spans)[0], max(end for _, end in spans)
                if end - begin <= wish.reach:
                    yield Found(wish, start + begin, start + end)


def _speakers(text: str, content: bool) -> _Spoken:
    read = text.encode("utf-8", "replace")
    return [spoken for some in (_LATIN if text.isascii() else _ALL) for spoken in some.wishes(read, content)]


_spoken = lru_cache(4096)(_speakers)


def _asks_about_others(clause: str) -> bool:
    return _ASKED.search(clause) is not None and _HERE.search(clause) is None


def _clauses(text: str) -> Iterator[tuple[int, str]]:
    for found in _CLAUSE.finditer(_TOPIC.sub(r",\1", text)):
        start, clause = found.start(), found[0]
        for at in range(0, max(1, len(clause) - REACH_CHARS // 2), REACH_CHARS // 2):
            yield start + at, clause[at : at + REACH_CHARS]
