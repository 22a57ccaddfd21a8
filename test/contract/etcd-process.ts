import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { KV_METHODS, MAINTENANCE_METHODS } from "../../src/adapters/etcd-proto/etcd-proto.ts";

/** A cold etcd answers within 2 s on an idle machine; ours are busy. */
const START_LIMIT_MS = 20_000;

/** A port with TLS that asks for client certificates of that authority: their common names are etcd's users. Files are PEM. */
export interface EtcdTls {
  readonly port: number;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

function tlsArguments(tls: EtcdTls | null): string[] {
  if (tls === null) return [];
  return [
    "--client-cert-auth",
    "--trusted-ca-file",
    tls.authority,
    "--cert-file",
    tls.certificate,
    "--key-file",
    tls.key,
  ];
}

/** A real etcd of one member in a folder of its own, on free ports of the loopback. */
export class EtcdProcess {
  readonly port: number;
  readonly #binary: string;
  readonly #folder: string;
  readonly #peerPort: number;
  readonly #extraArguments: readonly string[];
  readonly #tls: EtcdTls | null;
  #child: ChildProcess | null = null;

  private constructor(
    binary: string,
    ports: readonly [number, number],
    extraArguments: readonly string[],
    tls: EtcdTls | null,
  ) {
    this.#tls = tls;
    this.#binary = binary;
    [this.port, this.#peerPort] = ports;
    this.#folder = mkdtempSync(join(tmpdir(), "fleet-etcd-"));
    this.#extraArguments = extraArguments;
  }

  /** Rejects with the reason where this machine cannot have that etcd. With `tls` it also listens there. */
  static async start(
    version: "3.4" | "3.5",
    extraArguments: readonly string[] = [],
    tls: EtcdTls | null = null,
  ): Promise<EtcdProcess> {
    const binary = await thirdPartyBinary(`etcd-${version}`);
    const etcd = new EtcdProcess(binary, [await freePort(), await freePort()], extraArguments, tls);
    await etcd.run();
    return etcd;
  }

  get address(): string {
    return `etcd://127.0.0.1:${this.port}`;
  }

  /** The etcd process itself, to stop and continue it. */
  get pid(): number {
    return this.#child!.pid!;
  }

  /** Starts it (again, over the same data) and waits until it serves. */
  async run(): Promise<void> {
    const [client, peer] = [`http://127.0.0.1:${this.port}`, `http://127.0.0.1:${this.#peerPort}`];
    const listens = this.#tls === null ? client : `${client},https://127.0.0.1:${this.#tls.port}`;
    const child = spawn(
      this.#binary,
      [
        ...["--name", "test", "--data-dir", this.#folder, "--log-level", "error"],
        ...["--listen-client-urls", listens, "--advertise-client-urls", client],
        ...tlsArguments(this.#tls),
        ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `test=${peer}`],
        ...this.#extraArguments,
      ],
      { stdio: ["ignore", "ignore", "pipe"], env: { ETCD_UNSUPPORTED_ARCH: process.arch } },
    );
    this.#child = child;
    let said = "";
    child.stderr!.on("data", (chunk) => {
      said = `${said}${chunk}`.slice(-2_000);
    });
    const limit = performance.now() + START_LIMIT_MS;
    while (!(await answers(this.port))) {
      if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}: ${said}`);
      if (performance.now() > limit) throw new Error(`etcd does not answer after ${START_LIMIT_MS} ms: ${said}`);
    }
  }

  /** As a crash would; the data stay. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** Kills it and starts it with nothing: the same cluster by name and id, and all its data gone. */
  async wipe(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
    await this.run();
  }

  /** A copy of its data as they are now, beside them: `restore` puts it back, as somebody would with a snapshot of the disk. */
  async backUp(): Promise<void> {
    await this.kill();
    cpSync(this.#folder, this.#backup, { recursive: true });
    await this.run();
  }

  async restore(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
    cpSync(this.#backup, this.#folder, { recursive: true });
    await this.run();
  }

  get #backup(): string {
    return `${this.#folder}-backup`;
  }

  /** Forgets history before that revision, by a client that is not the one under test. */
  async compact(revision: number): Promise<void> {
    await compactEtcd(`127.0.0.1:${this.port}`, revision);
  }

  async remove(): Promise<void> {
    await this.kill();
    for (const folder of [this.#folder, this.#backup]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Compacts the store behind that gRPC target, fleet's own registry included. */
export async function compactEtcd(target: string, revision: number): Promise<void> {
  const client = new Client(target, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = KV_METHODS.Compact;
  await new Promise<void>((resolve, reject) => {
    const message = { revision: String(revision), physical: true };
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  client.close();
}

/** Waits at most a second for an answer; comes back after 50 ms or more where there is none. */
async function answers(port: number): Promise<boolean> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = MAINTENANCE_METHODS.Status;
  const answered = await new Promise<boolean>((resolve) => {
    const options = { deadline: Date.now() + 1_000 };
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, options, (error, status) => {
      // Without a leader it answers this and refuses everything else.
      const serves = error === null && status!.leader !== "0";
      if (serves) resolve(true);
      else setTimeout(() => resolve(false), 50);
    });
  });
  client.close();
  return answered;
}

/** A port of the loopback nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
