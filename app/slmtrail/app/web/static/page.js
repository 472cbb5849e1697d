// Comfort only: every page works without it.
"use strict";

const KEYS = {
  "/": "go to the search box",
  "j": "next in the list",
  "k": "the one before",
  "Enter": "open it",
  "o": "overview",
  "s": "search",
  "a": "alerts",
  "i": "incident",
  "c": "compare",
  "t": "local times, or UTC",
  "?": "this list",
};
const PAGES = {o: "/overview", s: "/", a: "/alerts", i: "/incident", c: "/compare"};

// Counts and histogram come after the records, which are what was asked for.
const load = async (place) => {
  const answer = await fetch(place.dataset.load, {headers: {accept: "text/html"}});
  if (!answer.ok) return;
  // Markup of our own server, in which every text of a record is escaped as in every other page.
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.replaceChildren(...parsed.body.childNodes);
  zone(place);
};

// Times, as the server writes them in UTC or as they are here.
let local = false;
try { local = localStorage.getItem("times") === "local"; } catch { /* no storage: UTC */ }
const pad = (number) => String(number).padStart(2, "0");
const zone = (root) => {
  for (const time of root.querySelectorAll("time")) {
    time.dataset.utc ??= time.textContent;
    const at = new Date(time.dateTime);
    time.textContent = !local || isNaN(at) ? time.dataset.utc
      : `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  }
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const name of root.querySelectorAll("[data-zone-name]")) name.textContent = local ? here : "UTC";
  const button = document.querySelector("[data-zone]");
  button.hidden = false;
  button.textContent = local ? "Show UTC" : "Show local times";
  button.previousSibling.textContent = local
    ? `Times are of ${here}. ` : "Times are UTC. ";
};
const turn = () => {
  local = !local;
  try { localStorage.setItem("times", local ? "local" : "utc"); } catch { /* for this page alone */ }
  zone(document);
};

// A span of time: dragged over the bars of a histogram.
let from = null;
const bar = (event) => event.target.closest?.("[data-bars] a[data-since]");
const choose = (to) => {
  const all = [...from.parentNode.querySelectorAll("a[data-since]")];
  const ends = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
  all.forEach((one, place) => one.classList.toggle("chosen", place >= ends[0] && place <= ends[1]));
  return [all[ends[0]], all[ends[1]]];
};
document.addEventListener("dragstart", (event) => { if (bar(event)) event.preventDefault(); });
document.addEventListener("pointerdown", (event) => { from = bar(event) ?? null; });
document.addEventListener("pointermove", (event) => {
  const over = from && bar(event);
  if (over && over.parentNode === from.parentNode) choose(over);
});
document.addEventListener("pointerup", (event) => {
  const to = from && bar(event);
  if (to && to !== from && to.parentNode === from.parentNode) {
    const [first, last] = choose(to);
    const address = new URL(first.href.baseVal, location.href);
    address.searchParams.set("until", last.dataset.until);
    location.assign(address);
  }
  from = null;
});

const help = () => {
  let dialog = document.querySelector("dialog");
  if (!dialog) {
    dialog = document.createElement("dialog");
    const list = document.createElement("dl");
    for (const [key, what] of Object.entries(KEYS)) {
      const name = document.createElement("dt");
      name.append(Object.assign(document.createElement("kbd"), {textContent: key}));
      list.append(name, Object.assign(document.createElement("dd"), {textContent: what}));
    }
    const close = Object.assign(document.createElement("button"), {textContent: "Close"});
    close.addEventListener("click", () => dialog.close());
    dialog.append(Object.assign(document.createElement("h2"), {textContent: "Keys"}), list, close);
    document.body.append(dialog);
  }
  dialog.showModal();
};

document.addEventListener("keydown", (event) => {
  const box = document.querySelector("[data-search]");
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/" && box) {
    event.preventDefault();
    box.focus();
    box.select();
  } else if (event.key === "j" || event.key === "k") {
    const links = [...document.querySelectorAll("[data-row]")];
    const here = links.indexOf(document.activeElement);
    const next = event.key === "j" ? here + 1 : Math.max(here - 1, 0);
    links[Math.min(next, links.length - 1)]?.focus();
  } else if (event.key === "t") {
    turn();
  } else if (event.key === "?") {
    help();
  } else if (event.key in PAGES) {
    location.assign(PAGES[event.key]);
  }
});

document.querySelector("[data-zone]").addEventListener("click", turn);
zone(document);
for (const place of document.querySelectorAll("[data-load]")) {
  // Where it does not come, the link that stands in its place still leads there; whoever leaves the page breaks it off.
  if (place.dataset.load) load(place).catch(() => {}).finally(() => place.removeAttribute("data-load"));
}
