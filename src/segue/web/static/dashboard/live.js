// What pages that follow a stream have in common.

const SILENT_AFTER_MS = 30_000; // the server gives a sign of life every ten seconds
const RETRY_MS = 2_000;
const RETRY_MAX_MS = 30_000;

export function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Server-sent events of one name. It comes back when the browser has given up, and when nothing
// was heard for a while; `address` gives where to, `take` gets each event, `show` is told of the state.
export class LiveStream {
  isOnline = false;
  #retryMs = RETRY_MS;

  constructor(name, address, take, show) {
    Object.assign(this, { name, address, take, show });
  }

  open() {
    this.source?.close();
    this.heardAt = Date.now();
    this.isOnline = false;
    this.source = new EventSource(this.address());
    this.source.addEventListener(this.name, (event) => this.#heard(event));
    this.source.addEventListener("error", () => this.#lost());
    this.show();
  }

  close() {
    clearTimeout(this.retry);
    this.source?.close();
  }

  // To be called every second.
  tick() {
    if (this.isOnline && Date.now() - this.heardAt > SILENT_AFTER_MS) this.open();
  }

  #heard(event) {
    this.heardAt = Date.now();
    this.#retryMs = RETRY_MS;
    this.isOnline = true;
    this.take(event);
    this.show();
  }

  // A browser tries again by itself after some failures, and gives up after others.
  #lost() {
    this.isOnline = false;
    this.show();
    if (this.source.readyState !== EventSource.CLOSED) return;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.open(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }
}
