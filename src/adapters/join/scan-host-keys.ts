import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { OperationError } from "../../ports/operation-error.ts";

export interface HostKey {
  /** As it stands in known_hosts. */
  readonly line: string;
  readonly type: string;
  /** As ssh and forges show it: `SHA256:…`. */
  readonly fingerprint: string;
}

const SCAN_SECONDS = 10;
const TYPES = "ed25519,ecdsa,rsa";

/** The keys that answer at that host, which nobody has to believe yet. Rejects with `source-unreachable` or `ssh-missing`. */
export async function scanHostKeys(host: string, port: number | null): Promise<readonly HostKey[]> {
  const words = ["-T", String(SCAN_SECONDS), "-t", TYPES, ...(port === null ? [] : ["-p", String(port)]), "--", host];
  const output = await new Promise<string>((resolve, reject) => {
    const options = { timeout: 2 * SCAN_SECONDS * 1000, maxBuffer: 64 * 1024 };
    execFile("ssh-keyscan", words, options, (error, stdout) => {
      if (error?.code === "ENOENT") {
        const next = "install openssh-client, or use the repository's https address";
        reject(new OperationError("ssh-missing", "there is no ssh-keyscan on this machine", { next }));
      } else resolve(stdout);
    });
  });
  const keys = output.split("\n").flatMap((line) => {
    const [, type, key] = /^[^#\s]\S* (ssh-\S+|ecdsa-\S+) ([A-Za-z0-9+/=]+)$/.exec(line) ?? [];
    if (type === undefined || key === undefined) return [];
    const digest = createHash("sha256").update(Buffer.from(key, "base64")).digest("base64").replace(/=+$/, "");
    return [{ line, type, fingerprint: `SHA256:${digest}` }];
  });
  if (keys.length > 0) return keys;
  throw new OperationError("source-unreachable", `no ssh server answers at ${host}${port === null ? "" : `:${port}`}`, {
    next: "check the address and the network",
  });
}

/** As known_hosts writes a host (sshd(8)). */
export function knownHostName(host: string, port: number | null): string {
  return port === null || port === 22 ? host : `[${host}]:${port}`;
}
