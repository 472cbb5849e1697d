"""Makes the labelled corpus: `python tests/data/redaction/generate.py` writes corpus.jsonl beside it.

Every value is made up here, from a seed; where a kind of value has a checksum, it is right, and the hard
negatives are the things that look like personal data and are none. A line is
`{"text", "labels": [{"type", "start", "end"}], "kind"}`.
"""

# ruff: noqa: E501, RUF001
from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path

SEED = 20250101
COUNT = 2600

FIRST = "anna ben carla david elif farid greta hugo ines jonas kemal lena marco nadia omar petra rosa sven tara yusuf".split()
LAST = (
    "almeida berg castro dubois evans fischer garcia haddad ivanov jensen kaya lopez meyer novak okafor rossi".split()
)
HOSTS = "example.com example.org mail.example.net firma.example.de shop.example.co.uk posta.example.it".split()
SITES = "wiki docs blog profil team garden cycling".split()


def digits(rng: random.Random, count: int, first: str = "0123456789") -> str:
    """So many digits."""
    return rng.choice(first) + "".join(rng.choice("0123456789") for _ in range(count - 1))


def luhn(number: str) -> str:
    """The digit that makes a card number right."""
    total = 0
    for place, char in enumerate(reversed(number)):
        value = int(char) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def email(rng: random.Random) -> str:
    name = f"{rng.choice(FIRST)}{rng.choice(['.', '_', '', '-'])}{rng.choice(LAST)}{rng.choice(['', '', '7', '84', '+list'])}"
    host = rng.choice(
        [
            f"{rng.choice(SITES)}-{rng.choice(LAST)}.com",
            f"{rng.choice(LAST)}.io",
            "gmail.com",
            "uni-mainz.de",
            "bt.co.uk",
        ]
    )
    return f"{name}@{host}"


def phone(rng: random.Random) -> str:
    area = rng.choice(["212", "415", "503", "617", "702", "808"])
    exchange, line = digits(rng, 3, "23456789"), digits(rng, 4)
    return rng.choice(
        [
            f"({area}) {exchange}-{line}",
            f"+1 {area} {exchange} {line}",
            f"{area}-{exchange}-{line}",
            f"+44 20 7{digits(rng, 3)} {digits(rng, 4)}",
            f"+49 30 {digits(rng, 7, '23456789')}",
            f"030 {digits(rng, 7, '23456789')}",
            f"+33 6 {digits(rng, 2)} {digits(rng, 2)} {digits(rng, 2)} {digits(rng, 2)}",
            f"+91 98{digits(rng, 3)} {digits(rng, 5)}",
        ]
    )


def card(rng: random.Random) -> str:
    body = rng.choice(["4", "51", "52", "6011"])
    body += digits(rng, 15 - len(body))
    number = body + luhn(body)
    return rng.choice(
        [number, "-".join(number[i : i + 4] for i in (0, 4, 8, 12)), " ".join(number[i : i + 4] for i in (0, 4, 8, 12))]
    )


def iban(rng: random.Random) -> str:
    country, length = rng.choice([("DE", 18), ("GB", 0), ("FR", 0), ("ES", 20), ("NL", 0), ("IT", 0)])
    if country == "GB":
        body = "".join(rng.choice("ABCDEFGHIKLMNW") for _ in range(4)) + digits(rng, 14)
    elif country == "NL":
        body = rng.choice(["ABNA", "INGB", "RABO"]) + digits(rng, 10)
    elif country == "FR":
        body = digits(rng, 23)
    elif country == "IT":
        body = rng.choice("ABCDEFGHXYZ") + digits(rng, 22)
    else:
        body = digits(rng, length)
    moved = "".join(str(int(char, 36)) for char in f"{body}{country}00")
    number = f"{country}{98 - int(moved) % 97:02d}{body}"
    return number if rng.random() < 0.5 else " ".join(number[i : i + 4] for i in range(0, len(number), 4))


def ip(rng: random.Random) -> str:
    if rng.random() < 0.7:
        return ".".join(str(rng.randint(1, 254)) for _ in range(4))
    return f"2001:db8:{rng.randrange(1, 65536):x}:{rng.randrange(1, 65536):x}::{rng.randrange(1, 65536):x}"


def mac(rng: random.Random) -> str:
    return rng.choice(":-").join(f"{rng.randrange(256):02X}" for _ in range(6))


def ssn(rng: random.Random) -> str:
    return f"{rng.randint(101, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"


def itin(rng: random.Random) -> str:
    return f"9{digits(rng, 2)}-{rng.randint(70, 88)}-{digits(rng, 4)}"


def nhs(rng: random.Random) -> str:
    while True:
        body = digits(rng, 9, "456789")
        check = -sum(int(char) * weight for char, weight in zip(body, range(10, 1, -1), strict=True)) % 11
        if check < 10:
            return f"{body[:3]} {body[3:6]} {body[6:]}{check}"


def bitcoin(rng: random.Random) -> str:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    body = b"\0" + rng.randbytes(20)
    whole = body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4]
    number, text = int.from_bytes(whole, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = alphabet[rest] + text
    return "1" + text


def url(rng: random.Random) -> str:
    path = rng.choice(["", f"/{rng.choice(FIRST)}", f"/u/{rng.choice(LAST)}?ref={rng.choice(SITES)}"])
    return f"https://{rng.choice(SITES)}.{rng.choice(LAST)}.{rng.choice(['com', 'org', 'de', 'io'])}{path}"


def dea(rng: random.Random) -> str:
    body = digits(rng, 6)
    check = (int(body[0]) + int(body[2]) + int(body[4]) + 2 * (int(body[1]) + int(body[3]) + int(body[5]))) % 10
    return f"{rng.choice('ABFM')}{rng.choice('ABCDEFGHJKLM')}{body}{check}"


def birth_date(rng: random.Random) -> str:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1940, 2009)
    return rng.choice([f"{day:02d}.{month:02d}.{year}", f"{year}-{month:02d}-{day:02d}", f"{month}/{day}/{year}"])


VALUES: dict[str, tuple[Callable[[random.Random], str], list[str]]] = {
    "EMAIL_ADDRESS": (
        email,
        ["Please write to {} about it.", "my mail is {}", "cc {} and close the ticket", "Von: {}\nAntwort folgt"],
    ),
    "PHONE_NUMBER": (
        phone,
        ["Call me at {}.", "my phone number is {}", "Tel. {} (office hours)", "rappelle-moi au {} demain"],
    ),
    "CREDIT_CARD": (
        card,
        ["charge it to {} please", "card number {} was declined", "the customer typed {} into the chat"],
    ),
    "IBAN_CODE": (iban, ["transfer it to {}", "IBAN {}", "Mein Konto: {} bei der Bank"]),
    "IP_ADDRESS": (ip, ["login from {} was refused", "my router says {}", "ssh to {} fails"]),
    "MAC_ADDRESS": (mac, ["the device {} left the network", "MAC {} is not on the list"]),
    "US_SSN": (ssn, ["my social security number is {}", "SSN {} on the form", "employee {} asks for a copy"]),
    "US_ITIN": (itin, ["taxpayer id {} is on file", "his ITIN: {}"]),
    "UK_NHS": (nhs, ["NHS number {} belongs to the patient", "patient {} was seen on Monday"]),
    "CRYPTO": (bitcoin, ["send the bitcoin to {}", "wallet {}"]),
    "URL": (url, ["see {} for my CV", "my page is {}", "profile: {}"]),
    "MEDICAL_LICENSE": (dea, ["DEA {} prescribed it", "signed by the doctor, certificate {}"]),
    "US_PASSPORT": (lambda rng: digits(rng, 9, "123456789"), ["my passport is {}", "travel document {}"]),
    "US_BANK_NUMBER": (
        lambda rng: digits(rng, 12, "123456789"),
        ["bank account {} at the credit union", "acct {} is overdrawn"],
    ),
    "US_DRIVER_LICENSE": (
        lambda rng: f"{rng.choice('ABCDEFG')}{digits(rng, 7)}",
        ["driver license {}", "my driving permit is {}"],
    ),
    "DATE_TIME": (birth_date, ["my birthday is {}", "date of birth {}"]),
}

NEGATIVES: list[Callable[[random.Random], str]] = [
    lambda rng: f"order no. {digits(rng, 7, '123456789')} has shipped",
    lambda rng: f"request {uuid.UUID(int=rng.getrandbits(128), version=4)} took {rng.randint(1, 900)} ms",
    lambda rng: f"commit {rng.getrandbits(160):040x} fixes it",
    lambda rng: f"sha256:{rng.getrandbits(256):064x}",
    lambda rng: (
        f"upgrade from v{rng.randint(0, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 30)} to {rng.randint(1, 9)}.{rng.randint(0, 9)}"
    ),
    lambda rng: (
        f"[2024-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}T{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:07Z] INFO worker started"
    ),
    lambda rng: f"at {rng.randint(0, 23)}:{rng.randint(10, 59)} the queue held {rng.randint(2, 9999)} items",
    lambda rng: f"for (int i = 0; i < {rng.randint(2, 4096)}; i++) {{ sum += a[i] * {rng.random():.4f}f; }}",
    lambda rng: f"std::vector<std::pair<int, long>> v{{{{{rng.randint(1, 9)}, {rng.randint(10, 99)}L}}}};",
    lambda rng: (
        f"x = np.zeros(({rng.randint(1, 512)}, {rng.randint(1, 512)}), dtype=np.float32)  # {rng.randint(1, 64)} KB"
    ),
    lambda rng: (
        f"the total of {rng.randint(1, 9)},{digits(rng, 3)}.{digits(rng, 2)} is due in {rng.randint(2, 60)} days"
    ),
    lambda rng: (
        f"see section {rng.randint(1, 9)}.{rng.randint(1, 9)}.{rng.randint(1, 9)}, pages {rng.randint(10, 99)}-{rng.randint(100, 200)}"
    ),
    lambda rng: f"epoch {rng.randint(1600000000, 1730000000)}, loss {rng.random():.6f}, step {rng.randint(100, 99999)}",
    lambda rng: f"color #{rng.getrandbits(24):06x}, offset 0x{rng.getrandbits(32):08x}",
    lambda rng: f"use @property or @{rng.choice(['dataclass', 'cached', 'task'])} on the method",
    lambda rng: (
        f"dimensions {rng.randint(10, 400)}x{rng.randint(10, 400)}x{rng.randint(10, 400)} mm, part {rng.choice('XYZ')}{rng.randint(10, 99)}-{rng.randint(100, 999)}Q"
    ),
    lambda rng: f"range 10-{rng.randint(20, 90)}%, ratio 3:{rng.randint(1, 9)}, {rng.randint(2, 40)}°C",
    lambda rng: f'{{"id": {rng.randint(1, 999999)}, "score": {rng.random():.3f}, "ok": true}}',
]

PROSE = [
    "The harbour was quiet in the morning, and only a few boats had gone out before the fog came in.",
    "She asked the model to explain why the bread did not rise, and it answered with a list of reasons.",
    "Could you rewrite this paragraph so that it sounds less formal and keeps the same meaning?",
    "In general, a queue between two services lets each of them fail without taking the other down.",
    "Der Zug hatte Verspätung, und niemand wusste, wann er ankommen würde.",
    "Le modèle répond toujours avec prudence, même quand la question est simple.",
    "Il giardino era pieno di limoni, e nessuno li raccoglieva.",
    "Bugün hava çok güzel, ama yarın yağmur bekleniyor.",
    "Η απάντηση ήταν σύντομη και σωστή.",
    "الإجابة قصيرة وواضحة تماما.",
    "Thanks a lot, that helped! 😀👍🏽 I will try it again tomorrow.",
    "A good summary keeps the numbers out of the first sentence and the reader in it.",
    "The recipe needs flour, water, salt and patience; the rest is a matter of taste.",
    "Write a short story about a lighthouse keeper who learns to paint.",
    "The function returns nothing, so the caller has to look at the state of the object afterwards.",
]

Label = dict[str, str | int]


def line(rng: random.Random) -> dict[str, object]:
    """One labelled text."""
    kind = rng.choices(["mixed", "negative", "dense", "prose"], [45, 25, 15, 15])[0]
    text, labels = "", []
    for _ in range(
        {
            "mixed": rng.randint(2, 5),
            "negative": rng.randint(1, 4),
            "dense": rng.randint(5, 9),
            "prose": rng.randint(2, 6),
        }[kind]
    ):
        text += (
            rng.choice(["", "", " ", "\n"])
            if text == "" or text.endswith("\n")
            else rng.choice([" ", " ", "\n", "\n\n"])
        )
        roll = rng.random()
        if kind == "prose" or (kind == "mixed" and roll < 0.4):
            text += rng.choice(PROSE)
        elif kind == "negative" or (kind != "dense" and roll < 0.6) or roll < 0.1:
            text += rng.choice(NEGATIVES)(rng)
        else:
            text, label = _with_value(rng, text)
            labels.append(label)
    return {"text": text, "labels": labels, "kind": kind}


def _with_value(rng: random.Random, text: str) -> tuple[str, Label]:
    type_ = rng.choice(list(VALUES))
    make, frames = VALUES[type_]
    before, after = rng.choice(frames).split("{}")
    value = make(rng)
    start = len(text) + len(before)
    return text + before + value + after, {"type": type_, "start": start, "end": start + len(value)}


def corpus(count: int = COUNT, seed: int = SEED) -> list[dict[str, object]]:
    """The labelled texts."""
    rng = random.Random(seed)
    return [line(rng) for _ in range(count)]


def dense(rng: random.Random, length: int) -> str:
    """A text with numbers and personal data in two sentences of three."""
    text = ""
    while len(text) < length:
        roll = rng.random()
        if roll < 0.35:
            text = _with_value(rng, text)[0]
        else:
            text += rng.choice(NEGATIVES)(rng) if roll < 0.65 else rng.choice(PROSE)
        text += rng.choice([" ", "\n", ". "])
    return text[:length]


def crammed(rng: random.Random, length: int) -> str:
    """A text of nothing but numbers and personal data."""
    text = ""
    while len(text) < length:
        text = _with_value(rng, text)[0] if rng.random() < 0.6 else text + rng.choice(NEGATIVES)(rng)
        text += rng.choice([" ", "\n", ". "])
    return text[:length]


def prose(rng: random.Random, length: int) -> str:
    """Ordinary prose: now and then a year, an amount, an address."""
    text = ""
    while len(text) < length:
        roll = rng.random()
        if roll < 0.06:
            text = _with_value(rng, text)[0]
        elif roll < 0.16:
            text += rng.choice(
                [
                    f"That was in {rng.randint(1900, 2024)}.",
                    f"It costs about {rng.randint(2, 900)} euros.",
                    f"Chapter {rng.randint(1, 30)} says why.",
                ]
            )
        else:
            text += rng.choice(PROSE[:4] + PROSE[11:])
        text += " "
    return text[:length]


def plain(rng: random.Random, length: int) -> str:
    """Prose without a digit or an at sign."""
    text = ""
    while len(text) < length:
        text += rng.choice(PROSE[:4] + PROSE[11:]) + " "
    return text[:length]


def main() -> None:
    """Writes corpus.jsonl."""
    lines = [json.dumps(entry, ensure_ascii=False) for entry in corpus()]
    Path(__file__).with_name("corpus.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
