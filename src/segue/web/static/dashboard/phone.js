// Virtual phones: what comes appears by itself, and each tap is a call of a public route, made with
// the phone's token. What is shown comes from the server as parts of the page.

import { element, LiveStream } from "./live.js";

const TOKEN_RENEWED_MS = 600_000; // it lives for a quarter of an hour
const MARKS_MAX = 50; // as limits.py

const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");

class Refused extends Error {}

class Phone extends HTMLElement {
  connectedCallback() {
    this.marks = new URLSearchParams(location.search).get("taps")?.split(",") ?? [];
    for (const part of this.querySelectorAll("[data-part]")) part.written = part.outerHTML;
    this.newest = this.querySelector("[data-newest]")?.dataset.newest ?? "0";
    this.addEventListener("submit", (event) => this.submitted(event));
    this.addEventListener("click", (event) => this.clicked(event));
    this.hears = (event) => this.heard(event);
    addEventListener("message", this.hears);
    this.renews = setInterval(() => this.renew(), TOKEN_RENEWED_MS);
    this.fill();
  }

  disconnectedCallback() {
    removeEventListener("message", this.hears);
    clearInterval(this.renews);
  }

  get user() {
    return this.dataset.user;
  }

  // What the addresses of a rehearsal begin with; of phones elsewhere, nothing.
  get base() {
    return this.dataset.base;
  }

  // What is shown

  // One at a time, and once more where something happened meanwhile.
  refresh() {
    this.isStale = true;
    this.asking ??= this.askUntilFresh();
    return this.asking;
  }

  async askUntilFresh() {
    while (this.isStale) {
      this.isStale = false;
      await this.ask().catch(() => {}); // the next change, or the next connection, asks again
    }
    this.asking = undefined;
  }

  async ask() {
    const address = new URL(this.dataset.now, location.href);
    const { view, mail, users } = this.dataset;
    const query = { view, mail, users, taps: this.marks.join(",") };
    for (const [name, value] of Object.entries(query)) {
      if (value) address.searchParams.set(name, value);
    }
    const response = await fetch(address, { headers: { "HX-Request": "true" } });
    if (!response.ok) {
      // Signed out, or the rehearsal has ended: the page says so.
      if (response.status === 401 || (response.status === 404 && this.base)) location.reload();
      return;
    }
    const text = await response.text();
    const isOther = view !== this.dataset.view || mail !== this.dataset.mail;
    if (!isOther) this.show(new DOMParser().parseFromString(text, "text/html").body);
  }

  // Puts in what is new, part by part. What is the same stays: a frame would load anew, and what
  // somebody types would be gone.
  show(fresh) {
    const device = this.querySelector(".device");
    const parts = [...fresh.querySelectorAll("[data-part]")];
    if (!device || !parts.length) return;
    const focused = this.contains(document.activeElement) ? document.activeElement.id : "";
    const wanted = new Set(parts.map((part) => part.dataset.part));
    for (const old of this.querySelectorAll("[data-part]")) {
      if (!wanted.has(old.dataset.part)) old.remove();
    }
    let previous = null;
    for (const part of parts) {
      const old = this.querySelector(`[data-part="${part.dataset.part}"]`);
      const isKept = old && old.dataset.keep && old.dataset.keep === part.dataset.keep;
      if (old && (isKept || old.written === part.outerHTML)) {
        previous = old;
        continue;
      }
      const made = document.importNode(part, true);
      made.written = part.outerHTML; // before a script does anything to it
      if (old) old.replaceWith(made);
      else if (part.closest(".device")) this.place(made, previous, device);
      previous = made;
    }
    this.fill();
    document.dispatchEvent(new Event("htmx:after:swap")); // times become those of the reader's zone
    if (focused && document.activeElement.id !== focused) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
    this.announce();
  }

  // In the phone, parts stand behind the line that says what was done.
  place(part, previous, device) {
    const said = device.querySelector("[data-said]");
    const isIn = previous && previous.parentElement === device && !previous.matches(".views");
    (isIn ? previous : said).after(part);
  }

  // What only a script can show.
  fill() {
    for (const one of this.querySelectorAll(".needs-script")) one.hidden = false;
    for (const one of this.querySelectorAll(".without-script")) one.hidden = true;
    const frame = this.querySelector("iframe[data-app]:not([src])");
    if (frame) frame.src = frame.dataset.app;
    const thread = this.querySelector(".thread");
    if (thread && !thread.isAtEnd) thread.scrollTop = thread.scrollHeight;
    if (thread) thread.isAtEnd = true; // once: then the reader scrolls
  }

  announce() {
    const newest = this.querySelector("[data-newest]");
    if (!newest || Number(newest.dataset.newest) <= Number(this.newest)) return;
    this.newest = newest.dataset.newest;
    this.say(`New: ${newest.textContent}`);
  }

  say(text, link) {
    const said = this.querySelector("[data-said]");
    if (!said) return;
    said.replaceChildren(text);
    if (!link) return;
    said.append(" It leads to ");
    const isWeb = /^https?:\/\//.test(link);
    const attributes = { href: link, target: "_blank", rel: "noreferrer" };
    said.append(isWeb ? element("a", link, attributes) : element("code", link));
  }

  clicked(event) {
    const link = event.target.closest("[data-shows]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.dataset.view = link.dataset.shows;
    this.dataset.mail = link.dataset.mail ?? "";
    const address = new URL(link.href);
    address.searchParams.delete("taps"); // they are kept here
    history.replaceState(null, "", address);
    const sent = link.dataset.mail;
    this.refresh().then(() => {
      const opened = this.querySelector("iframe[data-mail]");
      if (sent && opened) this.markMail(opened.dataset.mail);
      const back = this.querySelector("[data-part=mail] h3");
      if (sent && back) {
        back.tabIndex = -1;
        back.focus({ preventScroll: true });
      } else {
        this.querySelector("[aria-current]")?.focus({ preventScroll: true });
      }
    });
  }

  // What is done

  mark(...marks) {
    this.marks = [...this.marks, ...marks.filter((one) => !this.marks.includes(one))];
    this.marks.splice(0, this.marks.length - MARKS_MAX);
  }

  // In the mail's frame nothing of ours runs: what becomes of the mail while it is open came of it.
  markMail(send) {
    const acts = ["email_open", "email_click", "email_unsubscribe"];
    this.mark(...acts.map((act) => `${act}@${send}`));
  }

  async submitted(event) {
    const form = event.target;
    const does = ["tap", "event", "session"].find((one) => one in form.dataset);
    if (!does) return;
    event.preventDefault();
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      await this[does](form, new FormData(form));
    } catch (error) {
      this.say(
        error instanceof Refused
          ? `That was not done: ${error.message}`
          : "That was not done: the server could not be reached. Try again in a moment.",
      );
    }
    this.isBusy = false;
    this.refresh();
  }

  async tap(form, data) {
    const message = await this.message(data.get("message"));
    const action = message?.actions.find(
      (one) =>
        one.act === data.get("act") &&
        (one.button ?? "") === (data.get("button") ?? "") &&
        (one.page ?? "") === (data.get("page") ?? "") &&
        (!data.get("url") || one.url === data.get("url")),
    );
    if (!action) throw new Refused("the message was dismissed, has expired, or is not here.");
    if (new URL(action.url).origin !== location.origin) {
      form.submit(); // scripts may call this server alone, and it knows itself by another name
      return;
    }
    const label = form.querySelector("button").textContent;
    if (action.act === "sms_reply") {
      action.body.text = data.get("text");
      this.mark(action.body.id);
      const { answer } = await this.call(action);
      form.reset();
      this.say(answer ? `Texted. The answer: ${answer}` : "Texted.");
      return;
    }
    const report = action.body?.interactions?.[0];
    this.mark(report ? report.id : `${action.act}@${message.send_id}`);
    const answer = await this.call(action);
    if (answer?.rejected?.length) throw new Refused(answer.rejected[0].message);
    this.say(`Done: ${label}.`, action.leads_to);
  }

  async event(form, data) {
    const properties = {};
    for (let index = 0; data.has(`properties[${index}].name`); index++) {
      const name = data.get(`properties[${index}].name`).trim();
      if (name) properties[name] = valueOf(data.get(`properties[${index}].value`).trim());
    }
    const id = newId();
    const name = data.get("name").trim();
    const event = { id, name, ...(Object.keys(properties).length ? { properties } : {}) };
    this.mark(id);
    const answer = await this.send(`${this.base}/sdk/v1/events`, { user_id: this.user, events: [event] });
    if (answer.rejected.length) throw new Refused(answer.rejected[0].message);
    this.say(`The event ${name} was sent.`);
  }

  async session() {
    const id = newId();
    this.mark(id);
    await this.send(`${this.base}/sdk/v1/session`, { user_id: this.user, session_id: id });
    this.say("A session was started.");
  }

  // The API

  get api() {
    return `${this.base}/api/v1/phones/${encodeURIComponent(this.user)}`;
  }

  async message(id) {
    const query = `cursor=${encodeURIComponent(BigInt(id) + 1n)}&limit=1`;
    const { data } = await answerOf(await fetch(`${this.api}/messages?${query}`));
    return data.find((one) => one.id === id);
  }

  async token() {
    // Its end is told by the server's clock, which may be ahead: in a rehearsal by weeks.
    if (!this.issued || Date.now() - this.issuedAt > TOKEN_RENEWED_MS) {
      this.issuedAt = Date.now();
      this.issued = await answerOf(await fetch(`${this.api}/token`, { method: "POST" }));
    }
    return this.issued.token;
  }

  async send(url, body) {
    return this.call({ url, body, method: "POST", needs_token: true });
  }

  async call({ url, method, body, needs_token: needsToken }) {
    const headers = {};
    if (needsToken) headers.Authorization = `Bearer ${await this.token()}`;
    if (body) headers["Content-Type"] = "application/json";
    // A link is followed no further than to us: where it leads is said.
    const response = await fetch(url, {
      method,
      headers,
      body: body && JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      redirect: "manual",
    });
    return response.type === "opaqueredirect" ? null : answerOf(response);
  }

  // The sample app

  async renew() {
    const frame = this.querySelector("iframe[data-app][src]");
    if (!frame) return;
    this.issued = undefined;
    const token = await this.token().catch(() => null);
    // Its origin is none, so that it cannot be named.
    if (token) frame.contentWindow.postMessage({ token }, "*");
  }

  heard({ source, data }) {
    const frame = this.querySelector("iframe[data-app][src]");
    if (!frame || source !== frame.contentWindow) return;
    if (Array.isArray(data.ids)) this.mark(...data.ids.map(String));
    if (data.leadsTo) this.say("Done in the app.", String(data.leadsTo));
    if (data.problem) this.say(`The app was refused something: ${data.problem}`);
  }
}

async function answerOf(response) {
  const isJson = response.headers.get("Content-Type")?.includes("json");
  const answer = isJson ? await response.json().catch(() => ({})) : {};
  if (!response.ok) throw new Refused(answer.detail ?? `the server answered ${response.status}.`);
  return answer;
}

// As user_acts.py reads it.
function valueOf(text) {
  try {
    const value = JSON.parse(text);
    return ["string", "number", "boolean"].includes(typeof value) ? value : text;
  } catch {
    return text;
  }
}

// One stream for all phones of the page: browsers have few connections to a server.
class Phones extends HTMLElement {
  connectedCallback() {
    this.state = document.querySelector("[data-state]");
    this.stream = new LiveStream(
      "changed",
      () => this.dataset.news, // what came since the page was made is told
      (event) => this.changed(JSON.parse(event.data)),
      () => this.show(),
    );
    this.watch = setInterval(() => this.stream.tick(), 1_000);
    this.stream.open();
  }

  disconnectedCallback() {
    clearInterval(this.watch);
    this.stream.close();
  }

  changed(users) {
    for (const phone of this.querySelectorAll("segue-phone")) {
      if (users.includes(phone.user)) phone.refresh();
    }
    if (users.length) dispatchEvent(new Event("segue:happened")); // the time of a rehearsal hears
  }

  show() {
    this.state.textContent = this.stream.isOnline ? "Live" : "Paused: reconnecting";
    this.state.dataset.tone = this.stream.isOnline ? "good" : "warning";
    this.state.hidden = false;
    if (this.stream.source.readyState !== EventSource.CLOSED) return;
    // A rehearsal may have ended: its phones are asked, and say so.
    for (const phone of this.querySelectorAll("segue-phone")) if (phone.base) phone.refresh();
  }
}

// A form beside the phones leads back to what is shown now, and to what was done here.
addEventListener("submit", ({ target }) => {
  if (!target.matches(".skips")) return;
  const phones = [...document.querySelectorAll("segue-phone")];
  const back = new URL(location.href);
  back.searchParams.set("view", phones[0].dataset.view);
  const marks = phones.flatMap((phone) => phone.marks).slice(-MARKS_MAX);
  if (marks.length) back.searchParams.set("taps", marks.join(","));
  target.elements.back.value = back.pathname + back.search;
});

customElements.define("segue-phone", Phone);
customElements.define("segue-phones", Phones);
