import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { makeKeyPair } from "./ssh-key-pair.ts";

/** A cold sshd answers within a second on an idle machine; ours are busy. */
const START_LIMIT_MS = 20_000;

export interface SshServer {
  readonly port: number;
  /** Files of a client that may come in: its key, and the server's key as known_hosts has it. */
  readonly keyFile: string;
  readonly knownHostsFile: string;
  /** As ssh shows it. */
  readonly fingerprint: string;
  readonly folder: string;
  stop(): void;
}

/** Why there can be none here; false where there can. */
export const noSsh =
  process.geteuid?.() === 0 ? false : "sshd's own folder and user are made in a mount namespace, as root";

/**
 * Debian's own sshd on a free port of the loopback, in a mount namespace where the folder and the user it wants are there. `speaks`: whether it
 * lets GIT_PROTOCOL through, as forges do and Debian's default does not.
 */
export async function startSshServer(speaks: 0 | 2, clientPublicLine?: string): Promise<SshServer> {
  const sshd = await thirdPartyBinary("sshd");
  const folder = mkdtempSync(join(tmpdir(), "fleet-sshd-"));
  const port = await freePort();
  const host = makeKeyPair(join(folder, "host"));
  const client = makeKeyPair(join(folder, "client"));
  writeFileSync(join(folder, "authorized"), `${client.publicLine}\n${clientPublicLine ?? ""}\n`);
  writeFileSync(join(folder, "known_hosts"), `[127.0.0.1]:${port} ${host.publicLine}\n`);
  const passwd = `${readFileSync("/etc/passwd", "utf8").replace(/^sshd:.*\n/m, "")}sshd:x:65534:65534::/run/sshd:/bin/false\n`;
  writeFileSync(join(folder, "passwd"), passwd);
  mkdirSync(join(folder, "empty"));
  chmodSync(join(folder, "empty"), 0o755);
  const config = [
    ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${join(folder, "host")}`, "PidFile none", "UsePAM no"],
    ...["StrictModes no", `AuthorizedKeysFile ${join(folder, "authorized")}`, "PermitRootLogin prohibit-password"],
    ...["PasswordAuthentication no", speaks === 2 ? "AcceptEnv GIT_PROTOCOL" : "AcceptEnv LANG", "LogLevel ERROR"],
  ];
  writeFileSync(join(folder, "config"), `${config.join("\n")}\n`);
  const script = `mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && mount --bind '${join(folder, "passwd")}' /etc/passwd && exec '${sshd}' -D -e -f '${join(folder, "config")}'`;
  const child = spawn("unshare", ["--mount", "--propagation", "private", "/bin/sh", "-c", script], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await untilItAnswers(child, port, () => said);
  return {
    ...{ port, folder, fingerprint: host.fingerprint },
    keyFile: join(folder, "client"),
    knownHostsFile: join(folder, "known_hosts"),
    stop() {
      child.kill("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilItAnswers(child: ChildProcess, port: number, said: () => string): Promise<void> {
  const last = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      execFileSync("ssh-keyscan", ["-T", "2", "-p", String(port), "127.0.0.1"], { stdio: "pipe" });
      return;
    } catch (cause) {
      if (child.exitCode !== null || Date.now() > last) throw new Error(`sshd does not answer: ${said()}`, { cause });
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whose account it is: sshd's clients come in as the user it runs as. */
export const sshUser = userInfo().username;
