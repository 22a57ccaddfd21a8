import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** Requests of one lab: a few machines polling. More at once are told to come again. */
const REQUESTS_MAX = 64;
/** A clone of a lab's repository takes a moment; a request that takes this long has no reader any more. */
const REQUEST_TIMEOUT_MS = 120_000;

/** Serves one repository's `.git` folder at `/repo.git`, read-only, through git's own `git http-backend`; until the signal aborts. */
export async function serveSource(
  gitFolder: string,
  address: { host: string; port: number },
  signal: AbortSignal,
): Promise<void> {
  let open = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://lab");
    const writes = url.pathname.endsWith("git-receive-pack") || url.searchParams.get("service") === "git-receive-pack";
    if (!url.pathname.startsWith("/repo.git/") || writes) return void response.writeHead(403).end();
    if (open >= REQUESTS_MAX) return void response.writeHead(503, { "retry-after": "1" }).end();
    open++;
    response.once("close", () => open--);
    answer(gitFolder, url, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, resolve);
  });
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  server.closeAllConnections();
  server.close();
}

function answer(gitFolder: string, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const backend = spawn(
    "git",
    ["-c", "safe.directory=*", "-c", "uploadpack.allowAnySHA1InWant=false", "http-backend"],
    {
      env: {
        PATH: process.env.PATH,
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "safe.directory",
        GIT_CONFIG_VALUE_0: "*",
        GIT_PROJECT_ROOT: gitFolder,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: url.pathname.slice("/repo.git".length),
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        CONTENT_LENGTH: request.headers["content-length"] ?? "",
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
        REMOTE_ADDR: request.socket.remoteAddress ?? "",
      },
      stdio: ["pipe", "pipe", "inherit"],
      timeout: REQUEST_TIMEOUT_MS,
      killSignal: "SIGKILL",
    },
  );
  backend.once("error", () => response.writeHead(500).end());
  backend.stdin.on("error", () => backend.stdin.destroy()); // git need not read all of a request it refuses.
  request.pipe(backend.stdin);
  response.once("close", () => backend.kill("SIGKILL"));
  let head: Buffer | null = Buffer.alloc(0);
  backend.stdout.on("data", (chunk: Buffer) => {
    if (head === null) {
      if (!response.write(chunk)) {
        backend.stdout.pause();
        response.once("drain", () => backend.stdout.resume());
      }
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    writeHead(response, head.subarray(0, end).toString("latin1"));
    response.write(head.subarray(end + 4));
    head = null;
  });
  backend.stdout.once("end", () => response.end());
}

/** The CGI headers: a status, if it is not 200, and the rest as they are. */
function writeHead(response: ServerResponse, text: string): void {
  const headers = text
    .split("\r\n")
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const);
  const status = headers.find(([name]) => name.toLowerCase() === "status")?.[1];
  for (const [name, value] of headers) if (name.toLowerCase() !== "status") response.setHeader(name, value);
  response.statusCode = Number(status?.slice(0, 3) ?? 200);
}
