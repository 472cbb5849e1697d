"""The engine finds what vanilla Presidio finds: type, start, end and score, on made, mutated and hostile texts."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from types import ModuleType

import pytest

from slmtrail.stream.redact import urls
from slmtrail.stream.redact.context import TextWords, Words
from slmtrail.stream.redact.engine import Engine
from slmtrail.stream.redact.options import RedactOptions
from slmtrail.stream.redact.phone_plans import PhonePlans
from slmtrail.stream.redact.phones import PhoneFinder
from slmtrail.stream.redact.presidio import TokenNlpEngine
from slmtrail.stream.redact.reference import ReferenceAnalyzer

ROOT = Path(__file__).parents[4]
SEED = 4


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


diff = _module(ROOT / "bench/redaction_diff.py")


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ("some", 400),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in [("all", 700), ("usual", 500), ("languages", 150)]),
        pytest.param("context", 300, marks=pytest.mark.slow),
    ],
)
def test_no_difference(options: str, count: int) -> None:
    lines = list(diff.differences(options, SEED, range(count)))
    assert [line for line in lines if line] == []
    assert len(lines) == count


@pytest.mark.parametrize("gate", ["re2", "none"])
def test_no_difference_without_hyperscan(gate: str) -> None:
    assert [line for line in diff.differences("usual", SEED, range(120), gate) if line] == []


def test_re2_hides_no_hit_behind_another() -> None:
    # Texts in which re2, which tells only hits that do not overlap, once hid a number and an address.
    assert [line for line in diff.differences("usual", 7702, [4, 34], "re2") if line] == []


def test_no_difference_on_the_corpus() -> None:
    generator = diff.generator()
    options = RedactOptions(threshold=0.2, thresholds={}, secrets=False)
    engine, reference = Engine(options), ReferenceAnalyzer(options)
    for entry in generator.corpus()[::8]:
        assert diff.key(engine.find(entry["text"])) == diff.key(reference.find_personal(entry["text"])), entry["text"]


def test_the_corpus_is_what_its_generator_makes() -> None:
    generator = diff.generator()
    lines = (ROOT / "tests/data/redaction/corpus.jsonl").read_text("utf-8").splitlines()
    assert len(lines) >= 2000
    assert [diff_line["text"] for diff_line in map(_json, lines)] == [entry["text"] for entry in generator.corpus()]
    assert len({label["type"] for line in map(_json, lines) for label in line["labels"]}) >= 15


def _json(line: str) -> dict:  # type: ignore[type-arg]
    import json

    return json.loads(line)  # type: ignore[no-any-return]


def test_custom_recognisers_and_registries_are_the_same(tmp_path: Path) -> None:
    registry = tmp_path / "registry.yaml"
    registry.write_text(
        """
supported_languages: [en]
global_regex_flags: 26
recognizers:
  - name: EmailRecognizer
    type: predefined
  - name: DeTaxIdRecognizer
    type: predefined
    supported_languages: [en]
  - name: Zip
    type: custom
    supported_language: en
    supported_entity: ZIP
    context: [zip]
    patterns:
      - {name: zip, regex: '(?<!\\d)\\d{5}(?!\\d)', score: 0.1}
      - {name: not gateable, regex: '(?=z)zz+|', score: 0.6}
"""
    )
    own = [
        {"name": "Titles", "supported_entity": "TITLE", "deny_list": ["Mr.", "Mrs.", "Dr"]},
        {
            "name": "Staff",
            "supported_entity": "STAFF",
            "patterns": [{"name": "id", "regex": r"^EMP[0-9]{4}$", "score": 0.9}],
        },
        {
            "name": "Twice",
            "supported_entity": "TWICE",
            "patterns": [{"name": "x", "regex": r"([a-c])\1\b(?!,)", "score": 0.5}],
        },
        {
            "name": "Letters",
            "supported_entity": "LETTERS",
            "patterns": [{"name": "x", "regex": r"\p{Lu}{3}", "score": 0.5}],
        },
    ]
    options = RedactOptions(registry=registry, recognizers=own, threshold=0, thresholds={}, secrets=False)
    engine, reference = Engine(options), ReferenceAnalyzer(options)
    assert {"Letters/x", "Zip/not gateable"} <= set(engine.ungated)
    rng = random.Random(SEED)
    pieces = [
        "Mr.",
        "Mrs.",
        "Dr",
        "EMP1234",
        "zip ",
        "12345",
        "aa",
        "bb,",
        "zzz",
        "ABC",
        "ÄÖÜ",
        " ",
        "\n",
        "x@example.com",
        "é",
        "1",
    ]
    for _ in range(600):
        text = "".join(rng.choice(pieces) for _ in range(rng.randint(1, 12)))
        assert diff.key(engine.find(text)) == diff.key(reference.find_personal(text)), text


def test_context_words_are_those_of_presidio() -> None:
    from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

    rng = random.Random(SEED)
    enhancer = LemmaContextAwareEnhancer()
    asked = [*"phone account passport card be call of ext ssn : iban us birth".split(), "\u017f", " "]
    answers = []
    for language in ("en", "de"):
        vanilla, words = TokenNlpEngine([language]), Words(language)
        for _ in range(150):
            text = "".join(rng.choice(diff.FRAGMENTS) + rng.choice(["", " ", "  "]) for _ in range(rng.randint(1, 60)))
            artifacts = vanilla.process_text(text, language)
            for start in rng.sample(range(len(text)), min(4, len(text))):
                try:
                    wanted = set(enhancer._extract_surrounding_words(artifacts, text[start], start))
                except ValueError:
                    continue
                assert set(TextWords(words, text).around(start)) == wanted, (text, start)
                for word in asked:
                    found = TextWords(words, text).one_around(start, [word])
                    assert (found == word) == any(word in other for other in wanted), (text, start, word)
                    answers.append(found)
    assert min(answers.count(""), len(answers) - answers.count("")) > 200


def test_numbers_of_one_shape_are_split_alike() -> None:
    rng = random.Random(SEED)
    for language in ("en", "de", "fr"):
        words, pipeline = Words(language), TokenNlpEngine([language])
        for _ in range(500):
            groups = [str(rng.choice([rng.randrange(100), rng.randrange(10**9), 10, 12, 33, 333])) for _ in range(3)]
            chunk = rng.choice(["", "(", '"', "A", "PM"]) + "-".join(groups[: rng.randint(1, 3)])
            chunk += rng.choice(["", ".", ",", ").", '"', "am"])
            split = pipeline.process_text(chunk, language).tokens
            assert [(t.start, t.end, t.lower) for t in words.tokens(chunk)] == [
                (t.idx, t.idx + len(t), t.text.lower()) for t in split
            ], chunk


def test_phone_verdicts_are_those_of_phonenumbers() -> None:
    import phonenumbers
    from phonenumbers import phonenumbermatcher, phonenumberutil

    regions = ("US", "GB", "DE", "FR", "IL", "IN", "CA", "BR", "AR", "RU", "JE", "KZ")
    plans = PhonePlans(regions)
    rng = random.Random(SEED)
    examples = [
        (str(number.country_code), phonenumbers.national_significant_number(number))
        for region in phonenumbers.SUPPORTED_REGIONS
        if (number := phonenumbers.example_number(region))
    ]
    for _ in range(3000):
        country, national = rng.choice(examples)
        key = (
            rng.choice(
                ["", "0", "1", "00", "011", country, country + "0", "+", "+" + country, "00" + country, "8", "90"]
            )
            + national
        )
        if rng.random() < 0.4:
            place = rng.randrange(1, len(key))
            key = key[:place] + rng.choice("0123456789") + key[place + rng.choice([0, 1, 2]) :]
        if len(key) < 3:
            continue
        verdict = plans.valid_in(key, plans.every)
        for place, region in enumerate(regions):
            try:
                number = phonenumberutil.parse(key, region, keep_raw_input=True)
                wanted = bool(phonenumbermatcher._verify(1, number, key, None))  # type: ignore[arg-type]
            except phonenumbers.NumberParseException:
                wanted = False
            assert bool(verdict >> place & 1) == wanted, (key, region)


def test_phone_spans_are_those_of_phonenumbers() -> None:
    import phonenumbers

    regions = ("US", "GB", "DE", "AR", "UG")
    finder = PhoneFinder(regions)
    rng = random.Random(SEED)
    pieces = [
        "+1 212-555-0199",
        "030 901820",
        "(020) 7946 0958",
        "555",
        " ",
        "/",
        "x12",
        "ext 5",
        "int 00302345678",
        "00441481960194",
        "+",
        "-",
        "a",
        "12",
        ".",
        "\uff18",
        "~7",
        "\n",
        "#",
    ]
    for _ in range(500):
        text = "".join(rng.choice(pieces) for _ in range(rng.randint(1, 9)))
        wanted = {
            (match.start, match.end)
            for region in regions
            for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=1)
        }
        assert finder.spans(text) == wanted, text


def test_the_mark_of_an_extension_that_is_cut_off_reads_as_the_digits_on_its_keys() -> None:
    import phonenumbers

    text = "22901951 - 23456 int -850 1234\xa07\u20ac"
    wanted = {(match.start, match.end) for match in phonenumbers.PhoneNumberMatcher(text, "NO", leniency=1)}
    assert (11, 20) in wanted
    assert PhoneFinder(["NO"]).spans(text) == wanted


def test_an_extension_can_make_a_number_of_what_is_none_alone() -> None:
    import phonenumbers

    text = "900123456#006814012 "
    assert [(match.start, match.end) for match in phonenumbers.PhoneNumberMatcher(text, "BR", leniency=1)] == [(0, 19)]
    assert PhoneFinder(["US", "BR"]).spans(text) == {(0, 19)}


def test_a_long_host_behind_www_is_found_from_the_first_character_on(engine: Engine) -> None:
    text = f"www111.{'b' * 251}.org"
    found = [(found.start, found.end) for found in engine.find(text) if found.type == "URL"]
    assert found == [(0, len(text))]


def test_presidios_url_patterns_are_the_ones_we_know() -> None:
    assert urls.is_known()


def test_lone_surrogates_do_no_harm(engine: Engine) -> None:
    found = engine.find("\ud800 mail a@example.com \udfff")
    assert ("EMAIL_ADDRESS", 7, 20) in {(one.type, one.start, one.end) for one in found}
