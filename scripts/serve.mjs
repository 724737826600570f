/**
 * `npm run web`: serves the demo page to this machine's browser, under a content policy that lets in nothing from
 * elsewhere. The browser tests serve with it too.
 */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

/** The library alone needs no more than this. */
export const LIBRARY_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'";
/** The demo shows pictures that the visitor chose, and has a style sheet. */
export const PAGE_POLICY = `${LIBRARY_POLICY}; style-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'none'`;

const fromRoot = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** What the demo page is made of: address prefix and folder, the longest prefix first. */
export const PAGE_FOLDERS = {
  "/examples/": fromRoot("examples"),
  "/weights/": fromRoot("weights"),
  "/": fromRoot("dist/web"),
};

/**
 * @param {{
 *   folders: Record<string, string>,
 *   policy?: string,
 *   port?: number,
 *   routes?: Record<string, (response: import("node:http").ServerResponse) => void>,
 * }} options `routes` answer before files do; port 0 takes a free one
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serve({ folders, policy = PAGE_POLICY, port = 0, routes = {} }) {
  const server = createServer((request, response) => {
    const path = pathOf(request.url ?? "/");
    response.setHeader("content-security-policy", policy);
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("cache-control", "no-cache");
    const route = routes[path];
    if (route) return route(response);
    const file = findFile(folders, path);
    if (!file) return void response.writeHead(404).end("not found\n");
    response.setHeader(
      "content-type",
      TYPES[/** @type {keyof TYPES} */ (extname(file.path))] ?? "application/octet-stream",
    );
    response.setHeader("content-length", file.size);
    createReadStream(file.path).pipe(response);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(undefined));
  });
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://localhost:${address.port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** @param {string} url */
function pathOf(url) {
  try {
    return decodeURIComponent(new URL(url, "http://localhost").pathname);
  } catch {
    return ""; // matches nothing
  }
}

/**
 * @param {Record<string, string>} folders
 * @param {string} path
 */
function findFile(folders, path) {
  const prefix = Object.keys(folders).find((start) => path.startsWith(start));
  const folder = prefix && folders[prefix];
  if (!folder) return null;
  const name = path.slice(prefix.length) || "index.html";
  const file = join(folder, name);
  if (!file.startsWith(folder + sep)) return null;
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat?.isFile() ? { path: file, size: stat.size } : null;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const port = Number(process.env.PORT ?? 8080);
  try {
    const { url } = await serve({ folders: PAGE_FOLDERS, port });
    console.log(`demo page: ${url} (Ctrl+C ends it)`);
  } catch (error) {
    console.error(
      error instanceof Error && "code" in error && error.code === "EADDRINUSE"
        ? `port ${port} is taken: set PORT to another`
        : error,
    );
    process.exitCode = 2;
  }
}
