import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { defineConfig } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));
const built = fileURLToPath(new URL("../src/lockleaf/app/page/", import.meta.url));

// What the build is made from, as tests/unit/app/test_page_sources.py counts it: names and contents, in order.
function sourcesDigest() {
  const files = ["index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.js"];
  for (const folder of ["public", "src"]) {
    for (const entry of readdirSync(join(here, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) files.push(join(entry.parentPath ?? entry.path, entry.name).slice(here.length).replaceAll("\\", "/"));
    }
  }
  const digest = createHash("sha256");
  for (const name of files.sort()) {
    digest.update(name + "\0" + createHash("sha256").update(readFileSync(join(here, name))).digest("hex") + "\n");
  }
  return digest.digest("hex");
}

let target = built;

export default defineConfig({
  base: "./",
  // Markdown's parser asks for one of HTML, with CSS and JavaScript inside: nobody writes those in a journal.
  resolve: { alias: { "@codemirror/lang-html": join(here, "src/editor/no-html.ts") } },
  build: {
    outDir: built,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  plugins: [
    {
      name: "say-what-it-was-built-from",
      configResolved: (config) => (target = config.build.outDir),
      closeBundle() {
        for (const [name, font] of [["inter", "@fontsource-variable/inter"], ["literata", "@fontsource/literata"]]) {
          copyFileSync(join(here, "node_modules", font, "LICENSE"), join(target, `assets/${name}.OFL.txt`));
        }
        writeFileSync(join(target, "sources.sha256"), sourcesDigest() + "\n");
      },
    },
  ],
  server: { proxy: { "/api": "http://127.0.0.1:8791", "/open": "http://127.0.0.1:8791" } },
});
