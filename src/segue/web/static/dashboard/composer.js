// What a script adds to the composer. Steps work without it.

// A jump to a field lands in it, also where it is a group of fields, or folded away.
function land() {
  const place = decodeURIComponent(location.hash.slice(1));
  const found = place && document.getElementById(place);
  if (!found) return;
  found.closest("details")?.setAttribute("open", "");
  const fields = "input:not([type=hidden]), select, textarea";
  const field = found.matches(fields) ? found : found.querySelector(fields) ?? found;
  field.focus();
  found.scrollIntoView({ block: "center" });
}
// The browser goes to the place by itself, and takes the focus, until the page is loaded.
if (document.readyState === "complete") land();
else window.addEventListener("load", () => setTimeout(land));
window.addEventListener("hashchange", land);
