// What a script adds to the composer. Steps work without it.

// A jump to a field lands in it, also where it is a group of fields, or folded away.
function land() {
  let place = decodeURIComponent(location.hash.slice(1));
  let found = place && document.getElementById(place);
  while (place && !found) {
    // A place inside a field, such as a value of a webhook's JSON: its field.
    place = place.slice(0, Math.max(place.lastIndexOf("."), place.lastIndexOf("["), 0));
    found = place && document.getElementById(place);
  }
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
