import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** What goes wrong on the way. `cut` ends the connection after that many bytes of each answer's body; `drip` sends a byte a second. */
export type ServerFault =
  | { kind: "cut"; afterBytes: number }
  | { kind: "silent" }
  | { kind: "drip" }
  | { kind: "status"; status: number };

export interface GitHttpServer {
  /** Serves the repository at `/repo.git`. */
  readonly url: string;
  /** Null: works. Faults hit the paths `only` matches. */
  fault: (ServerFault & { only?: RegExp }) | null;
  /** Answers sent so far, `path bytes`, to see what was transferred. */
  readonly answers: { readonly path: string; readonly bytes: number }[];
  /** Headers of the last request. */
  lastHeaders: IncomingMessage["headers"];
  close(): Promise<void>;
}

/** git's own `git http-backend` behind node:http on a free loopback port: the real protocol from the real server. */
export async function serveGitRepository(gitFolder: string): Promise<GitHttpServer> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => answer(request, response));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const served: GitHttpServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/repo.git`,
    fault: null,
    answers: [],
    lastHeaders: {},
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function answer(request: IncomingMessage, response: ServerResponse): void {
    served.lastHeaders = request.headers;
    const url = new URL(request.url ?? "/", "http://localhost");
    const path = url.pathname.replace(/^\/repo\.git/, "");
    const fault = served.fault?.only === undefined || served.fault.only.test(path) ? served.fault : null;
    if (fault?.kind === "silent") return;
    if (fault?.kind === "status") {
      response
        .writeHead(fault.status, fault.status < 400 ? { location: "https://elsewhere.example/repo.git" } : {})
        .end();
      return;
    }
    const backend = spawn("git", ["http-backend"], {
      env: {
        PATH: process.env.PATH,
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_PROJECT_ROOT: gitFolder,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: path,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        CONTENT_LENGTH: request.headers["content-length"] ?? "",
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
        REMOTE_ADDR: "127.0.0.1",
      },
      stdio: ["pipe", "pipe", "inherit"],
    });
    request.pipe(backend.stdin);
    backend.stdin.on("error", () => backend.stdin.destroy());
    const chunks: Buffer[] = [];
    backend.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    backend.on("close", () => {
      const output = Buffer.concat(chunks);
      const bodyAt = output.indexOf("\r\n\r\n") + 4;
      const headers = output.subarray(0, bodyAt).toString("latin1").trim().split("\r\n");
      const status = headers.find((line) => line.startsWith("Status: "))?.slice(8, 11);
      for (const line of headers) {
        const colon = line.indexOf(":");
        if (!line.startsWith("Status:")) response.setHeader(line.slice(0, colon), line.slice(colon + 1).trim());
      }
      response.statusCode = Number(status ?? 200);
      const body = output.subarray(bodyAt);
      served.answers.push({ path, bytes: body.length });
      if (fault?.kind === "cut" && body.length > fault.afterBytes) {
        response.setHeader("content-length", body.length);
        response.write(body.subarray(0, fault.afterBytes), () => response.destroy());
      } else if (fault?.kind === "drip") drip(response, body);
      else response.end(body);
    });
  }
  return served;
}

function drip(response: ServerResponse, body: Buffer): void {
  let sent = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(sent, ++sent));
  }, 20);
  response.on("close", () => clearInterval(timer));
}
