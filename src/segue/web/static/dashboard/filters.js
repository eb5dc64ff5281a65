// What a script adds to the filter builder: the count follows what is written, and choices show
// what the server says. Without it there is a Count button.

const DEBOUNCE_MS = 600;

function said(panel) {
  const form = panel.closest("form");
  const fields = [...new FormData(form)].filter(([name]) => !name.startsWith("test_") && name !== "count_id");
  return new URLSearchParams(fields).toString();
}

let waiting;

function countSoon(delay = DEBOUNCE_MS) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const panel = document.querySelector("#count-panel[data-counts]");
    if (!panel || panel.counted === said(panel)) return;
    if (panel.counted !== undefined) document.getElementById("test-result")?.replaceChildren();
    panel.counted = said(panel);
    panel.dispatchEvent(new Event("count"));
  }, delay);
}

// A choice that somebody made keeps its own mind when the page is morphed around it.
function showWhatIsSaid(within) {
  for (const option of within.querySelectorAll("option")) {
    if (option.selected !== option.defaultSelected) option.selected = option.defaultSelected;
  }
}

document.addEventListener("input", (event) => {
  if (event.target.name !== "test_user") countSoon();
});
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail?.ctx?.target;
  if (target?.id === "test-result") target.scrollIntoView({ block: "nearest" });
  if (["count-panel", "test-result"].includes(target?.id)) return;
  for (const one of document.querySelectorAll("[data-filters]")) showWhatIsSaid(one);
  countSoon();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-count]")) return;
  event.preventDefault();
  const panel = document.getElementById("count-panel");
  panel.counted = undefined;
  countSoon(0);
});
document.addEventListener("keydown", (event) => {
  const presses = event.target.dataset?.presses;
  if (event.key !== "Enter" || !presses) return;
  event.preventDefault();
  document.getElementById(presses).click();
});
countSoon(0);
