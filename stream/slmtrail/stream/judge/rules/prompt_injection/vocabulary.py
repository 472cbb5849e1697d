"""Every language that is looked for."""

from __future__ import annotations

from slmtrail.stream.judge.rules.prompt_injection.english import ENGLISH
from slmtrail.stream.judge.rules.prompt_injection.latin import (
    CZECH,
    DUTCH,
    FINNISH,
    FRENCH,
    GERMAN,
    HUNGARIAN,
    INDONESIAN,
    ITALIAN,
    POLISH,
    PORTUGUESE,
    ROMANIAN,
    SERBO_CROATIAN,
    SPANISH,
    SWAHILI,
    SWEDISH,
    TAGALOG,
    TURKISH,
    VIETNAMESE,
)
from slmtrail.stream.judge.rules.prompt_injection.others import (
    ARABIC,
    CHINESE,
    GREEK,
    HEBREW,
    HINDI,
    JAPANESE,
    KOREAN,
    PERSIAN,
    RUSSIAN,
    THAI,
)

LATIN = (
    ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, PORTUGUESE, DUTCH, SWEDISH, POLISH, CZECH, ROMANIAN, HUNGARIAN, FINNISH,
    INDONESIAN, VIETNAMESE, TURKISH, SERBO_CROATIAN, TAGALOG, SWAHILI,
)  # fmt: skip
OTHER = (RUSSIAN, GREEK, HEBREW, ARABIC, PERSIAN, HINDI, THAI, CHINESE, JAPANESE, KOREAN)
"""Languages in other letters, which no text in ASCII speaks."""
