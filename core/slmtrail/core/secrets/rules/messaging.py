"""Tokens of chats and mail, and their webhooks."""

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import URL_SAFE
from slmtrail.core.secrets.rules.rule import Rule, prefixed

RULES = (
    prefixed(
        "slack-token",
        "SLACK_TOKEN",
        "xoxb-|xoxa-|xoxc-|xoxd-|xoxp-|xoxr-|xoxs-|xoxe-|xoxo-|xoxe.|xapp-",
        r"[A-Za-z0-9\-.%+/=]{10,400}",
        "xoxb-¦123456789012-1234567890123-aBcDeFgHiJkLmNoPqRsTuVwX",
        "xapp-¦1-A0123456789-1234567890123-abcdef0123456789",
        counter=("xoxb-token",),
    ),
    Rule(
        "slack-webhook",
        "SLACK_WEBHOOK",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9_+/]{20,100})",
        ("hooks.slack.com/",),
        ("https://hooks.slack.com/services/¦T00000000/B00000000/aBcDeFgHiJkLmNoPqRsTuVwX",),
        ("https://hooks.slack.com/services/",),
    ),
    prefixed(
        "sendgrid-key",
        "SENDGRID_KEY",
        "SG.",
        URL_SAFE + "{22}[.]" + URL_SAFE + "{43}",
        "SG.¦aBcDeFgHiJkLmNoPqRsTuV.aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789abcdefg",
    ),
    Rule(
        "twilio-key",
        "TWILIO_KEY",
        r"\b(?P<secret>SK[0-9a-f]{32})\b",
        ("sk",),
        ("SK¦0123456789abcdef0123456789abcdef",),
        ("SK0123",),
        gate="SK[0-9a-f]{32}",
    ),
    Rule(
        "telegram-token",
        "TELEGRAM_TOKEN",
        r"(?:\b|(?<=bot))(?P<secret>[0-9]{8,10}:AA[A-Za-z0-9_\-]{33})(?![A-Za-z0-9_\-])",
        (":aa",),
        (
            "bot 123456789:¦AAaBcDeFgHiJkLmNoPqRsTuVwXyZ0123456",
            "https://api.telegram.org/bot123456789:¦AAaBcDeFgHiJkLmNoPqRsTuVwXyZ0123456/getMe",
        ),
        ("12:AA",),
    ),
    prefixed("mailgun-key", "MAILGUN_KEY", "key-", r"[0-9a-f]{32}\b", "key-¦0123456789abcdef0123456789abcdef"),
    Rule(
        "mailchimp-key",
        "MAILCHIMP_KEY",
        r"\b(?P<secret>[0-9a-f]{32}-us[0-9]{1,2})\b",
        ("-us",),
        ("0123456789abcdef¦0123456789abcdef-us12",),
        ("0123456789abcdef-us12", "en-us"),
    ),
    Rule(
        "discord-token",
        "DISCORD_TOKEN",
        r"(?<![A-Za-z0-9_\-.])(?P<secret>[MNO][A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40})(?![A-Za-z0-9_\-.])",
        (".",),
        ("MTIzNDU2Nzg5MDEyMzQ1Njc4.¦GaBcDe.aB3dE5fG7haB3dE5fG7haB3dE5fG7h12345678",),
        ("Module.Submodule.Function",),
        check="random",
        gate=r"[MNO][A-Za-z0-9_\-]{23}[A-Za-z0-9_\-]{0,4}\.[A-Za-z0-9_\-]{6}\.",
    ),
    Rule(
        "discord-webhook",
        "DISCORD_WEBHOOK",
        r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/(?P<secret>[A-Za-z0-9_\-]{60,80})",
        ("/api/webhooks/",),
        ("https://discord.com/api/webhooks/123456789012345678/¦" + "aB3dE5fG7h" * 6 + "12345678",),
        ("https://discord.com/api/webhooks/",),
    ),
    Rule(
        "teams-webhook",
        "TEAMS_WEBHOOK",
        r"webhook\.office\.com/webhookb2/(?P<secret>[A-Za-z0-9@/\-]{60,250})",
        ("webhook.office.com/",),
        (
            "https://x.webhook.office.com/webhookb2/¦01234567-89ab@01234567-89ab/IncomingWebhook/0123456789abcdef0123456789abcdef/01",
        ),
        ("https://x.webhook.office.com/webhookb2/",),
    ),
    prefixed(
        "resend-key",
        "RESEND_KEY",
        "re_",
        r"[A-Za-z0-9]{8}_[A-Za-z0-9]{24}\b",
        "re_¦aB3dE5fG_aB3dE5fG7haB3dE5fG7h1234",
        check="random",
        gate=r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}",
    ),
    prefixed(
        "facebook-token",
        "FACEBOOK_TOKEN",
        "EAA",
        r"[A-Za-z0-9]{80,400}\b",
        "EAA¦" + "aB3dE5fG7h" * 9,
        check="random",
        gate="EAA[A-Za-z0-9]{80}",
    ),
    prefixed(
        "brevo-key",
        "BREVO_KEY",
        "xkeysib-|xsmtpsib-",
        r"[0-9a-f]{64}-[A-Za-z0-9]{16}\b",
        "xkeysib-¦" + "0123456789abcdef" * 4 + "-aB3dE5fG7haB3dE5",
    ),
)
