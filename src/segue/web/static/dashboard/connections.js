// <segue-graph data-src="…">: campaigns as nodes that are links, and arrows from what is followed to
// what follows. It asks for its data, lays it out with dagre, and asks again from time to time.
// Texts are set as text, never as markup. Without this file the page's tables say the same.

const SVG = "http://www.w3.org/2000/svg";
const NODE = { width: 216, height: 60 };
const NAME_LENGTH = 24;
const LABEL_LENGTH = 30;
const LETTER_WIDTH = 5.8;
const LINE_HEIGHT = 14;
const FIRST_PAUSE_MS = 2_000;
const PAUSE_MS_MAX = 15_000;
const dagreUrl = document.querySelector("script[data-dagre]").dataset.dagre;

function element(name, attributes = {}, children = []) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function html(name, properties = {}, children = []) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const short = (text, length) => {
  const letters = [...text];
  return letters.length > length ? `${letters.slice(0, length - 1).join("")}…` : text;
};

const STATE_SHAPES = {
  active: () => element("circle", { r: 4.5, class: "shape good" }),
  draft: () => element("circle", { r: 4, class: "shape neutral" }),
  stopped: () => element("rect", { x: -4, y: -4, width: 8, height: 8, transform: "rotate(45)", class: "shape warning" }),
  archived: () => element("rect", { x: -5, y: -1, width: 10, height: 2, class: "shape quiet" }),
  group: () => element("rect", { x: -5, y: -5, width: 10, height: 10, rx: 2, class: "shape neutral" }),
};

function labelLines(edge) {
  return [
    short(edge.label, LABEL_LENGTH),
    edge.delay ? `◷ ${short(edge.delay, LABEL_LENGTH - 2)}` : "",
    edge.unless ? `⊘ ${short(edge.unless, LABEL_LENGTH - 2)}` : "",
    [edge.is_late ? "⚠ published too late" : "", edge.is_in_cycle ? "↻ loop" : ""].filter(Boolean).join(" "),
  ].filter(Boolean);
}

function path(points) {
  const [first, ...rest] = points;
  if (rest.length < 2) return `M${first.x},${first.y}L${rest[0].x},${rest[0].y}`;
  // Curves through the middles of the bends, as dagre gives bends and not curves.
  let text = `M${first.x},${first.y}`;
  for (let place = 0; place < rest.length - 1; place += 1) {
    const bend = rest[place];
    const next = rest[place + 1];
    const isLast = place === rest.length - 2;
    const end = isLast ? next : { x: (bend.x + next.x) / 2, y: (bend.y + next.y) / 2 };
    text += `Q${bend.x},${bend.y} ${end.x},${end.y}`;
  }
  return text;
}

class SegueGraph extends HTMLElement {
  #picture = null;
  #nodes = new Map(); // key → {node, link, x, y}
  #edges = [];
  #here = null;
  #pause = FIRST_PAUSE_MS;
  #timer = 0;

  async connectedCallback() {
    try {
      this.dagre = await import(dagreUrl);
      this.#frame();
      await this.#ask();
    } catch {
      this.hidden = true; // the tables are there
      return;
    }
    this.hidden = false;
    for (const twin of document.querySelectorAll("[data-twin]")) twin.hidden = true;
    document.addEventListener("keydown", this.#toggle);
    document.addEventListener("visibilitychange", this.#wake);
    this.#later();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    document.removeEventListener("keydown", this.#toggle);
    document.removeEventListener("visibilitychange", this.#wake);
  }

  #frame() {
    this.svg = element("svg", { role: "group", "aria-label": this.dataset.label });
    this.scroller = html("div", { className: "graph-scroller" }, [this.svg]);
    this.detail = html("div", { className: "graph-detail" }, [
      html("p", { className: "hint", textContent: "Point at a campaign, or move to it with Tab and the arrow keys, to see its numbers. T changes to the table." }),
    ]);
    this.status = html("p", { className: "hint graph-status" });
    this.replaceChildren(this.scroller, this.detail, this.status);
    // Not on the drawing itself, which Chromium would then let Tab stop at.
    this.scroller.addEventListener("keydown", (event) => this.#move(event));
    for (const kind of ["focusin", "pointerover"]) {
      this.scroller.addEventListener(kind, (event) => {
        const link = event.target.closest("a.node");
        if (link) this.#show(link.dataset.key, kind === "focusin");
      });
    }
  }

  // Asking

  async #ask() {
    const answer = await fetch(this.dataset.src, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const picture = await answer.json();
    if (this.#isAlike(picture)) this.#renew(picture);
    else this.#draw(picture);
    this.#picture = picture;
    const time = new Date(picture.as_of);
    const shown = html("time", { dateTime: time.toISOString(), textContent: time.toLocaleTimeString() });
    this.status.replaceChildren("As of ", shown);
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      if (!document.hidden) {
        try {
          await this.#ask();
          this.#pause = Math.min(this.#pause * 1.3, PAUSE_MS_MAX);
        } catch {
          this.status.textContent = "Paused: reconnecting. The numbers are of before.";
          this.#pause = PAUSE_MS_MAX;
        }
      }
      if (this.isConnected) this.#later();
    }, this.#pause);
  }

  #wake = () => {
    this.#pause = FIRST_PAUSE_MS;
    this.#later();
  };

  #isAlike(picture) {
    const shape = (one) => JSON.stringify([
      one.nodes.map((node) => [node.key, node.name, node.state, node.icons]),
      one.edges.map((edge) => [edge.source, edge.target, edge.label, edge.delay, edge.unless, edge.is_late, edge.is_in_cycle]),
    ]);
    return this.#picture !== null && shape(this.#picture) === shape(picture);
  }

  // Drawing

  #draw(picture) {
    const graph = new this.dagre.Graph({ multigraph: true });
    graph.setGraph({ rankdir: "LR", nodesep: 28, ranksep: 56, edgesep: 16, marginx: 16, marginy: 16 });
    for (const node of picture.nodes) graph.setNode(node.key, { ...NODE });
    picture.edges.forEach((edge, number) => {
      const lines = labelLines(edge);
      const width = Math.max(...lines.map((line) => line.length)) * LETTER_WIDTH + 8;
      graph.setEdge(edge.source, edge.target, { width, height: lines.length * LINE_HEIGHT + 4, labelpos: "c" }, `e${number}`);
    });
    this.dagre.layout(graph);
    const { width, height } = graph.graph();
    const size = { width: Math.ceil(width || 1), height: Math.ceil(height || 1) };
    this.svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    this.svg.setAttribute("width", size.width);
    this.svg.setAttribute("height", size.height);
    const hadFocus = this.svg.contains(document.activeElement);
    this.#nodes.clear();
    const boxes = picture.nodes.map((node) => this.#node(node, graph.node(node.key)));
    this.#edges = picture.edges.map((edge, number) => this.#edge(edge, graph.edge(edge.source, edge.target, `e${number}`)));
    this.svg.replaceChildren(
      element("defs", {}, [this.#arrow()]),
      element("g", { class: "edges", "aria-hidden": "true" }, this.#edges.map((one) => one.group)),
      element("g", { class: "nodes" }, boxes),
    );
    this.#weigh(picture);
    const wanted = [this.#here, new URL(this.dataset.src, location.href).searchParams.get("near")].find((key) => this.#nodes.has(key));
    const first = wanted ?? this.#leftmost();
    if (first) this.#stand(first, hadFocus);
    if (wanted) this.#nodes.get(wanted).link.scrollIntoView({ block: "nearest", inline: "center" });
  }

  #arrow() {
    const tip = element("path", { d: "M0,0L8,4L0,8z", class: "tip" });
    return element("marker", { id: "graph-arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto" }, [tip]);
  }

  #node(node, place) {
    const left = place.x - NODE.width / 2;
    const top = place.y - NODE.height / 2;
    const shape = element("g", { transform: "translate(16 40)" }, [STATE_SHAPES[node.state]()]);
    const line = element("text", { x: 28, y: 44, class: "line" }, [node.line]);
    const icons = node.icons.map((name, number) => element("use", {
      href: `${this.dataset.icons}#${name}`,
      x: NODE.width - 22 - 18 * number,
      y: 33,
      width: 14,
      height: 14,
    }));
    const link = element("a", { href: node.path, class: "node", "data-state": node.state, "data-key": node.key, "aria-label": node.reads, tabindex: -1 }, [
      element("title", {}, [node.reads]),
      element("rect", { width: NODE.width, height: NODE.height, rx: 8 }),
    ]);
    // What is seen is cut short and lies on the link, which reads the whole.
    const seen = element("g", { class: "seen", "aria-hidden": "true" }, [
      element("text", { x: 12, y: 24, class: "name" }, [short(node.name, NAME_LENGTH)]),
      shape,
      line,
      ...icons,
    ]);
    this.#nodes.set(node.key, { node, link, line, x: place.x, y: place.y });
    return element("g", { transform: `translate(${left} ${top})` }, [link, seen]);
  }

  #edge(edge, laid) {
    const isBack = this.#nodes.get(edge.target).x <= this.#nodes.get(edge.source).x;
    const marks = [edge.is_late ? "is-late" : "", edge.is_in_cycle ? "is-in-cycle" : "", isBack ? "is-back" : ""];
    const arrow = element("path", { d: path(laid.points), "marker-end": "url(#graph-arrow)" });
    const lines = labelLines(edge);
    const top = laid.y - ((lines.length - 1) * LINE_HEIGHT) / 2 + 4;
    const label = element("text", { class: "label" }, lines.map((line, number) => element("tspan", { x: laid.x, y: top + number * LINE_HEIGHT }, [line])));
    const ground = element("rect", { class: "ground", x: laid.x - laid.width / 2, y: laid.y - laid.height / 2, width: laid.width, height: laid.height, rx: 4 });
    const title = element("title", {}, [edge.reads]);
    const group = element("g", { class: ["edge", ...marks].filter(Boolean).join(" ") }, [title, arrow, ground, label]);
    return { edge, group, arrow, title };
  }

  #weigh(picture) {
    const most = Math.max(1, ...picture.edges.map((edge) => edge.volume));
    this.#edges.forEach(({ arrow }, number) => {
      arrow.setAttribute("stroke-width", (1.5 + 4.5 * Math.sqrt(picture.edges[number].volume / most)).toFixed(2));
    });
  }

  #renew(picture) {
    for (const node of picture.nodes) {
      const shown = this.#nodes.get(node.key);
      shown.node = node;
      shown.line.textContent = node.line;
      shown.link.setAttribute("aria-label", node.reads);
      shown.link.querySelector("title").textContent = node.reads;
    }
    picture.edges.forEach((edge, number) => {
      const shown = this.#edges[number];
      const hasGrown = edge.volume > shown.edge.volume;
      shown.edge = edge;
      shown.title.textContent = edge.reads;
      shown.group.classList.toggle("has-grown", hasGrown); // the style sheet lets it run, or not
    });
    this.#weigh(picture);
    if (this.#shown) this.#show(this.#shown, false);
  }

  // Moving about: one node is reached by Tab, the others from it by arrows.

  #shown = null;

  #leftmost() {
    const all = [...this.#nodes.entries()].sort(([, a], [, b]) => a.x - b.x || a.y - b.y);
    return all.length ? all[0][0] : null;
  }

  #stand(key, withFocus) {
    for (const [other, { link }] of this.#nodes) link.setAttribute("tabindex", other === key ? 0 : -1);
    this.#here = key;
    if (withFocus) this.#nodes.get(key).link.focus();
  }

  #show(key, isHere) {
    if (isHere) this.#stand(key, false);
    this.#shown = key;
    const { node } = this.#nodes.get(key);
    const touched = this.#edges.map((one) => one.edge).filter((edge) => edge.source === key || edge.target === key);
    const parts = [
      html("p", {}, [html("strong", { textContent: node.name }), ` ${node.detail}`]),
      html("ul", {}, touched.map((edge) => html("li", { textContent: edge.reads }))),
    ];
    if (node.follow_path) parts.push(html("p", {}, [html("a", { href: node.follow_path, className: "button outline small", textContent: "New campaign triggered by this one" })]));
    const focused = this.detail.contains(document.activeElement);
    if (!focused || isHere) this.detail.replaceChildren(...parts);
    for (const one of this.#edges) one.group.classList.toggle("is-touched", touched.includes(one.edge));
  }

  #move(event) {
    const link = event.target.closest("a.node");
    if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = this.#next(link.dataset.key, event.key);
    if (next === undefined) return;
    event.preventDefault();
    if (next) this.#stand(next, true);
  }

  #next(key, pressed) {
    const place = this.#nodes.get(key);
    const nearest = (keys) => [...keys].filter((one) => one !== key).sort((a, b) => Math.abs(this.#nodes.get(a).y - place.y) - Math.abs(this.#nodes.get(b).y - place.y))[0] ?? null;
    const along = (from, to) => this.#edges.filter(({ edge }) => edge[from] === key).map(({ edge }) => edge[to]);
    const beside = (sign) => {
      const column = [...this.#nodes.entries()].filter(([, one]) => Math.abs(one.x - place.x) < NODE.width && sign * (one.y - place.y) > 0);
      return column.sort(([, a], [, b]) => sign * (a.y - b.y))[0]?.[0] ?? null;
    };
    switch (pressed) {
      case "ArrowRight":
        return nearest(along("source", "target"));
      case "ArrowLeft":
        return nearest(along("target", "source"));
      case "ArrowDown":
        return beside(1);
      case "ArrowUp":
        return beside(-1);
      case "Home":
        return this.#leftmost();
      default:
        return undefined;
    }
  }

  #toggle = (event) => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key.toLowerCase() !== "t" || event.defaultPrevented || !isPlain || isTyping || !document.body.hasAttribute("data-shortcuts")) return;
    if (document.querySelector("dialog[open]")) return;
    const target = this.dataset.table;
    if (target.startsWith("#")) document.querySelector(target).focus();
    else location.assign(target);
  };
}

customElements.define("segue-graph", SegueGraph);

// On the table's page there is no graph to hear the key.
if (!document.querySelector("segue-graph")) {
  document.addEventListener("keydown", (event) => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key.toLowerCase() !== "t" || event.defaultPrevented || !isPlain || !document.body.hasAttribute("data-shortcuts")) return;
    if (event.target.closest("input, textarea, select") || document.querySelector("dialog[open]")) return;
    document.getElementById("graph-tab")?.click();
  });
}
