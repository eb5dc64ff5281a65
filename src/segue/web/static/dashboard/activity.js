// The live lines of Activity: added on top as they come, the oldest taken away, paused on demand.
// What is shown comes as data and becomes text: nothing of it is ever read as markup.

import { element, LiveStream } from "./live.js";

const SAY_EVERY_MS = 5_000;
const RATE_OVER_MS = 10_000;

// As places.py writes an id into an address.
function userPath(id, tab) {
  let segment = id.replaceAll("~", "~7E").replaceAll("/", "~2F");
  if (/^\.+$/.test(segment)) segment = segment.replaceAll(".", "~2E");
  return `/users/${encodeURIComponent(segment)}/${tab}`;
}

class Activity extends HTMLElement {
  connectedCallback() {
    this.lines = this.querySelector("[data-lines]");
    this.button = this.querySelector("[data-pause]");
    this.state = this.querySelector("[data-state]");
    this.said = this.querySelector("[data-said]");
    this.rate = this.querySelector("[data-rate]");
    this.keeps = Number(this.dataset.keeps);
    this.last = this.dataset.after;
    this.waiting = [];
    this.arrivals = [];
    this.unsaid = 0;
    this.isPaused = false;
    this.stream = new LiveStream(
      "lines",
      () => this.address(),
      (event) => this.take(event),
      () => this.show(),
    );
    this.button.addEventListener("click", () => this.pause(!this.isPaused));
    this.ticks = [
      setInterval(() => this.say(), SAY_EVERY_MS),
      setInterval(() => this.tick(), 1_000),
    ];
    this.stream.open();
  }

  disconnectedCallback() {
    this.ticks.forEach(clearInterval);
    this.stream.close();
  }

  address() {
    const address = new URL(this.dataset.stream, location.href);
    address.searchParams.set("after", this.last);
    return address;
  }

  take(event) {
    if (event.lastEventId) this.last = event.lastEventId;
    const batch = JSON.parse(event.data);
    if (batch.hasGap) this.add([null]);
    if (batch.missed) this.add([batch.missed]);
    const now = Date.now();
    this.arrivals.push(...batch.lines.map(() => now));
    this.unsaid += batch.lines.length;
    if (this.isPaused) {
      this.waiting.push(...batch.lines);
      this.waiting.splice(0, this.waiting.length - this.keeps);
    } else {
      this.add(batch.lines);
    }
  }

  add(lines) {
    for (const line of lines) this.lines.prepend(this.item(line));
    while (this.lines.children.length > this.keeps) this.lines.lastElementChild.remove();
    if (lines.length) this.querySelector("[data-empty]").hidden = true;
  }

  // A line; or a number of lines that came too fast; or, with null, a gap of unknown size.
  item(line) {
    const item = element("li");
    if (line === null || typeof line === "number") {
      item.className = "gap";
      item.textContent =
        line === null
          ? "The connection was lost, and what happened meanwhile is not all here. The timeline of each user has everything."
          : `${line.toLocaleString()} lines came too fast to be shown. A filter above makes them fewer.`;
      return item;
    }
    const time = element("time", `${line.at.slice(11, 19)} `, { datetime: line.at });
    time.append(element("span", "UTC", { class: "hint" }));
    const links = element("span", "", { class: "links" });
    links.append(element("a", line.user_id, { href: userPath(line.user_id, "timeline") }));
    if (line.campaign) {
      const why = `${userPath(line.user_id, "why")}?campaign=${encodeURIComponent(line.campaign)}`;
      const label = `Why ${line.campaign}, for ${line.user_id}?`;
      links.append(" · ", element("a", "why?", { href: why, "aria-label": label }));
    }
    item.append(
      time,
      element("span", line.label, { class: "state", "data-tone": line.tone }),
      element("span", line.sentence, { class: "sentence" }),
      links,
    );
    return item;
  }

  pause(isPaused) {
    this.isPaused = isPaused;
    this.button.setAttribute("aria-pressed", String(isPaused));
    this.button.querySelector("span").textContent = isPaused ? "Go on" : "Pause";
    if (!isPaused) this.add(this.waiting.splice(0));
    this.show();
  }

  show() {
    let text = "Live";
    if (!this.stream.isOnline) text = "Paused: reconnecting";
    else if (this.isPaused) text = `Paused: ${this.waiting.length.toLocaleString()} new`;
    this.state.textContent = text;
    this.state.dataset.tone = this.stream.isOnline && !this.isPaused ? "good" : "warning";
    this.state.hidden = false;
  }

  tick() {
    const now = Date.now();
    this.arrivals = this.arrivals.filter((at) => at > now - RATE_OVER_MS);
    const perSecond = this.arrivals.length / (RATE_OVER_MS / 1_000);
    this.rate.textContent = `${perSecond.toLocaleString(undefined, { maximumFractionDigits: 1 })} lines a second`;
    this.stream.tick();
  }

  say() {
    if (this.unsaid && !this.isPaused) {
      this.said.textContent = `${this.unsaid} new lines`;
      this.unsaid = 0;
    }
  }
}

customElements.define("segue-activity", Activity);
