/**
 * Shows push notifications and reports what is done with them: for a page's service worker, by
 * `importScripts("https://…/sdk/segue-worker.js")`. The module leaves in a cache whom it is for.
 */

const SEGUE_CACHE = "segue"; // as in segue.js
const SEGUE_ID_BYTES = 16;

self.addEventListener("push", (event) => {
  const message = event.data?.json();
  if (message?.segue) event.waitUntil(segueShow(message));
});

self.addEventListener("notificationclick", (event) => {
  if (!event.notification.data?.segue) return;
  event.waitUntil(segueClicked(event.notification, event.action));
});

/** @param {{title: string, body: string, segue: any}} message */
function segueShow({ title, body, segue }) {
  const buttons = (segue.buttons ?? []).slice(0, Notification.maxActions);
  return self.registration.showNotification(title, {
    body,
    image: segue.image_url,
    tag: segue.send_id, // the same push again takes the first one's place
    data: { segue },
    actions: buttons.map(({ id, text }) => ({ action: id, title: text })),
  });
}

/** @param {Notification} notification @param {string} action the id of a button, or nothing */
async function segueClicked(notification, action) {
  notification.close();
  const { send_id, token, deep_link, buttons = [] } = notification.data.segue;
  const button = buttons.find(({ id }) => id === action);
  const link = button ? button.link : deep_link;
  const opened = button ? { type: "click", button: button.id } : { type: "open" };
  // Whether the page opens or not, the act is reported.
  await Promise.allSettled([
    segueReport({ channel: "push", send_id, token, ...opened }),
    link && /^(https?:|\/)/i.test(link) ? self.clients.openWindow(link) : undefined,
  ]);
}

/** @param {object} act */
async function segueReport(act) {
  const cache = await caches.open(SEGUE_CACHE);
  const config = await (await cache.match("/segue-config"))?.json();
  if (!config) return;
  const bytes = crypto.getRandomValues(new Uint8Array(SEGUE_ID_BYTES));
  const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const time = new Date().toISOString();
  const body = { ...act, id, time };
  try {
    const response = await fetch(`${config.url}interactions`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${config.key}`,
        "Content-Type": "application/json",
        ...(config.identity ? { "Segue-Identity": config.identity } : {}),
      },
      body: JSON.stringify({ user_id: config.user, sent_at: time, interactions: [body] }),
      credentials: "omit",
    });
    if (!response.ok) throw new Error(`${response.status}`);
  } catch {
    // The next page takes it over, under the same id.
    const kept = JSON.stringify({ user: config.user, body });
    await cache.put(`/segue-report/${id}`, new Response(kept));
  }
}
