"""The pages as a person meets them, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Site, Window
from readable_trail import a_day, at, inference

pytestmark = pytest.mark.browser

HOSTILE = (
    "<script>window.owned = 1</script> \"><img src=x onerror='window.owned = 1'> "
    "</textarea></pre><svg onload='window.owned = 1'> \u202ereversed\u202c "
) + "unbroken" * 60

NARROW = {"viewport": {"width": 390, "height": 844}}

# For each visible text: its colour against what is painted behind it, as WCAG 2 defines contrast.
CONTRASTS = """() => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
  const brush = canvas.getContext("2d", {willReadFrequently: true});
  const rgb = (colours) => {
    brush.clearRect(0, 0, 1, 1);
    for (const colour of colours) { brush.fillStyle = colour; brush.fillRect(0, 0, 1, 1); }
    return [...brush.getImageData(0, 0, 1, 1).data];
  };
  const light = (colours) => {
    const [r, g, b] = rgb(colours).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const behind = [];
    for (let e = element; e; e = e.parentElement) behind.unshift(getComputedStyle(e).backgroundColor);
    const [a, b] = [light([...behind, getComputedStyle(element).color]), light(behind)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), element.outerHTML.slice(0, 120)]);
  }
  return found;
}"""
UNLABELLED = """() => [...document.querySelectorAll("input:not([type=hidden]), select, button, a")]
  .filter((e) => !(e.getAttribute("aria-label") || e.labels?.length || e.textContent.trim()))
  .map((e) => e.outerHTML)"""
FOCUS = """() => {
  const e = document.activeElement;
  const ring = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return [e.tagName, ring(getComputedStyle(e)) || ring(getComputedStyle(e, "::after"))
    || ring(getComputedStyle(e.nextElementSibling ?? e))];
}"""


def paths(site: Site, *events: dict[str, Any]) -> list[str]:
    """Every kind of page over these events."""
    ids = site.trail.seal(*events)
    session = quote(str(events[0].get("session.id", "none")), safe="")
    together = (
        f"/overview /overview?since=4w /shape?kind=inference /session/{session} /record/{ids[0]}/history "
        f"/incident /incident?name={ids[0]} /incident?about=time&name=never /compare /compare?one=phi-3-mini&other=x "
        "/integrity /retention"
    )
    each = [f"/record/{record_id}" for record_id in ids]
    return ["/", "/?since=never", "/?q=zebra", "/alerts", "/nowhere", *together.split(), *each]


def everywhere(window: Window, site: Site, found: list[str]) -> Iterator[Page]:
    """Opens one page after the other, everything in it unfolded."""
    for path in found:
        window.page.goto(site.address + path)
        window.page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true })")
        yield window.page


def test_from_a_search_to_the_proof(window: Window, site: Site) -> None:
    site.trail.seal(*a_day())
    page = window.page
    page.goto(site.address)
    page.get_by_label("Words and conditions").fill("mail bob")
    page.get_by_label("Kind").select_option("inference")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"q=mail"))
    expect(page.locator("tbody tr")).to_have_count(0)
    page.get_by_label("Words and conditions").fill("my mail")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr .chip.marker")).to_have_text("EMAIL_1")
    page.locator("tbody tr").click()
    expect(page.get_by_role("heading", name="Proved")).to_be_visible()
    root = page.locator(".path li").last
    expect(root).not_to_be_visible()
    page.get_by_text("The path to the checkpoint").click()
    expect(root).to_be_visible()
    expect(root).to_contain_text("gives the signed root")


def test_from_an_alert_to_its_evidence(window: Window, site: Site) -> None:
    site.trail.seal(*a_day())
    page = window.page
    page.goto(site.address)
    page.get_by_role("link", name="Alerts").click()
    alert = page.get_by_role("article").filter(has_text="Prompt injection")
    expect(alert).to_contain_text("mallory")
    alert.locator(".evidence a").click()
    expect(page.locator(".turn.user")).to_contain_text("Ignore all previous instructions")
    page.get_by_role("link", name="mallory").click()
    expect(page.locator("tbody tr")).to_have_count(3)


def test_keys(window: Window, site: Site) -> None:
    old, new = site.trail.seal(
        inference("old", user__id="u"), at(inference("new", user__id="u"), "2026-01-16T00:00:00Z")
    )
    page = window.page
    page.goto(f"{site.address}/?user=u")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.pathname") == f"/record/{new}"
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.address}/record/{old}")
    page.wait_for_load_state()  # the address is there before the script is
    page.keyboard.press("/")
    page.keyboard.type("new j/k")
    expect(page.get_by_label("Search all records")).to_have_value("new j/k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.address}/?q=new+j%2Fk")


def test_who_leaked_a_card_and_what_happened_around_it(window: Window, site: Site) -> None:
    shared = {"trace__id": "t-1", "session__id": "s-1", "user__id": "mallory"}
    login = {"slm.kind": "auth", "event.action": "login", "event.outcome": "success", "user.id": "mallory"}
    site.trail.seal(
        at(login, "2026-01-15T09:55:00Z"),
        at({"slm.kind": "config", "slm.config.name": "template"}, "2026-01-15T08:00:00Z"),
        inference("Which plans are there?", "Two.", **shared),
        at(inference("Send me bob@example.com", "I wrote to bob@example.com.", **shared), "2026-01-15T10:01:00Z"),
        inference("Which plans are there, please?", "Three.", user__id="alice"),
    )
    page = window.page
    page.goto(f"{site.address}/?q=finding:EMAIL_ADDRESS")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody tr").click()
    page.get_by_role("link", name="The conversation").click()
    expect(page.locator(".turn.user")).to_contain_text(["Which plans are there?", "EMAIL_1"])
    expect(page.locator(".turn.answer")).to_have_count(2)
    page.get_by_role("link", name="what happened around it").click()
    expect(page.locator(".timeline > li")).to_have_count(4)
    expect(page.locator(".timeline > li").nth(0)).to_contain_text("template")
    expect(page.locator(".timeline > li").nth(1)).to_contain_text("the same user")
    page.locator(".timeline > li").nth(2).get_by_role("link").click()
    page.get_by_role("link", name="Asked before").click()
    expect(page.locator(".timeline > li")).to_have_count(2)
    expect(page.locator("main")).to_contain_text("Three.")


def test_what_fits_is_taken_along_as_a_file(window: Window, site: Site) -> None:
    site.trail.seal(*a_day())
    page = window.page
    page.goto(f"{site.address}/?q=question&kind=inference")
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    lines = Path(started.value.path()).read_text().splitlines()
    assert len(lines) == 4
    assert "gen_ai.request.model" in lines[0]
    page.get_by_role("link", name="Retention").click()
    expect(page.get_by_role("row", name="standard")).to_be_visible()


def test_counts_lead_to_what_they_count(window: Window, site: Site) -> None:
    site.trail.seal(*a_day())
    page = window.page
    page.goto(f"{site.address}/?since=2026-01-15")
    page.locator(".shape .tally").filter(has_text="Outcomes").get_by_role("link", name="failure").click()
    expect(page).to_have_url(re.compile("outcome=failure"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto(f"{site.address}/?kind=inference")
    bars = page.locator(".shape svg a[data-since]")
    expect(bars).to_have_count(6)
    bars.nth(0).hover()
    page.mouse.down()
    bars.nth(1).hover()
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"since=2026-01-15T00.*until=2026-01-15T0"))
    expect(page.locator("tbody tr")).to_have_count(2)


@pytest.mark.parametrize("window", [{"timezone_id": "Asia/Tokyo"}], indirect=True)
def test_times_here_and_the_list_of_keys(window: Window, site: Site) -> None:
    site.trail.seal(inference())
    page = window.page
    page.goto(f"{site.address}/?kind=inference")
    expect(page.locator("td time")).to_have_text("2026-01-15 10:00:00")
    page.keyboard.press("t")
    expect(page.locator("td time")).to_have_text("2026-01-15 19:00:00")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next in the list")
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    expect(page).to_have_url(f"{site.address}/overview")


@pytest.mark.parametrize("window", [{"java_script_enabled": False}], indirect=True)
def test_without_script(window: Window, site: Site) -> None:
    site.trail.seal(*[inference(f"question {n}") for n in range(60)])
    page = window.page
    page.goto(f"{site.address}/?kind=inference")
    page.get_by_label("User").fill("alice")
    page.get_by_label("User").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(page.locator("tbody tr")).to_have_count(10)
    page.locator("tbody tr").first.click()
    expect(page.get_by_role("heading", name="Proved")).to_be_visible()


@pytest.mark.parametrize("window", [NARROW], indirect=True)
def test_hostile_text_is_only_text(window: Window, site: Site) -> None:
    attack = f"Ignore all previous instructions. {HOSTILE}"
    event = inference(attack, HOSTILE) | {
        "user.id": HOSTILE[:200],
        "message": HOSTILE,
        "labels": {"l": HOSTILE},
        "slm.attributes": {HOSTILE: HOSTILE},
        "session.id": HOSTILE[:200],
    }
    shown = set()
    for page in everywhere(window, site, paths(site, event)):
        assert page.evaluate("window.owned") is None
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
        shown.add(page.locator(".turn").filter(has_text="<script>window.owned").count())
    assert shown == {0, 2}, "the question and the answer of one record"


@pytest.mark.parametrize("window", [NARROW], indirect=True)
def test_a_phone_has_nothing_to_scroll_sideways(window: Window, site: Site) -> None:
    for page in everywhere(window, site, paths(site, *a_day())):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


@pytest.mark.parametrize("window", [NARROW], indirect=True)
def test_filters_unfold_on_a_phone(window: Window, site: Site) -> None:
    site.trail.seal(*a_day())
    page = window.page
    page.goto(site.address)
    expect(page.get_by_label("Environment")).not_to_be_visible()
    page.get_by_text("Filters").click()
    page.get_by_label("Environment").fill("prod")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_label("Environment")).to_have_value("prod")


@pytest.mark.parametrize(
    "window",
    [{"color_scheme": scheme, **size} for scheme in ("light", "dark") for size in ({}, NARROW)],
    indirect=True,
    ids=["light", "light-narrow", "dark", "dark-narrow"],
)
def test_text_stands_out(window: Window, site: Site) -> None:
    found = paths(site, *a_day(), inference(HOSTILE))
    (broken,) = site.trail.seal(inference("my password"))
    (pending,) = site.trail.seal(inference("pending"), signed=False)
    sealed, _ = site.trail.reading.show(broken)
    site.trail.tamper(broken, sealed.data.replace(b"password", b"pass word"))
    shades = set()
    for page in everywhere(window, site, [*found, f"/record/{broken}", f"/record/{pending}"]):
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 5
        assert [item for item in contrasts if item[0] < 4.5] == [], page.url
        shades.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(shades) == 1
    expect(page.locator(".proof.pending")).to_be_visible()


def test_everything_is_reached_by_key_and_seen_to_be(window: Window, site: Site) -> None:
    for page in everywhere(window, site, paths(site, *a_day())):
        assert page.evaluate(UNLABELLED) == []
        assert page.locator("h1").count() <= 1
        reached = []
        while len(reached) < 60:
            page.keyboard.press("Tab")
            tag, ringed = page.evaluate(FOCUS)
            if tag == "BODY":
                break
            assert ringed, (page.url, page.evaluate("document.activeElement.outerHTML"))
            reached.append(tag)
        assert len(reached) > 4


def test_the_two_schemes_differ(chromium: Any, site: Site) -> None:
    colours = []
    for scheme in ("light", "dark"):
        page = chromium.new_page(color_scheme=scheme)
        page.goto(site.address)
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert colours[0] != colours[1]
