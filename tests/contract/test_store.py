"""What every Store keeps to, over SQLite and over Elasticsearch."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import uuid
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from contract.stored import LEDGER, START_MS, of, sealed, some_queries, some_records
from slmtrail.core import commitment
from slmtrail.core.errors import QueryError, StoreError
from slmtrail.core.fields import FIELDS
from slmtrail.core.ports import Page, Query, Sealed, Store
from slmtrail.indexer.store.connect import connect


@pytest.fixture(params=["sqlite", pytest.param("elastic", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each store there is, empty."""
    if request.param == "sqlite":
        opened = connect(f"sqlite:{tmp_path}/store.db", writable=True)
    else:
        url = request.getfixturevalue("elastic").url
        opened = connect(url, writable=True, dataset=f"t{uuid.uuid4().hex}")
    yield opened
    opened.close()


def written(store: Store, *records: Sealed) -> None:
    """Writes, and waits until a search finds what was written."""
    assert store.write(records) == []
    store.holding(LEDGER, [])


def leaves(page: Page) -> list[int]:
    return [found.leaf for found in page.records]


def all_pages(store: Store, query: Query) -> list[Page]:
    pages = [store.search(query)]
    while pages[-1].cursor:
        pages.append(store.search(dataclasses.replace(query, after=pages[-1].cursor)))
    return pages


def test_an_empty_store_answers(store: Store) -> None:
    assert store.search(Query()) == Page([], 0, "")
    assert store.get("0" * 32) is None
    assert store.holding(LEDGER, [0, 1]) == set()
    assert list(store.scan(LEDGER, 0, 10)) == []
    assert store.ledgers() == {}
    assert store.faults() == []
    assert store.write([]) == []


def test_what_was_written_comes_back_as_it_was(store: Store) -> None:
    one, other = sealed(0, message="hello"), sealed(1, ledger="trail.example/1", labels={"z": "1", "a": "2"})
    written(store, one, other)
    assert store.get(one.id) == one
    assert list(store.scan("trail.example/1", 0, 2)) == [other]
    assert store.search(Query()).records == [other, one]
    assert store.ledgers() == {LEDGER: 1, "trail.example/1": 1}
    assert commitment.entry(store.search(Query(text="hello")).records[0].record) == commitment.entry(one.record)
    assert store.faults() == []


def test_a_record_with_every_field_is_stored(store: Store) -> None:
    values = {
        "keyword": "word",
        "keywords": ["one", "two"],
        "text": "some text",
        "integer": 2**53 - 1,
        "decimal": -0.0001,
        "date": "0001-01-01T00:00:00.000Z",
        "ip": "2001:db8::1",
        "boolean": True,
        "json": '{"a":[1,{"b":null}]}',
        "messages": [{"role": "user", "name": "x", "parts": [{"type": "text", "content": "hi", "extra": "{}"}]}],
        "labels": {"team": "red", "a.b": "dotted", ".": "dot", "-..": "dots"},
    }
    full = of({name: values[field.type] for name, field in FIELDS.items()}, 7)
    written(store, full)
    assert list(store.scan(LEDGER, 0, 10)) == [full]
    assert store.search(Query(text="dotted", flag="two", kind="word", users=("word",))).records == [full]
    assert store.faults() == []


def test_writing_again_changes_nothing(store: Store) -> None:
    records = [sealed(leaf) for leaf in range(5)]
    written(store, *records[:3], records[0])
    written(store, *records)
    written(store, *records)
    assert list(store.scan(LEDGER, 0, 100)) == records
    assert store.search(Query()).total == 5
    assert store.faults() == []


def test_an_id_at_two_leaves_and_two_records_at_a_leaf_are_seen(store: Store) -> None:
    first, again = sealed(1, record_id="a" * 32), sealed(4, record_id="a" * 32)
    beside = sealed(1, record_id="b" * 32)
    for _ in range(2):
        written(store, first, again, beside)
    assert list(store.scan(LEDGER, 0, 10)) == [first, beside, again]
    assert store.get("a" * 32) == first
    assert store.ledgers() == {LEDGER: 3}
    assert [(fault.kind, fault.leaf, fault.record_id) for fault in store.faults()] == [("duplicated", 4, "a" * 32)]


def test_holding_counts_what_was_just_written(store: Store) -> None:
    assert store.write([sealed(leaf) for leaf in (0, 2, 3, 2000)]) == []
    assert store.holding(LEDGER, range(2500)) == {0, 2, 3, 2000}
    assert store.holding(LEDGER, [1, 2]) == {2}
    assert store.holding("another", [0, 2]) == set()
    assert store.holding(LEDGER, []) == set()


def test_a_scan_is_in_order_of_leaf_and_stops_before_its_end(store: Store) -> None:
    # More than one batch, written in another order, the newest leaf with the oldest time.
    records = [sealed(leaf, ts_ms=START_MS - leaf) for leaf in range(450)]
    written(store, *reversed(records))
    assert list(store.scan(LEDGER, 0, 2**62)) == records
    assert list(store.scan(LEDGER, 3, 447)) == records[3:447]
    assert list(itertools.islice(store.scan(LEDGER, 0, 450), 2)) == records[:2]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), {0, 1, 2, 3}),
        (Query(users=("alice",)), {0}),
        (Query(users=("alice", "h:77")), {0, 1}),
        (Query(users=("ali",)), set()),
        (Query(users=("\ud800", "\x00")), set()),
        (Query(users=("pseudo",)), {2}),
        (Query(model="phi-3"), {0, 1}),
        (Query(model="phi-3-0626"), {1}),
        (Query(model="PHI-3"), set()),
        (Query(kind="auth"), {2}),
        (Query(environment="prod"), {0}),
        (Query(environment="Prod EU/ü"), {1}),
        (Query(collector="core"), {3}),
        (Query(flag="injection"), {0, 1}),
        (Query(flag="secret"), {1}),
        (Query(outcome="failure"), {1, 3}),
        (Query(text="password"), {0, 1}),
        (Query(since_ms=START_MS + 1), {1, 2, 3}),
        (Query(until_ms=START_MS + 1), {0}),
        (Query(since_ms=START_MS + 1, until_ms=START_MS + 3), {1, 2}),
        (Query(since_ms=START_MS + 1, until_ms=START_MS + 1), set()),
        (Query(since_ms=START_MS + 3, until_ms=START_MS), set()),
        (Query(since_ms=-(10**30), until_ms=10**30), {0, 1, 2, 3}),
        (
            Query(
                "reset PASSWORD",
                ("alice", "bob"),
                "phi-3",
                "inference",
                "prod",
                "edge",
                "injection",
                "success",
                START_MS,
                START_MS + 1,
            ),
            {0},
        ),
        (Query(text="password", model="phi-3", outcome="failure"), {1}),
        (Query(text="password", kind="auth"), set()),
    ],
)
def test_each_condition_alone_and_together(searched: Store, query: Query, found: set[int]) -> None:
    page = searched.search(query)
    assert set(leaves(page)) == found
    assert page.total == len(found)
    assert page.cursor == ""


def test_the_extent_of_records_by_time_and_collector(store: Store) -> None:
    written(
        store, *(sealed(leaf, slm__collector__id="ab"[leaf % 2]) for leaf in range(10)), sealed(7, ledger="other/1")
    )
    assert store.extent(Query(collector="b")) == {LEDGER: range(1, 10)}
    assert store.extent(Query(since_ms=START_MS + 3, until_ms=START_MS + 6)) == {LEDGER: range(3, 6)}
    assert store.extent(Query(since_ms=START_MS + 7)) == {LEDGER: range(7, 10), "other/1": range(7, 8)}
    assert store.extent(Query(collector="c")) == {}


def test_what_is_erased_is_not_found_and_still_gives_its_entry(store: Store) -> None:
    texts = [{"user__id": f"user{leaf % 2}", "message": f"secret{leaf} words"} for leaf in range(8)]
    before = [sealed(leaf, **texts[leaf]) for leaf in range(8)]
    written(store, *before, sealed(1, ledger="other/1", **texts[1]))
    assert store.erase(LEDGER, [(1, 1), (4, 6)]) == 4
    assert store.erase(LEDGER, [(1, 1), (4, 6)]) == 0
    after = list(store.scan(LEDGER, 0, 100))
    assert [commitment.entry(found.record) for found in after] == [commitment.entry(made.record) for made in before]
    for found in after:
        erased = found.leaf in (1, 4, 5, 6)
        assert ("message" not in found.record) == ("user.id" not in found.record) == erased
        assert (found.record["slm.salts"] == {}) == erased
    assert [leaves(store.search(Query(f"secret{n}"))) for n in range(8)] == [[0], [1], [2], [3], [], [], [], [7]]
    assert sorted(leaves(store.search(Query(users=("user1",))))) == [1, 3, 7]
    assert store.faults() == []


@pytest.fixture(scope="module", params=["sqlite", pytest.param("elastic", marks=pytest.mark.servers)])
def searched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Each store there is, with four records."""
    if request.param == "sqlite":
        store = connect(f"sqlite:{tmp_path_factory.mktemp('searched')}/store.db", writable=True)
    else:
        store = connect(request.getfixturevalue("elastic").url, writable=True, dataset=f"t{uuid.uuid4().hex}")
    written(
        store,
        sealed(
            0,
            user__id="alice",
            deployment__environment__name="prod",
            gen_ai__request__model="phi-3",
            slm__flags=["injection"],
            message="Please reset my password",
        ),
        sealed(
            1,
            user__name="h:77",
            deployment__environment__name="Prod EU/ü",
            gen_ai__request__model="phi-3",
            gen_ai__response__model="phi-3-0626",
            slm__flags=["injection", "secret"],
            event__outcome="failure",
            gen_ai__input__messages=[{"role": "user", "parts": [{"type": "text", "content": "the password is"}]}],
        ),
        sealed(2, slm__kind="auth", enduser__pseudo__id="pseudo"),
        sealed(3, slm__kind="system", slm__collector__id="core", event__outcome="failure"),
    )
    yield store
    store.close()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("elastic", marks=pytest.mark.servers)])
def worded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Each store there is, with one record that has text of every sort, and one that has none."""
    if request.param == "sqlite":
        store = connect(f"sqlite:{tmp_path_factory.mktemp('worded')}/store.db", writable=True)
    else:
        store = connect(request.getfixturevalue("elastic").url, writable=True, dataset=f"t{uuid.uuid4().hex}")
    written(
        store,
        sealed(
            0,
            message="Naïve café, don't! <EMAIL_1> wrote 3.14 to bob@example.com; foo_bar ΟΔΥΣΣΕΥΣ İstanbul",
            error__message="東京タワー はな สวัสดีครับ 안녕하세요 שלום مرحبا Привет 🎉 👩‍👩‍👧",
            gen_ai__request__stop_sequences=["###", "Halt here"],
            slm__attributes=r'{"key":"first\nsecond","more":"{\"inner\":\"third\\tfourth\"}"}',
            labels={"team": "Red Squad", "a.b": "blau"},
            gen_ai__output__messages=[
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "text", "content": "Answer one"},
                        {"type": "tool_call", "name": "look_up", "arguments": r'{"city":"M\u00fcnchen\nBerlin"}'},
                        {"type": "tool_call_response", "result": "sunny"},
                        {"type": "uri", "uri": "https://example.com/pictures/cat.png"},
                        {"type": "extra", "extra": '{"odd":"strange"}'},
                    ],
                }
            ],
        ),
        sealed(1),
    )
    yield store
    store.close()


@pytest.mark.parametrize(
    "text",
    [
        *"café CAFÉ naïve don't <EMAIL_1> EMAIL_1 email_1 3.14 bob@example.com example.com foo_bar".split(),
        *"ΟΔΥΣΣΕΥΣ istanbul 東京 京 タワー はな สวัสดีครับ 안녕하세요 שלום مرحبا ПРИВЕТ 🎉 👩‍👩‍👧".split(),
        *"halt HERE key first second third fourth inner red squad blau answer look_up city münchen berlin".split(),
        *"sunny cat.png strange".split(),
        "one Answer café blau",
        "“café”",
        '"café"',
        "(café)",
        "café*",
        "*",
        '"',
        "'",
        "\\",
        "()",
        "   \n\t",
        "!?",
        "\x00",
        "café\x00blau",
        "\ud800",
        "café \ud800",
    ],
)
def test_words_are_found_wherever_they_stand(worded: Store, text: str) -> None:
    assert 0 in leaves(worded.search(Query(text=text)))


@pytest.mark.parametrize(
    "text",
    [
        *"cafe caf afé naive don example EMAIL_2 3.15 assistant user inference tool_call absent".split(),
        "café AND blau",
        "café OR blau",
        "NOT absent",
        "NEAR(café blau)",
        "café NOT absent",
        "text:café",
        "slm.text:café",
        "café absent",
        "-absent",
        "caf*",
        "words MATCH x'); DROP TABLE record; --",
    ],
)
def test_words_that_are_not_there_are_not_found(worded: Store, text: str) -> None:
    assert leaves(worded.search(Query(text=text))) == []


def test_too_many_words_are_an_error_and_many_repeated_ones_none(worded: Store) -> None:
    assert leaves(worded.search(Query(text="café " * 100_000))) == [0]
    with pytest.raises(QueryError, match="101 different words"):
        worded.search(Query(text=" ".join(f"w{number}" for number in range(101))))


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_a_size_that_can_be(worded: Store, limit: int) -> None:
    with pytest.raises(QueryError, match="limit"):
        worded.search(Query(limit=limit))


@pytest.mark.parametrize("cursor", ["x", "ä", "e30=", base64.b64encode(b"[1,2,3,4]").decode(), "A" * 100_000])
def test_a_cursor_of_no_page_is_an_error(worded: Store, cursor: str) -> None:
    with pytest.raises(QueryError, match="cursor"):
        worded.search(Query(after=cursor))


def test_pages_neither_lose_nor_repeat_where_times_are_equal(store: Store) -> None:
    records = [
        sealed(leaf, ledger=f"trail.example/{leaf % 3}", ts_ms=START_MS + leaf // 150, message=f"word{leaf % 2}")
        for leaf in range(300)
    ]
    written(store, *records)
    for query in (Query(limit=7), Query(limit=50), Query(limit=300), Query(limit=33, text="word1")):
        pages = all_pages(store, query)
        found = [record for page in pages for record in page.records]
        wanted = [r for r in records if not query.text or r.leaf % 2]
        assert found == sorted(wanted, key=lambda r: (r.record["@timestamp"], r.ledger, r.leaf), reverse=True)
        assert {page.total for page in pages} == {len(wanted)}
        assert [len(page.records) for page in pages[:-1]] == [query.limit] * (len(pages) - 1)
        assert pages[-1].records


def test_a_long_text_is_kept_and_searched_to_its_end(store: Store) -> None:
    text = "lorem ipsum é " * 150_000 + "x" * 300 + " needle"
    long = sealed(0, message=text)
    written(store, long, sealed(1, message="short"))
    assert store.search(Query(text="needle ipsum")).records == [long]
    assert leaves(store.search(Query(text="x" * 300))) == [0]
    assert store.faults() == []


def test_times_at_both_ends_of_the_calendar_are_in_order(store: Store) -> None:
    first, last = -62_135_596_800_000, 253_402_300_799_999
    written(store, sealed(0, ts_ms=last), sealed(1, ts_ms=0), sealed(2, ts_ms=first), sealed(3, ts_ms=-1))
    assert [leaf for page in all_pages(store, Query(limit=1)) for leaf in leaves(page)] == [0, 1, 3, 2]
    assert leaves(store.search(Query(until_ms=0))) == [3, 2]
    assert leaves(store.search(Query(since_ms=last))) == [0]


def test_a_record_that_no_store_can_take_is_refused_and_the_others_are_kept(store: Store) -> None:
    good = sealed(0)
    wrong_id = dataclasses.replace(sealed(1), id="f" * 32)
    record = {"@timestamp": "never", "event.id": "e" * 32, "message": "secret words"}
    no_time = Sealed(LEDGER, 2, "e" * 32, record, orjson.dumps(record))
    refusals = store.write([wrong_id, good, no_time])
    assert [refusal.sealed for refusal in refusals] == [wrong_id, no_time]
    assert all(refusal.reason and "secret" not in refusal.reason for refusal in refusals)
    assert store.holding(LEDGER, range(10)) == {0}


def test_what_was_extracted_of_records_is_stored_without_parsing_them_again(store: Store) -> None:
    record = {"@timestamp": "never", "event.id": "e" * 32}
    refused = Sealed(LEDGER, 99, "e" * 32, record, orjson.dumps(record))
    records = some_records(seed=8, count=60)
    for given in (*records, refused):
        given.condense(store.extract)
    with pytest.MonkeyPatch.context() as none_is:
        none_is.setattr(Sealed, "record", property(lambda _: pytest.fail("parsed again")))
        refusals = store.write([*records, refused])
    assert [refusal.sealed for refusal in refusals] == [refused]
    assert store.holding(LEDGER, range(100)) == {given.leaf for given in records if given.ledger == LEDGER}
    found = store.search(Query(limit=100)).records
    assert {one.id: one for one in found} == {given.id: given for given in records}
    assert store.faults() == []


def test_line_breaks_in_a_record_are_no_second_record(store: Store) -> None:
    record = sealed(0, message="hello").record
    data = orjson.dumps(record, option=orjson.OPT_INDENT_2)
    written(store, Sealed(LEDGER, 0, record["event.id"], record, data))
    (found,) = store.scan(LEDGER, 0, 10)
    assert found.record == record
    assert orjson.loads(found.data) == record


def test_who_may_only_read_can_not_write(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    connect(f"sqlite:{tmp_path}/store.db", writable=True).close()
    reader = connect(f"sqlite:{tmp_path}/store.db")
    with pytest.raises(StoreError, match="reading only"):
        reader.write([sealed(0)])
    reader.close()


def test_what_one_writes_another_reads(tmp_path: Path) -> None:
    writer = connect(f"sqlite:{tmp_path}/store.db", writable=True)
    reader = connect(f"sqlite:{tmp_path}/store.db")
    for leaf in range(3):
        written(writer, sealed(leaf))
        assert reader.search(Query()).total == leaf + 1
    writer.close()
    assert reader.search(Query()).total == 3
    reader.close()


@pytest.mark.servers
def test_both_stores_give_equal_answers(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = request.getfixturevalue("elastic").url
    embedded = connect(f"sqlite:{tmp_path}/store.db", writable=True)
    cluster = connect(url, writable=True, dataset=f"t{uuid.uuid4().hex}")
    records = some_records(seed=1, count=300)
    for store in (embedded, cluster):
        written(store, *records)
        assert store.faults() == []
    assert embedded.ledgers() == cluster.ledgers()
    found = 0
    for query in some_queries(seed=2, count=150):
        one, other = embedded.search(query), cluster.search(query)
        assert one == other, query
        found += bool(one.records)
        if one.cursor:
            after = dataclasses.replace(query, after=one.cursor)
            assert embedded.search(after) == cluster.search(after)
    assert found > 50
    embedded.close()
    cluster.close()
