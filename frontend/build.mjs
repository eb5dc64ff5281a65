// Copies what pages of the dashboard need from node_modules into the Python package.
//
// Nothing is bundled: each file is small and is fetched once by a browser. The icons that
// icons.txt names become one file of symbols. Node alone is needed, no package of its.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, "node_modules");
const target = join(here, "..", "src", "segue", "web", "static", "vendor");

const read = (...path) => readFileSync(join(packages, ...path), "utf8");
const withoutMap = (text) => text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "\n");

const files = {
  "oat.css": read("@knadh/oat", "oat.min.css"),
  "htmx.js": read("htmx.org", "dist", "htmx.min.js"),
  "htmx-sse.js": read("htmx.org", "dist", "ext", "hx-sse.min.js"),
  "dagre.js": read("@dagrejs/dagre", "dist", "dagre.esm.js"),
  // The minified form is a script that makes a variable; as a module it is half as large as theirs.
  "uplot.js": `${read("uplot", "dist", "uPlot.iife.min.js")}\nexport default uPlot;\n`,
  "uplot.css": read("uplot", "dist", "uPlot.min.css"),
  "icons.svg": icons(),
  "LICENSES.txt": licences(),
};

function icons() {
  const names = readFileSync(join(here, "icons.txt"), "utf8").split("\n").filter(Boolean);
  const symbols = names.map((name) => {
    const svg = read("lucide-static", "icons", `${name}.svg`);
    const shapes = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
    const body = shapes.replace(/\s*\n\s*/g, " ").trim();
    return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" `
      + `stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${body}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

function licences() {
  const { dependencies } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  const whole = Object.entries(dependencies).map(
    ([name, version]) => `${name} ${version}\n\n${read(name, "LICENSE").trim()}\n`,
  );
  return whole.join(`\n${"-".repeat(80)}\n\n`);
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
for (const [name, text] of Object.entries(files)) {
  writeFileSync(join(target, name), withoutMap(text));
}
