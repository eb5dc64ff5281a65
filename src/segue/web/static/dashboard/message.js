// What a script adds to the composer's first step: the preview follows the message that is
// written, keeps its settings while lists change, and the reference is copied from.

const pane = document.getElementById("preview");
const key = `preview ${location.pathname}`;
const settings = () => [...pane.querySelectorAll("#preview-controls [name], .made-up [name]")];

function renew() {
  pane.dispatchEvent(new Event("input", { bubbles: true }));
}

function keep() {
  const values = Object.fromEntries(settings().map((one) => [one.name, one.value]));
  sessionStorage.setItem(key, JSON.stringify(values));
}

function restore() {
  const values = JSON.parse(sessionStorage.getItem(key) ?? "{}");
  let isChanged = false;
  for (const one of settings()) {
    const value = values[one.name];
    const isThere = one.tagName !== "SELECT" || [...one.options].some((option) => option.value === value);
    if (value === undefined || value === one.value || !isThere) continue;
    one.value = value;
    isChanged = true;
  }
  if (isChanged) renew();
}

function begin() {
  // It renews itself, unless htmx is missing.
  pane.querySelector(".without-script").hidden = "htmx" in window;
  pane.addEventListener("input", keep);
  // An address says itself how it is to be shown.
  if (location.search.includes("preview.")) keep();
  else restore();

  // Whoever types an id means its user; before what else listens asks for the preview.
  document.getElementById("preview.user").addEventListener("input", () => {
    document.getElementById("preview.whose").value = "chosen";
  });

  document.getElementById("composer").addEventListener("focusin", (event) => {
    const place = event.target.closest("[data-place]")?.dataset.place;
    const chosen = document.getElementById("preview.place");
    if (!place || !chosen || chosen.value === place) return;
    if (![...chosen.options].some((option) => option.value === place)) return;
    chosen.value = place;
    renew();
  });

  pane.addEventListener("click", async (event) => {
    const copier = event.target.closest("[data-copies-text]");
    if (!copier) return;
    await navigator.clipboard.writeText(copier.dataset.copiesText);
    copier.textContent = "Copied";
    setTimeout(() => (copier.textContent = "Copy"), 2000);
  });
}

// htmx is there once the page is read.
if (pane && document.readyState === "complete") begin();
else if (pane) window.addEventListener("load", begin);
