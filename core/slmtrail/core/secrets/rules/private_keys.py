"""Private keys, wallets and seeds, of any origin."""

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import any_case
from slmtrail.core.secrets.rules.rule import Rule

RULES = (
    Rule(
        "private-key-base64",
        "PRIVATE_KEY",
        r"(?:LS0tLS1CRUdJTi(?:BQUklWQVRFIEtFW|BSU0EgUFJJVkFURSBLRV|BFQyBQUklWQVRFIEtFW|BPUEVOU1NIIFBSSVZBVEUgS0VZ|BFTkNSWVBURUQgUFJJVkFURSBLRV|BEU0EgUFJJVkFURSBLRV)|"
        r"client-key-data\"?:\s{1,3}\"?)[A-Za-z0-9+/=\s]{0,4}[A-Za-z0-9+/]{40,16000}={0,2}",
        ("ls0tls1crudjti", "client-key-data"),
        (
            "tls.key: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t¦" + "aB3dE5fG7h" * 6,
            "client-key-data: ¦" + "aB3dE5fG7h" * 6 + "==",
        ),
        ("tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t" + "aB3dE5fG7h" * 6, "client-key-data: REDACTED"),
    ),
    Rule(
        "otp-seed",
        "ASSIGNED_SECRET",
        r"otpauth://[^\s\"'<>]{1,200}?[?&]secret=(?P<secret>[A-Za-z2-7]{16,128})",
        ("otpauth://",),
        ("otpauth://totp/ACME:bob?secret=¦JBSWY3DPEHPK3PXP&issuer=ACME",),
        ("otpauth://totp/ACME:bob",),
    ),
    Rule(
        "seed-phrase",
        "SEED_PHRASE",
        rf"(?:{any_case('seed phrase|seed words|mnemonic|recovery phrase|wallet phrase')})"
        r"(?: phrase)?(?:\s{1,3}(?:is|was)|\s{0,3}[:=]){1,2}"
        r"\s{0,3}[\"']?(?P<secret>(?:[a-z]{3,8}\s{1,3}){11,23}[a-z]{3,8})\b",
        ("seed", "mnemonic", "recovery phrase", "wallet phrase"),
        ("seed phrase: ¦abandon ability able about above absent absorb abstract absurd abuse access accident",),
        ("the seed phrase is kept in the safe, and nobody but the owner knows it",),
    ),
    Rule(
        "wallet-key",
        "PRIVATE_KEY",
        rf"{any_case('private')}[ _\-]?[Kk][Ee][Yy]"
        r"[\"']?\s{0,3}(?:is\s{1,3}|[:=]\s{0,3}|\s)[\"']?(?P<secret>(?:0x)?[0-9a-fA-F]{64})\b",
        ("private",),
        ("private key 0x¦" + "0123456789abcdef" * 4, 'PRIVATE_KEY="¦' + "0123456789abcdef" * 4 + '"'),
        ("private key id " + "0123456789abcdef" * 4,),
    ),
    Rule(
        "private-key",
        "PRIVATE_KEY",
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[^\-]|-{1,4}[^\-]){0,16000}(?:-----END[^\-]{0,60}-----)?",
        ("private key",),
        (
            "-----BEGIN ¦PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSj\n-----END PRIVATE KEY-----",
            "-----BEGIN ¦OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXktdjEAAAAA\\n-----END OPENSSH PRIVATE KEY-----",
            "-----BEGIN ¦RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AB\n\nMIIEpAIBAAKCAQEA",
        ),
        ("-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----", "my private key is safe"),
    ),
    Rule(
        "putty-key",
        "PRIVATE_KEY",
        r"PuTTY-User-Key-File-[23]:(?:[^P]|P(?!rivate-MAC)){0,16000}Private-MAC:\s{0,3}[0-9a-f]{40,64}",
        ("putty-user-key-file",),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n¦AAAA\nPrivate-MAC: " + "0123456789abcdef" * 4,),
        ("a PuTTY-User-Key-File-3: header",),
    ),
    Rule(
        "ssh2-key",
        "PRIVATE_KEY",
        r"---- BEGIN SSH2 (?:ENCRYPTED )?PRIVATE KEY ----(?:[^\-]|-{1,3}[^\-]){0,16000}(?:---- END[^\-]{0,60}----)?",
        ("private key",),
        ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n¦P2/56wAAAgIAAAAm\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----",),
    ),
)
