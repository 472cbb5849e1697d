"""What a name of secrets opens is looked through in every way of writing it, to its end and no further."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmtrail.core.secrets.matcher import SecretMatcher

MATCHER = SecretMatcher()
NAMES = ("passwords", "DB_PASSWORDS", "api_keys", "secrets", "credentials")
USERS = st.from_regex(r"[a-z]{3,8}", fullmatch=True)
SECRETS = st.from_regex(r"[a-z]{5}[0-9]{3}[A-Z]{2}!", fullmatch=True)
LISTS = {
    "YAML": lambda name, values: f"{name}:\n" + "".join(f"  - {value}\n" for value in values),
    "YAML at its margin": lambda name, values: f"{name}:\n" + "".join(f"- '{value}'\n" for value in values),
    "YAML in a line": lambda name, values: f"{name}: [{', '.join(values)}]",
    "Python": lambda name, values: f"{name} = {values!r}",
    "a tuple": lambda name, values: f"{name} = {tuple(values)!r}",
    "Go": lambda name, values: f"{name} := []string{{{_quoted(values)}}}",
    "Java": lambda name, values: f"String[] {name} = new String[] {{{_quoted(values)}}};",
    "C#": lambda name, values: f"var {name} = new List<string> {{ {_quoted(values)} }};",
    "Rust": lambda name, values: f"let {name} = vec![{_quoted(values)}];",
    "Ruby": lambda name, values: f"{name} = %w[{' '.join(values)}]",
    "cut JSON": lambda name, values: f'{{"{name}": [{_quoted(values)[:-1]}',
}
MAPS = {
    "YAML": lambda name, pairs: f"{name}:\n" + "".join(f"  {user}: {value}\n" for user, value in pairs),
    "Python": lambda name, pairs: f"{name} = {dict(pairs)!r}",
    "PHP": lambda name, pairs: f"${name} = array(" + _each('"{}" => "{}"', pairs) + ");",
    "Perl": lambda name, pairs: f"my %{name} = (" + _each("{} => '{}'", pairs) + ");",
    "HCL": lambda name, pairs: f"{name} = {{ " + _each('{} = "{}"', pairs) + " }",
    "cut JSON": lambda name, pairs: f'{{"{name}": {{' + _each('"{}": "{}"', pairs)[:-1],
}


def _each(form: str, pairs: list[tuple[str, str]]) -> str:
    return ", ".join(form.format(*pair) for pair in pairs)


def _quoted(values: list[str]) -> str:
    return ", ".join(f'"{value}"' for value in values)


def left(text: str) -> str:
    """What is left of a text without its secrets."""
    kept = list(text)
    for secret in MATCHER.find(text):
        kept[secret.start : secret.end] = "\0" * (secret.end - secret.start)
    return "".join(kept)


@pytest.mark.parametrize("form", LISTS)
@settings(max_examples=20)
@given(name=st.sampled_from(NAMES), values=st.lists(SECRETS, min_size=1, max_size=4, unique=True))
def test_a_list_of_secrets_is_left_empty(form: str, name: str, values: list[str]) -> None:
    said = left(LISTS[form](name, values))
    assert [value for value in values if value[:-1] in said] == []


@pytest.mark.parametrize("form", MAPS)
@settings(max_examples=20)
@given(name=st.sampled_from(NAMES), pairs=st.dictionaries(USERS, SECRETS, min_size=1, max_size=4))
def test_whose_secrets_they_are_stays(form: str, name: str, pairs: dict[str, str]) -> None:
    said = left(MAPS[form](name, list(pairs.items())))
    assert [value for value in pairs.values() if value[:-1] in said] == []
    assert all(user in said for user in pairs)


@pytest.mark.parametrize(
    "text",
    [
        "passwords:\n  bob: {0}\ncolor: {1}\n",
        'passwords = ["{0}"]\ncolor = "{1}"',
        "passwords:\n- {0}\n\ncolor {1}",
        "  passwords:\n    bob: {0}\n  color: {1}",
    ],
)
@settings(max_examples=20)
@given(secret=SECRETS, other=SECRETS)
def test_what_comes_behind_stays(text: str, secret: str, other: str) -> None:
    if secret != other:
        assert other in left(text.format(secret, other))


def test_a_plain_word_among_secrets_is_one_too() -> None:
    assert "swordfish" not in left('passwords = ["kedi1234!x", "swordfish", "maple77!Q"]')
    assert "swordfish" in left('passwords = ["swordfish", "correct", "required"]')
