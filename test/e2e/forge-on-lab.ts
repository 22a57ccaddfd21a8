import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labFolder, needLab } from "../../src/lab/lab-state.ts";
import type { ClusterOnLab } from "./cluster-on-lab.ts";
import { LAB_NAME } from "./lab-name.ts";

/** What a chat server was told. */
export interface Told {
  readonly event: string;
  readonly text: string;
  readonly commit?: string;
  readonly unit?: string;
}

/** What a forge was posted beside a commit. */
export interface PostedStatus {
  readonly path: string;
  readonly authorization: string;
  readonly state: string;
  readonly context: string;
}

const TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";

/** A chat server, and who the lab's machines take for api.github.com: on the host's side of the lab's bridge, and reached by nobody else. */
export class ForgeOnLab {
  readonly told: Told[] = [];
  readonly statuses: PostedStatus[] = [];
  readonly #servers: Server[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "fleet-e2e-forge-"));
  /** For `notify:` in the manifest. */
  webhook = "";
  readonly token = TOKEN;

  static async up(cluster: ClusterOnLab, machines: readonly string[]): Promise<ForgeOnLab> {
    const forge = new ForgeOnLab();
    const { hostAddress } = needLab(LAB_NAME);
    const chat = createHttpServer((request, response) =>
      forge.#answer(request, response, 200, (body) => forge.told.push(body as Told)),
    );
    forge.webhook = `http://${hostAddress}:${await forge.#listen(chat, hostAddress, 0)}/hook`;
    const { key, certificate } = forge.#certificate();
    const api = createHttpsServer({ key, cert: certificate }, (request, response) =>
      forge.#answer(request, response, 201, (body) => {
        const { state, context } = body as Pick<PostedStatus, "state" | "context">;
        const { authorization = "" } = request.headers;
        forge.statuses.push({ path: request.url ?? "", authorization, state, context });
      }),
    );
    await forge.#listen(api, hostAddress, 443);
    writeFileSync(join(labFolder(LAB_NAME), "shared", "forge.pem"), certificate);
    const believed = "[Service]\nEnvironment=NODE_EXTRA_CA_CERTS=/opt/fleet/shared/forge.pem\n";
    const script = `echo "$1 api.github.com" >> /etc/hosts
echo "$2" > /etc/fleet/forge-token
mkdir -p /run/systemd/system/fleet-engine.service.d
printf %s "$3" > /run/systemd/system/fleet-engine.service.d/forge.conf
systemctl daemon-reload && systemctl restart fleet-engine`;
    await Promise.all(
      machines.map((machine) => cluster.inside(machine, "sh", "-c", script, "sh", hostAddress, TOKEN, believed)),
    );
    return forge;
  }

  down(): void {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(this.#folder, { recursive: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse, code: number, take: (body: unknown) => void): void {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      take(JSON.parse(text));
      response.writeHead(code).end();
    });
  }

  async #listen(server: Server, host: string, port: number): Promise<number> {
    server.listen(port, host);
    await once(server, "listening");
    this.#servers.push(server);
    return (server.address() as { port: number }).port;
  }

  #certificate(): { readonly key: string; readonly certificate: string } {
    const [key, certificate] = [join(this.#folder, "key.pem"), join(this.#folder, "certificate.pem")];
    const made = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-keyout",
      key,
      "-out",
      certificate,
    ];
    const names = ["-subj", "/CN=api.github.com", "-addext", "subjectAltName=DNS:api.github.com"];
    execFileSync("openssl", ["req", "-x509", "-days", "2", ...made, ...names], { stdio: "pipe" });
    return { key: readFileSync(key, "utf8"), certificate: readFileSync(certificate, "utf8") };
  }
}
