// What a script adds to every page: keys, focus on what went wrong, times of the reader's own zone.
// Pages work without it.

const root = document.body;
const byId = (id) => document.getElementById(id);

for (const element of document.querySelectorAll(".needs-script")) {
  element.hidden = false;
}

const first = document.querySelector("[data-focus]");
if (first) {
  first.focus();
  if (first.hasAttribute("data-select")) first.select();
}

function tellLocalTimes(within) {
  const form = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const element of within.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.dateTime);
    if (element.textContent.endsWith("UTC") && !Number.isNaN(moment.getTime())) {
      element.textContent = form.format(moment);
    }
  }
}
tellLocalTimes(document);
document.addEventListener("htmx:after:swap", () => tellLocalTimes(document));

document.addEventListener("click", async (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) byId(opener.dataset.opens).showModal();
  const copier = event.target.closest("[data-copies]");
  if (copier) {
    const source = byId(copier.dataset.copies);
    source.select();
    await navigator.clipboard.writeText(source.value);
    copier.lastChild.textContent = "Copied";
  }
});

// Keys: none while somebody types, or holds another key.

let isGoing = false;
const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
  if (!root.hasAttribute("data-shortcuts") || !isPlain || isTyping(event.target)) return;
  const wasGoing = isGoing;
  isGoing = false;
  if (document.querySelector("dialog[open]")) return;
  if (wasGoing) {
    const link = [...document.querySelectorAll("a[data-key]")].find((one) => one.dataset.key === event.key);
    if (link) {
      event.preventDefault();
      link.click();
    }
  } else if (event.key === "g") {
    isGoing = true;
  } else if (event.key === "/" && byId("search")) {
    event.preventDefault();
    byId("search").focus();
  } else if (event.key === "?" && byId("keys")) {
    event.preventDefault();
    byId("keys").showModal();
  } else if (event.key === "n") {
    document.querySelector(".primary :is(a.button, button)")?.click();
  }
});
