"""Takes the pictures in docs/images: an embedded trail in a temporary folder, a day of demo traffic, and Chromium.

.venv/bin/python docs/screenshots.py
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from slmtrail.app.demo.play import HISTORY_EVENTS, play

FOLDER = Path(__file__).parent / "images"
EXECUTABLES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
WIDTH, HEIGHT = 1180, 680
DEADLINE_S = 120
MAX_BYTES = 150_000

LIST = "/?kind=inference&since=24h"
CONVERSATION = "/?kind=inference&q=charged+twice+call-back"


@contextmanager
def running_trail() -> Iterator[str]:
    """The address of `slmtrail up` over an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "slmtrail.app.cli", "--data", f"{folder}/data", "up"]
        environ = os.environ | {"SLMTRAIL_INGEST_PORT": "0"}
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield next(found[0] for line in process.stdout or () if (found := re.search(r"http://\S+", line)))
            finally:
                process.terminate()


def wait_for_history(page: Page, address: str) -> None:
    """Returns when all of the history can be found."""
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        page.goto(address)
        count = page.locator(".count strong")
        if count.count() and int(count.inner_text().replace(",", "")) >= HISTORY_EVENTS:
            return
        time.sleep(0.5)
    raise TimeoutError(f"the history was not stored within {DEADLINE_S} s")


def take(page: Page, name: str) -> None:
    """Takes a picture of what the window shows."""
    picture = FOLDER / f"{name}.png"
    page.screenshot(path=picture)
    print(f"{picture}: {picture.stat().st_size:,} bytes")  # noqa: T201
    if picture.stat().st_size > MAX_BYTES:
        raise ValueError(f"{picture}: is over {MAX_BYTES:,} bytes; show less in it")


def main() -> None:
    """Search, one record, what happened around it, alerts, the overview, two models."""
    executable = next(filter(None, map(shutil.which, EXECUTABLES)), None)
    FOLDER.mkdir(exist_ok=True)
    with running_trail() as address:
        asyncio.run(play(address, live_s=0))
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
            wait_for_history(page, address)
            page.goto(address + LIST)
            page.locator(".shape .tally").first.wait_for()
            take(page, "search")
            page.goto(address + CONVERSATION)
            page.locator("[data-row]").first.click()
            page.locator(".proof.proved").wait_for()
            take(page, "record")
            page.get_by_role("link", name="What happened around it").click()
            take(page, "incident")
            page.goto(address + "/alerts")
            take(page, "alerts")
            page.goto(address + "/overview")
            take(page, "overview")
            page.goto(address + "/compare?one=phi-3-mini&other=qwen2.5-1.5b")
            take(page, "compare")
            browser.close()


if __name__ == "__main__":
    main()
