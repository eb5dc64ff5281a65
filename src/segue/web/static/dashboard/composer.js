// What a script adds to the composer. Steps work without it.

// A jump to a field lands in it, also where it is a group of fields, or folded away.
function land() {
  const place = decodeURIComponent(location.hash.slice(1));
  const found = place && document.getElementById(place);
  if (!found) return;
  found.closest("details")?.setAttribute("open", "");
  const field = found.matches("input, select, textarea, button, a, [tabindex]")
    ? found
    : found.querySelector("input, select, textarea");
  field?.focus();
  found.scrollIntoView({ block: "center" });
}
land();
window.addEventListener("hashchange", land);
