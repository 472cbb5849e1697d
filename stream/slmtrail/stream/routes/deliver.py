"""Takes one alert to one route: a webhook, a mail, a command. Each blocks at most for its time limit."""

from __future__ import annotations

import os
import smtplib
import ssl
import subprocess
from typing import Any

from slmtrail.core import keys
from slmtrail.core.errors import KeyFileError
from slmtrail.core.routing import Email, Route
from slmtrail.stream.routes import forms
from slmtrail.stream.routes.failed import DeliveryFailed
from slmtrail.stream.routes.post import TIMEOUT_S, Poster

COMMAND_S = 30.0


def deliver(alert: dict[str, Any], route: Route, poster: Poster) -> None:
    """Delivers; raises DeliveryFailed. The same alert may come twice, under the same id."""
    if route.webhook is not None:
        form = forms.as_slack if route.webhook.form == "slack" else forms.as_json
        poster.post(route.webhook.url, form(alert), alert["event.id"])
    elif route.email is not None:
        _mail(alert, route.email)
    else:
        _run(route.command, forms.as_json(alert))


def _mail(alert: dict[str, Any], email: Email) -> None:
    mail = forms.as_mail(alert, email)
    try:
        with smtplib.SMTP(email.host, email.port, timeout=TIMEOUT_S) as server:
            if email.tls:
                server.starttls(context=ssl.create_default_context())
            if email.user:
                password = keys.read_private(email.password_file) if email.password_file else b""
                server.login(email.user, password.decode().strip())
            server.send_message(mail)
    except smtplib.SMTPResponseException as error:
        raise DeliveryFailed(f"{email.host}: answered {error.smtp_code}", lasting=error.smtp_code >= 500) from None
    except (OSError, smtplib.SMTPException, KeyFileError) as error:
        raise DeliveryFailed(f"{email.host}: {type(error).__name__}: {error}"[:300]) from None


def _run(command: tuple[str, ...], text: bytes) -> None:
    """The program gets no more of our environment than it needs to run."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
    try:
        done = subprocess.run(command, input=text, capture_output=True, timeout=COMMAND_S, env=environ, check=False)
    except FileNotFoundError:
        raise DeliveryFailed(f"{command[0]}: no such program", lasting=True) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeliveryFailed(f"{command[0]}: {type(error).__name__}") from None
    if done.returncode:
        raise DeliveryFailed(f"{command[0]}: ended with exit code {done.returncode}")
