"""A headless Chromium, and the pages of a small sealed trail on a real socket."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette

from readable_trail import ReadableTrail
from slmtrail.app.running.serve import Server, listen
from slmtrail.app.web.pages import page_routes

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
TIMEOUT_MS = 30_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[playwright.Browser]:
    """The browser, shared: each test opens a context of its own.

    Of a module and not of the session: as long as it is open, its thread can't run another event loop.
    """
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, EXECUTABLES)), None)
    if found is None:
        pytest.skip("there is no Chromium: install one (Debian: chromium) or name it in CHROMIUM")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=ARGUMENTS, timeout=TIMEOUT_MS)
        yield browser
        browser.close()


@dataclass
class Site:
    """A trail and the address of its pages."""

    trail: ReadableTrail
    address: str


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A trail that is empty at first, served by the real server."""
    trail = ReadableTrail(tmp_path)
    sock = listen("127.0.0.1", 0)
    server = Server(Starlette(routes=page_routes(trail.reading)))
    thread = threading.Thread(target=server.run, args=([sock],))
    thread.start()
    yield Site(trail, f"http://127.0.0.1:{sock.getsockname()[1]}")
    server.should_exit = True
    thread.join()
    trail.close()


@dataclass
class Window:
    """An open page, and what went wrong in it: script errors, refused content, dialogs."""

    page: playwright.Page
    complaints: list[str]


@pytest.fixture
def window(chromium: playwright.Browser, request: pytest.FixtureRequest) -> Iterator[Window]:
    """A new window; parametrise it with the options of a browser context. What goes wrong in it fails the test."""
    options = {"viewport": {"width": 1280, "height": 900}, **getattr(request, "param", {})}
    context = chromium.new_context(**options)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    opened = Window(page, [])

    def dismiss(dialog: playwright.Dialog) -> None:
        opened.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("pageerror", lambda error: opened.complaints.append(f"script: {error}"))
    page.on("console", lambda said: opened.complaints.append(f"{said.type}: {said.text}"))
    yield opened
    context.close()
    # Browsers also write a line for each answer that is an error, and for what leaving a page broke off.
    assert [line for line in opened.complaints if "Failed to load resource" not in line] == []
