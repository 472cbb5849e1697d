"""The language of searches: what is understood, and what is said of what is not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core.errors import QueryError
from slmtrail.core.fields import CONTENT, FIELDS
from slmtrail.indexer.store.columns import USERS
from slmtrail.indexer.store.language import names, times
from slmtrail.indexer.store.language.fits import pattern
from slmtrail.indexer.store.language.parse import MAX_CHARS, MAX_CONDITIONS, MAX_DEPTH, parse
from slmtrail.indexer.store.language.tree import And, Equals, Exists, Like, Node, Not, Or, Range, Text
from slmtrail.indexer.store.sqlite_glob import beginning, glob
from slmtrail.indexer.store.words import words

NOW_MS = 1_790_000_000_000
RESET, MINE, PROD = Text(("reset",)), Text(("mine",)), Equals(("deployment.environment.name",), ("prod",))
LATENCY = ("slm.latency_ms",)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("  * ", ()),
        ("!? - -- reset", (RESET,)),
        ("Reset, MINE!", (RESET, MINE)),
        ("reset reset", (RESET,)),
        ("reset and mine AND env:prod", (RESET, MINE, PROD)),
        ("reset or mine env:prod", (Or((RESET, And((MINE, PROD)))),)),
        ("(reset or mine) env:prod", (Or((RESET, MINE)), PROD)),
        ("not reset -mine NOT(env:prod)", (Not(RESET), Not(MINE), Not(PROD))),
        ("reset or reset", (RESET,)),
        ("not not reset", (Not(Not(RESET)),)),
        ('"Reset, mine" and "or"', (Text(("reset", "mine")), Text(("or",)))),
        (r'"a \"quoted\" C:\temp"', (Text(("a", "quoted", "c", "temp")),)),
        ("andy order nothing", (Text(("andy",)), Text(("order",)), Text(("nothing",)))),
        ("Reset ! mine !", (RESET, MINE)),
        ("a!=b", (Text(("a",)), Text(("b",)))),
        ("env==prod", (PROD,)),
        ('kind:"other"', (Equals(("slm.kind",), ("other",)),)),
        ("since=2h", (Range(("@timestamp",), low=NOW_MS - 7_200_000),)),
        ("pass*", (Text(("pass",), prefix=True),)),
        ("reset? 2*", (RESET, Text(("2",), prefix=True))),
        ("https://a.example/b", (Text(("https",)), Text(("a.example",)), Text(("b",)))),
        ("a=b <EMAIL_1>", (Text(("a",)), Text(("b",)), Text(("email_1",)))),
        ("user:alice", (Equals(USERS, ("alice",)),)),
        ("USER: alice", (Equals(USERS, ("alice",)),)),
        ("user.id:alice", (Equals(("user.id",), ("alice",)),)),
        ('user:"al*"', (Equals(USERS, ("al*",)),)),
        (r"user:al\*", (Equals(USERS, ("al*",)),)),
        (r"user:a\ b", (Equals(USERS, ("a b",)),)),
        ("user:**al*?", (Like(USERS, "*al*?"),)),
        ("user:*", (Exists(USERS),)),
        ("env:(prod or x or prod)", (Equals(("deployment.environment.name",), ("prod", "x")),)),
        ("env:prod or reset or env:x", (Or((Equals(PROD.names, ("prod", "x")), RESET)),)),
        ("env:prod or not env:x", (Or((PROD, Not(Equals(PROD.names, ("x",))))),)),
        ("latency_ms>2000", (Range(LATENCY, low=2000, low_open=True),)),
        ("latency_ms >= 2000", (Range(LATENCY, low=2000),)),
        ("latency_ms:<2000", (Range(LATENCY, high=2000, high_open=True),)),
        ("latency_ms=2000", (Equals(LATENCY, (2000,)),)),
        ("latency_ms:[1 TO 5}", (Range(LATENCY, 1, 5, high_open=True),)),
        ("latency_ms:{* to 5]", (Range(LATENCY, high=5, low_open=True),)),
        ("since:2h", (Range(("@timestamp",), low=NOW_MS - 7_200_000),)),
        ("until:now", (Range(("@timestamp",), high=NOW_MS, high_open=True),)),
        ("time:1970-01-02", (Range(("@timestamp",), times.DAY_MS, 2 * times.DAY_MS - 1),)),
        ("@timestamp>=1970-01-01T00:00:01Z", (Range(("@timestamp",), low=1000),)),
        ("ip:10.1.2.3/8", (Equals(("source.ip", "network.forwarded_ip"), ("10.0.0.0/8",)),)),
        ("ip:FD00::0:1", (Equals(("source.ip", "network.forwarded_ip"), ("fd00::1",)),)),
    ],
)
def test_what_is_understood(text: str, parts: tuple[Node, ...]) -> None:
    assert parse(text, NOW_MS) == And(parts)


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("reset usr:alice", 7, "no field 'usr'; did you mean user?"),
        ("latencyms>2", 1, "did you mean latency_ms?"),
        ("event.outcom:failure", 1, "did you mean event.outcome?"),
        ("zzzzzz:1", 1, "docs/search.md lists them"),
        ("message:hello", 1, "searched by its words"),
        ("user_agent.original:x", 1, "not searched"),
        ("(reset", 1, "never closed"),
        ("env:(prod", 5, "never closed"),
        ("reset)", 6, "closes none"),
        ('reset "mine', 7, "never closed"),
        ("reset and", 10, "missing here"),
        ("or reset", 1, "missing here"),
        ("not", 4, "missing here"),
        ("()", 2, "missing here"),
        ("!? - --", 1, "no letter, digit or picture"),
        ('reset or ""', 10, "no letter, digit or picture"),
        ("reset not --", 7, "no letter, digit or picture"),
        ("user:", 6, "a value for user is missing"),
        ("user:and", 6, "a value for user is missing"),
        ("*reset", 1, "only at the end of a word"),
        ("latency_ms>fast", 12, "a whole number"),
        ("latency_ms>1.5", 12, "a whole number"),
        ("cost_usd>1e5", 10, "a number"),
        ("latency_ms:99999999999999999", 12, "beyond"),
        ("latency_ms:[1 5]", 12, "[100 TO 500]"),
        ("latency_ms:[5 TO 1]", 18, "ends before it begins"),
        ("latency_ms>1 and <200", 18, "a field is missing before this"),
        ("kind:infernce", 6, "there is no kind 'infernce'; did you mean inference?"),
        ("outcome:(success or FAILURE)", 21, "did you mean failure?"),
        ("outcome:bad", 9, "it is one of failure, success, unknown"),
        ("reset kind!=auth", 11, "not kind:"),
        ("reset || mine", 7, "|| is written or"),
        ("reset && mine", 7, "&& is written and"),
        ("reset !mine", 7, "! is written not"),
        ("!kind:auth", 1, "not kind:"),
        ("reset +kind:auth", 7, "only not may stand"),
        ("'kind:auth'", 1, 'put it in "quotes"'),
        ("user:'alice'", 6, 'straight "quotes"'),
        ("user:\u201calice\u201d", 6, 'straight "quotes"'),
        ('"reset mine"~3', 13, "leave ~ and ^ out"),
        ("_exists_:user", 1, "no field '_exists_'"),
        ("user>3", 6, "compared with : alone"),
        ("user:[a TO b]", 7, "compared with : alone"),
        ("since:yesterday", 7, "is not a time"),
        ("since>2h", 7, "takes a colon"),
        ("ip:10.0.0", 4, "an address, or a network"),
        ("slm.identity.verified:yes", 23, "true or false"),
        ("user:a*b*c*d*e*f*g", 6, "at most 5 *"),
        ("(" * (MAX_DEPTH + 1), MAX_DEPTH + 1, "deep"),
        ("a " * (MAX_CONDITIONS + 1), 2 * MAX_CONDITIONS + 1, "at most 100 conditions"),
        ("a" * (MAX_CHARS + 1), MAX_CHARS + 1, "characters"),
    ],
)
def test_an_error_points_at_the_character(text: str, at: int, said: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse(text, NOW_MS)
    assert raised.value.at == at
    assert f"character {at}: " in str(raised.value)
    assert said in str(raised.value)


_PIECES = st.sampled_from(
    [
        "user:",
        "kind:",
        "latency_ms",
        ">",
        "!",
        "=",
        "&&",
        "||",
        "~",
        "[",
        "1 TO 2",
        "]",
        "(",
        ")",
        '"',
        "\\",
        "*",
        "?",
        " and ",
        " or ",
        "not ",
        "-",
        "a",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(st.one_of(_PIECES, st.text(max_size=3)), max_size=20).map("".join)))
def test_no_text_crashes_the_parser(text: str) -> None:
    try:
        assert isinstance(parse(text, NOW_MS), And)
    except QueryError as error:
        assert error.at is not None
        assert 1 <= error.at <= len(text) + 1


@given(st.lists(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12), max_size=8))
def test_plain_words_mean_themselves(plain: list[str]) -> None:
    text = " ".join(word for word in plain if word.lower() not in ("and", "or", "not"))
    assert parse(text) == And(tuple(Text((word,)) for word in dict.fromkeys(words(text))))


@given(st.text(min_size=1, max_size=20))
def test_any_value_can_be_quoted(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    (found,) = parse(f'env:"{quoted}"').parts
    assert isinstance(found, Equals)
    assert found.values == (value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"),)


def test_the_docs_name_every_short_name() -> None:
    page = (Path(__file__).parents[4] / "docs" / "search.md").read_text()
    assert [name for name in names.ALIASES if f"`{name}`" not in page] == []


def test_every_searched_field_can_be_named() -> None:
    for name, field in FIELDS.items():
        if field.type in ("text", "json", "messages", "labels"):
            assert names.unsearched(name)
        else:
            assert parse(f"{name}:*").parts == (Exists((name,)),)
    for alias, found in names.ALIASES.items():
        assert found
        assert not CONTENT & set(found)
        assert {FIELDS[name].type.removesuffix("s") for name in found} == {names.type_of(found).removesuffix("s")}, (
            alias
        )


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_pattern_fits_what_sqlite_says(text: str, value: str) -> None:
    (fits,) = sqlite3.connect(":memory:").execute("SELECT ? GLOB ?", (value, glob(text))).fetchone()
    assert bool(pattern(text).fullmatch(value)) == bool(fits)


def test_a_hostile_value_does_not_make_a_pattern_slow() -> None:
    assert not pattern("*a" * 5 + "b").fullmatch("a" * 1024)
    assert pattern("*a" * 5).fullmatch("a" * 1024)


def test_a_pattern_as_sqlite_has_it() -> None:
    assert glob(r"a\*b?c*[d]\\") == "a[*]b?c*[[]d]\\"
    assert beginning(r"a\*b?c") == ("a*b", "a*c")
    assert beginning("*a") == ("", "")
    assert beginning("a\U0010ffff*") == ("a\U0010ffff", "")
