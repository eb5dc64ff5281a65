/**
 * Segue for web pages: tells a server what people do, and shows its in-app messages and cards.
 *
 * One module without dependencies. It evaluates no text, writes no HTML and no style attribute, so
 * it works under a strict content security policy. What is reported is kept in the browser until
 * the server has it, under ids that let the server take a repeat once.
 *
 * @typedef {{id: string, text: string, link?: string}} Button
 * @typedef {{send_id: string, body: string, title?: string, style?: "modal"|"slide_up"|"full",
 *   image_url?: string, link?: string, buttons?: Button[], expires_at: string}} InAppMessage
 * @typedef {{send_id: string, title: string, body?: string, image_url?: string, link?: string,
 *   pinned?: boolean, expires_at: string}} Card
 * @typedef {{now: string, in_app_messages: InAppMessage[], content_cards: Card[]}} Due
 * @typedef {"in_app_message"|"content_card"} Channel
 * @typedef {"session"|"events"|"attributes"|"interactions"|"push-token"} Kind
 * @typedef {{kind: Kind, user: string, body: object}} Entry
 * @typedef {{names: string[], kind: Kind, user: string, bodies: any[]}} Batch
 * @typedef {object} Options
 * @property {string} key a publishable key: `segue key create --scopes sdk`
 * @property {string} [url] the server, where it is not the one this module came from
 * @property {string} [styles] a style sheet in place of the default one
 * @property {(link: string) => boolean|void} [open] opens a link; true when it did
 * @property {(message: InAppMessage) => boolean|void} [onInApp] true to show a message oneself
 * @property {(problem: string) => void} [onProblem] told what the server refused
 * @property {string} [closeLabel] what the button that closes is called
 */

const QUEUE_MAX = 1000; // entries kept while offline; the oldest go
const QUEUE_MS_MAX = 2_592_000_000; // thirty days: the server knows a message for as long
const BATCH_MAX = 50; // entries in one call
const CALL_CHARACTERS_MAX = 60_000; // the server takes 256 kB, and a character may be 4 bytes
const KEEPALIVE_CHARACTERS_MAX = 15_000; // browsers let 64 kB outlive a page, up to 4 bytes each
const FLUSH_PAUSE_MS = 200; // what happens together goes together
const RETRY_MS = [1_000, 300_000]; // the first pause and the longest
const SESSION_MS = 1_800_000; // until the server has said
const OVERTAKEN_MS_MAX = 60_000; // an answer that took longer was given up
const IN_APP_PAUSE_MS = 1_000; // between two messages
const TIMER_MS_MAX = 2_000_000_000; // longer ones fire at once
const WORKER_CACHE = "segue"; // as in segue-worker.js
const UNSAFE = /^(javascript|data|vbscript|file|blob|filesystem|about|view-source):/i;

const STYLES = `
:host { all: initial; color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
* { box-sizing: border-box }
dialog, .slide_up { position: fixed; border: 0; padding: 1.5rem; color: CanvasText;
  background: Canvas; border-radius: var(--segue-radius, 12px);
  box-shadow: 0 8px 40px rgb(0 0 0 / 0.3); overflow: auto }
dialog { max-width: min(30rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem) }
dialog.full { width: 100vw; height: 100vh; max-width: none; max-height: none; border-radius: 0 }
dialog::backdrop { background: rgb(0 0 0 / 0.5) }
.slide_up { inset: auto 1rem 1rem; margin: 0 auto; max-width: 30rem; z-index: 2147483647 }
.body, .card a { display: block; color: inherit; text-decoration: none }
h2, h3, p { margin: 0 2rem 0.5rem 0; font-size: 1em; white-space: pre-line }
h2, h3 { font-weight: 600 }
h2 { font-size: 1.25em }
img { display: block; max-width: 100%; margin: 0 auto 1rem; border-radius: 8px }
button { font: inherit; cursor: pointer; border: 0; border-radius: 8px; padding: 0.5rem 1rem;
  color: var(--segue-on-accent, #fff); background: var(--segue-accent, #1d4ed8) }
button:focus-visible, a:focus-visible { outline: 3px solid Highlight; outline-offset: 2px }
.buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; margin-top: 1rem }
.close { position: absolute; top: 0.5rem; right: 0.5rem; padding: 0 0.6rem; font-size: 1.5rem;
  line-height: 1.4; color: inherit; background: transparent }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem }
.card { position: relative; padding: 1rem; color: CanvasText; background: Canvas;
  border: 1px solid rgb(128 128 128 / 0.4); border-radius: var(--segue-radius, 12px) }
.card.pinned { border-color: var(--segue-accent, #1d4ed8) }
@media (prefers-reduced-motion: no-preference) {
  .slide_up { animation: rise 0.25s ease-out }
  @keyframes rise { from { transform: translateY(110%) } }
}`;

/** Returns 128 random bits; `randomUUID` is not there on pages without TLS. */
const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");

/** @param {string|undefined} link */
const isSafe = (link) => !!link && !/[\x00-\x20\x7f]/.test(link) && !UNSAFE.test(link);

/**
 * Makes an element; texts are set as text, never as HTML.
 * @param {string} tag @param {Record<string, any>} properties @param {...(Node|null)} children
 */
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
};

/** Storage that forgets with the page where the browser has none to give. */
class Kept {
  /** @param {string} prefix */
  constructor(prefix) {
    this.prefix = prefix;
    /** @type {Map<string, string>} */
    this.memory = new Map();
  }

  /** @param {string} name @returns {string|null} */
  get(name) {
    try {
      return this.memory.get(name) ?? localStorage.getItem(this.prefix + name);
    } catch {
      return null;
    }
  }

  /** @param {string} name @param {string} value */
  set(name, value) {
    try {
      localStorage.setItem(this.prefix + name, value);
      this.memory.delete(name);
    } catch {
      this.memory.set(name, value);
    }
  }

  /** @param {string} name */
  remove(name) {
    this.memory.delete(name);
    try {
      localStorage.removeItem(this.prefix + name);
    } catch {
      // There is no storage, so nothing was in it.
    }
  }

  /** @param {string} start @returns {string[]} the names that begin so, in order */
  names(start) {
    let stored = [];
    try {
      stored = Object.keys(localStorage);
    } catch {
      // There is no storage.
    }
    const whole = this.prefix + start;
    const names = stored.filter((one) => one.startsWith(whole));
    const kept = names.map((one) => one.slice(this.prefix.length));
    const all = new Set([...kept, ...this.memory.keys()]);
    return [...all].filter((one) => one.startsWith(start)).sort();
  }
}

/** Names begin with their instant, so that their order is that of time. @param {number} ms */
const nameAt = (ms) => `q:${`${ms}`.padStart(15, "0")}`;

/** What waits to be reported: one item of storage an entry, so that tabs do not undo each other. */
class Queue {
  /** @param {Kept} kept */
  constructor(kept) {
    this.kept = kept;
    this.count = 0;
  }

  /** @param {Entry} entry */
  add(entry) {
    const names = this.names();
    for (const name of names.slice(0, Math.max(names.length + 1 - QUEUE_MAX, 0))) this.remove(name);
    const order = nameAt(Date.now()) + `${this.count++}`.padStart(6, "0");
    this.kept.set(order + randomId().slice(0, 8), JSON.stringify(entry));
  }

  names() {
    const oldest = nameAt(Date.now() - QUEUE_MS_MAX);
    const names = this.kept.names("q:");
    for (const name of names) if (name < oldest) this.remove(name);
    return names.filter((name) => name >= oldest);
  }

  /** @param {string} name @returns {Entry|null} */
  get(name) {
    try {
      return JSON.parse(this.kept.get(name) ?? "null");
    } catch {
      this.remove(name);
      return null;
    }
  }

  /** @param {string} name */
  remove(name) {
    this.kept.remove(name);
  }

  /** Returns the messages that the user ended while the server may not know of it yet. */
  ended() {
    const entries = this.names().map((name) => this.get(name));
    const reports = entries.filter((entry) => entry?.kind === "interactions");
    const bodies = reports.map((entry) => /** @type {any} */ (entry).body);
    return new Set(bodies.filter(isEnding).map((body) => body.send_id));
  }
}

/** @param {{type: string, channel: Channel}} report */
const isEnding = ({ type, channel }) =>
  type === "dismiss" || (type === "view" && channel === "in_app_message");

export class Segue {
  /** @type {Card[]} the cards that are due now */
  cards = [];
  /** @type {string} whom reports are about */
  user;

  /** @type {Options} */
  #options;
  /** @type {URL} */
  #base;
  /** @type {Kept} */
  #kept;
  /** @type {Queue} */
  #queue;
  /** @type {Record<string, string|undefined>} */
  #identities = {};
  /** @type {Set<string>} users whose reports the server refuses */
  #refused = new Set();
  #sessionMs = SESSION_MS;
  #failures = 0;
  #isSending = false;
  #isClosed = false;
  #life = new AbortController();
  /** @type {AbortController|undefined} */
  #streaming;
  /** @type {number|undefined} */
  #flushTimer;
  /** @type {number|undefined} */
  #expiryTimer;
  /** @type {Set<() => void>} */
  #feeds = new Set();
  #sheet = new CSSStyleSheet();
  /** @type {InAppMessage[]} */
  #waiting = [];
  /** @type {HTMLElement|null} */
  #shown = null;
  #nextAt = 0;
  #newestMs = 0; // when the server knew what is shown
  #aheadMs = 0; // how far the server's clock is ahead of this one
  /** @type {Set<string>} messages that are not to be shown again */
  #ended = new Set();
  /** @type {Set<string>} cards that were seen on this page */
  #viewed = new Set();

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    this.#base = options.url ? new URL("/sdk/v1/", options.url) : new URL("v1/", import.meta.url);
    this.#kept = new Kept(`segue:${options.key.slice(-8)}:`);
    this.#queue = new Queue(this.#kept);
    this.#sheet.replaceSync(options.styles ?? STYLES);
    this.user = this.#kept.get("user") ?? this.#newVisitor();
    const { signal } = this.#life;
    addEventListener("online", () => this.#wake(), { signal });
    addEventListener("pagehide", () => this.#leave(), { signal });
    const look = () => (document.hidden ? this.#leave() : this.#wake());
    document.addEventListener("visibilitychange", look, { signal });
    queueMicrotask(() => this.#wake()); // an `identify` right after this comes before it
  }

  /**
   * Says who the visitor is; without it they are anonymous.
   * @param {string} user @param {{identity?: string, attributes?: Record<string, any>}} [more]
   *   `identity`: the user id as the shop's server signed it, where the server asks for it
   */
  identify(user, { identity, attributes } = {}) {
    this.#identities[user] = identity;
    this.#refused.delete(user);
    this.#become(user);
    if (attributes) this.setAttributes(attributes);
    void this.#tellWorker();
    this.#wake();
  }

  /** Forgets who the visitor is; call it when they sign out. */
  reset() {
    this.#identities = {};
    this.#become(this.#newVisitor());
    void this.#tellWorker();
    this.#wake();
  }

  /** @param {Record<string, any>} attributes a null takes one away */
  setAttributes(attributes) {
    this.#report("attributes", attributes);
  }

  /** @param {string} name @param {Record<string, any>} [properties] */
  track(name, properties) {
    this.#report("events", { ...this.#stamp(), name, properties });
  }

  /**
   * @param {{productId: string, price?: number, currency?: string, quantity?: number,
   *   properties?: Record<string, any>}} purchase
   */
  purchase({ productId, ...rest }) {
    this.#report("events", { ...this.#stamp(), name: "purchase", product_id: productId, ...rest });
  }

  /**
   * Shows the cards in an element, and keeps them up to date.
   * @param {Element} element @returns {() => void} stops it
   */
  showCards(element) {
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [this.#sheet];
    const seen = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          const card = isIntersecting && this.cards.find((one) => one.send_id === target.id);
          if (card) this.viewCard(card);
        }
      },
      { threshold: 0.5 },
    );
    const draw = () => {
      seen.disconnect();
      const items = this.cards.map((card) => this.#cardItem(card));
      root.replaceChildren(make("ul", {}, ...items));
      for (const item of items) seen.observe(item);
    };
    this.#feeds.add(draw);
    draw();
    return () => {
      seen.disconnect();
      this.#feeds.delete(draw);
    };
  }

  /** @param {(cards: Card[]) => void} listener called with the cards now and when they change */
  onCards(listener) {
    const tell = () => listener(this.cards);
    this.#feeds.add(tell);
    tell();
    return () => void this.#feeds.delete(tell);
  }

  /** Reports that a card was seen; once a page. @param {Card} card */
  viewCard(card) {
    if (this.#viewed.has(card.send_id)) return;
    this.#viewed.add(card.send_id);
    this.#interact("content_card", card, "view");
  }

  /** Reports a click, and opens the card's link. @param {Card} card */
  clickCard(card) {
    this.#interact("content_card", card, "click");
    this.#open(card.link);
  }

  /** Takes a card away; a pinned one stays. @param {Card} card */
  dismissCard(card) {
    if (card.pinned) return;
    this.#interact("content_card", card, "dismiss");
    this.#setCards(this.cards.filter((one) => one.send_id !== card.send_id));
  }

  /**
   * Reports that a message was displayed, where `onInApp` shows it.
   * @param {InAppMessage} message
   */
  viewInApp(message) {
    this.#interact("in_app_message", message, "view");
  }

  /** @param {InAppMessage} message @param {Button} [button] none: its body was clicked */
  clickInApp(message, button) {
    this.#interact("in_app_message", message, "click", button?.id);
    this.#open(button ? button.link : message.link);
  }

  /**
   * Lets this browser get push notifications, also for who is identified later. Call it when the
   * user asks for them: browsers want a click before they ask for permission.
   * @param {ServiceWorkerRegistration} registration of a worker that shows notifications
   * @returns {Promise<boolean>} whether the user allowed it
   */
  async enablePush(registration) {
    const key = this.#kept.get("push-key");
    if (!key) throw new Error("the server has not told a key for web push; is it set up there?");
    if ((await Notification.requestPermission()) !== "granted") return false;
    const options = { userVisibleOnly: true, applicationServerKey: key };
    const { endpoint, keys } = (await registration.pushManager.subscribe(options)).toJSON();
    const id = this.#kept.get("device") ?? randomId();
    this.#kept.set("device", id);
    this.#kept.set("push-device", JSON.stringify({ id, platform: "web", token: endpoint, keys }));
    this.#reportDevice();
    await this.#tellWorker();
    return true;
  }

  /** Stops everything; what is not reported yet is when the next page starts. */
  close() {
    this.#isClosed = true;
    this.#life.abort();
    clearTimeout(this.#flushTimer);
    clearTimeout(this.#expiryTimer);
    this.#leave();
    this.#hide();
  }

  // Who

  #newVisitor() {
    const user = `anonymous:${randomId()}`;
    this.#kept.set("user", user);
    return user;
  }

  /** @param {string} user */
  #become(user) {
    this.#kept.set("user", user);
    if (user !== this.user) {
      this.user = user;
      this.#reportDevice();
      this.#kept.remove("active");
      this.#waiting = [];
      this.#hide();
      this.#setCards([]);
    }
    this.#stopStream();
  }

  /** A browser's notifications are for who is there: the server takes them from who was. */
  #reportDevice() {
    const device = this.#kept.get("push-device");
    if (device) this.#enqueue("push-token", JSON.parse(device));
  }

  /** Leaves where the service worker finds it whom it reports for, and to which server. */
  async #tellWorker() {
    if (!this.#kept.get("push-device")) return;
    const { user } = this;
    const config = { url: `${this.#base}`, key: this.#options.key, user };
    const body = JSON.stringify({ ...config, identity: this.#identities[user] });
    await (await caches.open(WORKER_CACHE)).put("/segue-config", new Response(body));
  }

  /** Takes over what the service worker could not report. */
  async #takeOver() {
    if (!this.#kept.get("push-device")) return;
    const cache = await caches.open(WORKER_CACHE);
    for (const request of await cache.keys()) {
      if (!new URL(request.url).pathname.startsWith("/segue-report/")) continue;
      const { user, body } = await (await cache.match(request))?.json();
      this.#queue.add({ kind: "interactions", user, body });
      await cache.delete(request);
      this.#flushAfter(0);
    }
  }

  // Reporting

  #stamp() {
    return { id: randomId(), time: new Date().toISOString() };
  }

  /** @param {Channel} channel @param {{send_id: string}} message @param {string} type
   * @param {string} [button] */
  #interact(channel, { send_id }, type, button) {
    const body = { ...this.#stamp(), type, channel, send_id, button };
    if (isEnding(body)) this.#ended.add(send_id);
    this.#report("interactions", body);
  }

  /** @param {Kind} kind @param {object} body */
  #report(kind, body) {
    this.#noteActivity();
    this.#enqueue(kind, body);
  }

  /** @param {Kind} kind @param {object} body */
  #enqueue(kind, body) {
    const length = JSON.stringify(body).length;
    if (length > CALL_CHARACTERS_MAX) {
      const most = CALL_CHARACTERS_MAX;
      this.#options.onProblem?.(`a report of ${length} characters is too long; at most ${most}`);
      return;
    }
    this.#queue.add({ kind, user: this.user, body });
    if (this.#failures === 0) this.#flushAfter(FLUSH_PAUSE_MS);
  }

  #noteActivity() {
    const last = Number(this.#kept.get("active") ?? 0);
    this.#kept.set("active", `${Date.now()}`);
    if (Date.now() - last > this.#sessionMs) {
      const { id, time } = this.#stamp();
      this.#enqueue("session", { session_id: id, time });
    }
  }

  /** @param {number} ms */
  #flushAfter(ms) {
    clearTimeout(this.#flushTimer);
    if (!this.#isClosed) this.#flushTimer = setTimeout(() => this.flush(), ms);
  }

  /** Sends what waits, in order; returns when the server has it, or a later try was set. */
  async flush() {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let batch = this.#batch(); batch.names.length; batch = this.#batch()) {
        const pauseMs = await this.#send(batch);
        if (pauseMs > 0) {
          this.#flushAfter(pauseMs);
          return;
        }
      }
    } finally {
      this.#isSending = false;
    }
  }

  /**
   * Returns the first entries that can go in one call: of one kind and user.
   * @param {number} [charactersMax] @returns {Batch}
   */
  #batch(charactersMax = CALL_CHARACTERS_MAX) {
    /** @type {any} */
    const batch = { names: [], kind: "", user: "", bodies: [] };
    for (const name of this.#queue.names()) {
      const entry = this.#queue.get(name);
      if (!entry || this.#refused.has(entry.user)) continue;
      if (!batch.names.length) Object.assign(batch, { kind: entry.kind, user: entry.user });
      charactersMax -= JSON.stringify(entry.body).length;
      const belongs = entry.kind === batch.kind && entry.user === batch.user;
      if (!belongs || charactersMax < 0 || batch.names.length >= BATCH_MAX) break;
      batch.names.push(name);
      batch.bodies.push(entry.body);
      if (entry.kind !== "events" && entry.kind !== "interactions") break; // they go alone
    }
    return batch;
  }

  /**
   * Sends a batch, and forgets it when the server has it or will never take it.
   * @param {Batch} batch @returns {Promise<number>} after which pause to go on
   */
  async #send(batch, keepalive = false) {
    let response;
    try {
      response = await this.#call(...this.#request(batch), keepalive);
    } catch {
      return this.#pause();
    }
    if (response.status === 401 || response.status === 403) {
      // Kept until `identify` brings an identity that is taken; somebody else's may never come.
      this.#refused.add(batch.user);
      if (batch.user === this.user) this.#tellProblem(response);
      return 0;
    }
    if (response.status === 429 || response.status >= 500) {
      // It may be a date, of which nothing here is made.
      const wishS = Number(response.headers.get("Retry-After")) || 0;
      return Math.max(this.#pause(), wishS * 1000);
    }
    this.#failures = 0;
    // What the server said before it knew of this may come after it.
    const reports = batch.kind === "interactions" ? batch.bodies : [];
    for (const body of reports.filter(isEnding)) this.#ended.add(body.send_id);
    for (const name of batch.names) this.#queue.remove(name);
    if (!response.ok) {
      this.#tellProblem(response);
      return 0;
    }
    const answer = await response.json().catch(() => ({}));
    for (const one of answer.rejected ?? []) this.#options.onProblem?.(one.message);
    if (answer.settings) {
      this.#sessionMs = answer.settings.session_timeout_s * 1000;
      this.#kept.set("push-key", answer.settings.web_push_key ?? "");
      if (batch.user === this.user) this.#take(answer);
    }
    return 0;
  }

  /** @param {Batch} batch @returns {[string, string, object]} */
  #request({ kind, user, bodies }) {
    const body = { user_id: user, sent_at: new Date().toISOString() };
    switch (kind) {
      case "session":
        return ["session", user, { ...body, ...bodies[0] }];
      case "attributes":
        return ["events", user, { ...body, attributes: bodies[0] }];
      case "push-token":
        return [kind, user, { user_id: user, device: bodies[0] }];
      default:
        return [kind, user, { ...body, [kind]: bodies }];
    }
  }

  /** @param {string} path @param {string} user @param {object} [body] @param {boolean} [keepalive]
   * @param {AbortSignal} [signal] */
  #call(path, user, body, keepalive = false, signal) {
    /** @type {Record<string, string>} */
    const headers = { Authorization: `Bearer ${this.#options.key}` };
    const identity = this.#identities[user];
    if (identity) headers["Segue-Identity"] = identity;
    if (body) headers["Content-Type"] = "application/json";
    return fetch(new URL(path, this.#base), {
      method: body ? "POST" : "GET",
      headers,
      body: body && JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      keepalive,
      signal,
    });
  }

  /** Counts a failure; returns how long to wait, about twice as long as the last time. */
  #pause() {
    const longest = Math.min(RETRY_MS[0] * 2 ** this.#failures++, RETRY_MS[1]);
    return longest * (0.5 + Math.random() / 2);
  }

  /** @param {Response} response */
  async #tellProblem(response) {
    const answer = await response.json().catch(() => ({}));
    this.#options.onProblem?.(answer.detail ?? `the server answered ${response.status}`);
  }

  /** The page is in front again, or the network is back. */
  #wake() {
    if (document.hidden || this.#isClosed) return;
    this.#noteActivity();
    this.#flushAfter(0);
    void this.#takeOver();
    if (!this.#streaming) this.#stream();
    this.#showNext();
  }

  /** The page may never come back: what waits is sent in a way that outlives it. */
  #leave() {
    this.#stopStream();
    // One call only: several at once could come in another order. The next page sends the rest.
    const batch = this.#batch(KEEPALIVE_CHARACTERS_MAX);
    if (batch.names.length) void this.#send(batch, true);
  }

  // What is due

  async #stream() {
    const streaming = (this.#streaming = new AbortController());
    let failures = 0;
    while (!streaming.signal.aborted) {
      try {
        const path = `stream?user_id=${encodeURIComponent(this.user)}`;
        const response = await this.#call(path, this.user, undefined, false, streaming.signal);
        if (response.ok && response.body) {
          failures = 0;
          await this.#readStream(response.body, streaming.signal);
        } else if (response.status === 401 || response.status === 403) {
          return; // the reports tell of it; `identify` tries again
        } else {
          await this.#ask(streaming.signal); // so many streams are open already
        }
      } catch {
        // The network broke, or the page was left.
      }
      const longest = Math.min(RETRY_MS[0] * 2 ** failures++, RETRY_MS[1]);
      await new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
    }
  }

  /** Asks once for what a stream would tell. @param {AbortSignal} signal */
  async #ask(signal) {
    const query = `?user_id=${encodeURIComponent(this.user)}`;
    const paths = ["in-app-messages", "content-cards"].map((path) => path + query);
    const asked = paths.map((path) => this.#call(path, this.user, undefined, false, signal));
    const answers = await Promise.all(asked);
    if (answers.every((answer) => answer.ok)) {
      this.#take(Object.assign({}, ...(await Promise.all(answers.map((one) => one.json())))));
    }
  }

  /** @param {ReadableStream<Uint8Array>} body @param {AbortSignal} signal */
  async #readStream(body, signal) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      const lines = (text + value).split(/\r?\n/);
      text = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("data:")) this.#take(JSON.parse(line.slice(5)));
      }
    }
  }

  #stopStream() {
    this.#streaming?.abort();
    this.#streaming = undefined;
  }

  /** @param {Due} due */
  #take(due) {
    // The stream's news may overtake an answer, which is no news then; a clock may be put back too.
    const older = this.#newestMs - Date.parse(due.now);
    if (older > 0 && older < OVERTAKEN_MS_MAX) return;
    this.#newestMs = Date.parse(due.now);
    this.#aheadMs = this.#newestMs - Date.now();
    const queued = this.#queue.ended();
    /** @param {{send_id: string}} one */
    const isOpen = ({ send_id }) => !this.#ended.has(send_id) && !queued.has(send_id);
    this.#waiting = due.in_app_messages.filter(isOpen);
    this.#setCards(due.content_cards.filter(isOpen));
    this.#showNext();
  }

  /** @param {Card[]} cards */
  #setCards(cards) {
    const isSame = JSON.stringify(cards) === JSON.stringify(this.cards);
    this.cards = cards;
    clearTimeout(this.#expiryTimer);
    const next = Math.min(...cards.map((card) => this.#lifeOf(card)));
    if (next < TIMER_MS_MAX) {
      const fresh = () => this.#setCards(this.cards.filter((card) => this.#lifeOf(card) > 0));
      this.#expiryTimer = setTimeout(fresh, Math.max(next, 0) + 1);
    }
    // What did not change is not drawn anew: the focus may be in it.
    if (!isSame) for (const draw of this.#feeds) draw();
  }

  /** Returns for how many milliseconds a message is to be shown. @param {Card|InAppMessage} one */
  #lifeOf(one) {
    return Date.parse(one.expires_at) - (Date.now() + this.#aheadMs);
  }

  // Showing

  /** @param {string|undefined} link */
  #open(link) {
    if (!link || !isSafe(link) || this.#options.open?.(link)) return;
    location.assign(link);
  }

  #showNext() {
    if (this.#shown || document.hidden || this.#isClosed || Date.now() < this.#nextAt) return;
    const message = this.#waiting.shift();
    if (!message) return;
    if (this.#ended.has(message.send_id) || this.#lifeOf(message) <= 0) return this.#showNext();
    if (this.#options.onInApp?.(message)) {
      this.#ended.add(message.send_id);
      return;
    }
    this.#showInApp(message);
    this.viewInApp(message);
  }

  /** @param {InAppMessage} message */
  #showInApp(message) {
    const host = make("segue-message");
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [this.#sheet];
    const isModal = message.style !== "slide_up";
    const box = make(isModal ? "dialog" : "section", { className: message.style ?? "modal" });
    const close = () => this.#hide(host);
    const body = this.#bodyOf(message, "h2", "body", () => {
      // Beside buttons, text that leads nowhere is there to be read.
      if (message.buttons?.length && !message.link) return;
      close();
      this.clickInApp(message);
    });
    const closeLabel = this.#options.closeLabel ?? "Close";
    const closing = make("button", { className: "close", textContent: "×", onclick: close });
    closing.setAttribute("aria-label", closeLabel);
    const buttons = (message.buttons ?? []).map((button) =>
      make("button", {
        textContent: button.text,
        onclick: () => {
          close();
          this.clickInApp(message, button);
        },
      }),
    );
    const row = buttons.length ? make("div", { className: "buttons" }, ...buttons) : null;
    box.append(...[body, row, closing].filter((one) => one !== null));
    box.setAttribute("aria-label", message.title ?? message.body);
    root.append(box);
    document.body.append(host);
    this.#shown = host;
    if (box instanceof HTMLDialogElement) {
      box.addEventListener("close", close); // Escape closes a modal dialog by itself
      box.showModal(); // keeps the focus inside, and gives it back in the end
    } else {
      box.setAttribute("role", "status"); // read out, and the focus stays where it is
      box.onkeydown = (event) => event.key === "Escape" && close();
    }
  }

  /** @param {HTMLElement|null} [host] */
  #hide(host = this.#shown) {
    if (!host || host !== this.#shown) return;
    this.#shown = null;
    host.shadowRoot?.querySelector("dialog")?.close();
    host.remove();
    this.#nextAt = Date.now() + IN_APP_PAUSE_MS;
    setTimeout(() => this.#showNext(), IN_APP_PAUSE_MS);
  }

  /** @param {Card} card */
  #cardItem(card) {
    const body = this.#bodyOf(card, "h3", "", () => this.clickCard(card));
    const className = card.pinned ? "card pinned" : "card";
    const item = make("li", { id: card.send_id, className }, body);
    if (!card.pinned) {
      const dismiss = () => this.dismissCard(card);
      const button = make("button", { className: "close", textContent: "×", onclick: dismiss });
      button.setAttribute("aria-label", this.#options.closeLabel ?? "Dismiss");
      item.append(button);
    }
    return item;
  }

  /**
   * @param {{title?: string, body?: string, image_url?: string, link?: string}} message
   * @param {string} heading @param {string} className @param {() => void} click
   */
  #bodyOf({ title, body, image_url, link }, heading, className, click) {
    const isLink = isSafe(link);
    const image = isSafe(image_url) ? make("img", { src: image_url, alt: "" }) : null;
    return make(
      isLink ? "a" : "div",
      {
        className,
        onclick: (/** @type {MouseEvent} */ event) => {
          event.preventDefault();
          click();
        },
        ...(isLink ? { href: link } : {}),
      },
      image,
      title ? make(heading, { textContent: title }) : null,
      body ? make("p", { textContent: body }) : null,
    );
  }
}
