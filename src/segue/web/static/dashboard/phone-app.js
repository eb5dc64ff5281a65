// The sample app of a virtual phone: the device SDK as a shop would use it, with the phone's token
// for a key. It runs in a frame without an origin, and tells the page around it what it reports.

(async () => {
  const { user, token: first, base } = document.body.dataset;
  let token = first;
  const tell = (news) => parent.postMessage(news, "*");

  addEventListener("message", ({ source, data }) => {
    if (source === parent && typeof data?.token === "string") token = data.token;
  });

  // The SDK names its reports by ids of its own, by which the page knows what came of them.
  const call = window.fetch;
  window.fetch = (address, options) => {
    if (options?.body) {
      const { events = [], interactions = [], session_id: session } = JSON.parse(options.body);
      const ids = [...events, ...interactions].map(({ id }) => id);
      tell({ ids: [...ids, session].filter(Boolean) });
    }
    return call(address, options);
  };

  const { Segue } = await import(new URL(`${base}/sdk/segue.js`, document.baseURI).href);
  const segue = new Segue({
    get key() {
      return token;
    },
    open(link) {
      tell({ leadsTo: link });
      return true;
    },
    onProblem(problem) {
      tell({ problem });
    },
  });
  segue.identify(user);
  segue.showCards(document.getElementById("cards"));
  segue.onCards((cards) => {
    document.getElementById("empty").hidden = cards.length > 0;
  });
})();
