"""What stands below a name is found in every kind of table, and in a table alone."""

from __future__ import annotations

import pytest

from slmtrail.core.secrets.tables import values_below

TABLES = {
    "user,password\nbob,one-1\neve,two-2\n\nBye,three": ["one-1", "two-2"],
    '"user";"password"\n"bob; jr.";"one-1"': ["one-1"],
    "password\tuser\none-1\tbob": ["one-1"],
    "| user | password |\n|:--|--:|\n| bob | `one-1` |\n| eve | |\n| ann | two-2 |": ["one-1", "two-2"],
    "+------+----------+\n| user | password |\n+------+----------+\n| bob  | one-1    |\n+------+----------+": [
        "one-1"
    ],
    "USER     PASSWORD     ROLE\nbob      one-1        admin": ["one-1"],
    '{"columns": ["user", "password"], "rows": [["bob", "one-1"], ["eve", "two-2"]]}': ["one-1", "two-2"],
    '{"meta": [{"name": "user"}, {"name": "password"}], "data": [[7, "one-1"]]}': ["one-1"],
    '[["user", "password"], ["bob, jr.", "one-1"], ["eve", "two': ["one-1"],
    '{"columns": ["user", "password"], "rows": [["bob", "one-1"], ["eve", "two-2': ["one-1", "two-2"],
    "INSERT INTO t (user, password) VALUES ('bob', 'one-1'), ('O''Neill', 'two-2')": ["one-1", "two-2"],
    "bob,blue\nuser,password\neve,one-1": [],
    "my password, again\nI lost it yesterday, too": [],
    '["user", "password", "color"]': [],
    "user,password": [],
}


@pytest.mark.parametrize("text", TABLES)
def test_what_stands_below_a_name(text: str) -> None:
    start = text.lower().index("password")
    assert [text[left:right] for left, right in values_below(text, start, start + 8)] == TABLES[text]
