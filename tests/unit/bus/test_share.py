from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from slmtrail.bus.sqlite_group import share

_names = st.sampled_from("abcdefgh")


@given(st.dictionaries(st.integers(1, 40), st.none() | _names), st.lists(_names, unique=True))
def test_shares_fairly_with_as_few_moves_as_that_takes(owners: dict[int, str | None], members: list[str]) -> None:
    shared = share(owners, members)
    assert set(shared) == set(owners)
    if not members:
        assert set(shared.values()) <= {None}
        return
    assert set(shared.values()) <= set(members)
    held = Counter(dict.fromkeys(members, 0))
    held.update(member for member in shared.values() if member)
    assert max(held.values()) - min(held.values()) <= 1
    # What a member has to give away is what is above its fair share; the larger shares go to who holds most.
    before = sorted((sum(owner == member for owner in owners.values()) for member in members), reverse=True)
    floor, rest = divmod(len(owners), len(members))
    kept = sum(min(count, floor + (rank < rest)) for rank, count in enumerate(before))
    assert sum(owners[lane] == owner for lane, owner in shared.items()) == kept
    assert share(shared, members) == shared
