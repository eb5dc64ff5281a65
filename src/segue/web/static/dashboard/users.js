// While an answer is on its way, say so where it will stand; once it is there, lead to it.

const setBusy = (event, isBusy) => {
  const target = document.getElementById("answer");
  const asks = event.target instanceof Element && event.target.closest("form.why");
  if (!target || (isBusy && !asks)) return;
  target.setAttribute("aria-busy", String(isBusy));
};

document.addEventListener("htmx:before:request", (event) => setBusy(event, true));
document.addEventListener("htmx:finally:request", (event) => setBusy(event, false));
document.addEventListener("htmx:after:swap", () => document.getElementById("answer-title")?.focus());
