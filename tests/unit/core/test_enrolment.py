"""Enrolment tokens: good for what they say, as often and as long as they say, and for nothing else."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core.enrolment import Grant, read, use
from slmtrail.core.errors import EnrolmentError

SECRET = b"s" * 32
GRANT = Grant("prod", "pod-*", 2, 1000)


def test_a_token_is_read_back_as_it_was_granted() -> None:
    found = read(GRANT.token(SECRET), SECRET)
    assert replace(found, id="") == GRANT
    assert found.id


def test_two_tokens_of_one_grant_are_counted_apart(tmp_path: Path) -> None:
    for _ in range(2):
        granted = read(Grant("prod", "*", 1, 1000).token(SECRET), SECRET)
        use(granted, "a", tmp_path / "used", 0)


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(EnrolmentError):
        read(text, SECRET)


@given(st.data())
def test_no_character_can_be_changed(data: st.DataObject) -> None:
    token = GRANT.token(SECRET)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."))
    changed = token[:place] + other + token[place + 1 :]
    if changed != token:
        with pytest.raises(EnrolmentError):
            read(changed, SECRET)


def test_a_token_of_another_place_is_refused() -> None:
    with pytest.raises(EnrolmentError, match="not made here"):
        read(GRANT.token(b"o" * 32), SECRET)


def test_it_may_be_used_so_often(tmp_path: Path) -> None:
    granted = read(GRANT.token(SECRET), SECRET)
    use(granted, "pod-1", tmp_path / "used", 0)
    use(granted, "pod-2", tmp_path / "used", 999)
    with pytest.raises(EnrolmentError, match="used 2 times"):
        use(granted, "pod-3", tmp_path / "used", 999)


def test_it_expires_and_is_for_some_names(tmp_path: Path) -> None:
    granted = read(GRANT.token(SECRET), SECRET)
    with pytest.raises(EnrolmentError, match="expired"):
        use(granted, "pod-1", tmp_path / "used", 1000)
    for name in ("other", "pod-A", "pod-" + "x" * 60, ""):
        with pytest.raises(EnrolmentError, match="named 'pod-"):
            use(granted, name, tmp_path / "used", 0)


def test_many_at_once_do_not_use_it_more_often(tmp_path: Path) -> None:
    granted, done = read(Grant("prod", "*", 3, 1000).token(SECRET), SECRET), []

    def one(number: int) -> None:
        try:
            use(granted, f"a{number}", tmp_path / "used", 0)
            done.append(number)
        except EnrolmentError:
            pass

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 3
