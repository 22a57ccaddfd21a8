import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { chown, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";

/** In a daemon's state folder, in OpenSSH's own form, for ssh takes no other one of ed25519. */
export const DEPLOY_KEY_FILE = "deploy-key";
/** Beside it: the hosts whose keys somebody has compared. */
export const KNOWN_HOSTS_FILE = "known_hosts";

const TYPE = "ssh-ed25519";

/**
 * The public line of this machine's deploy key, as forges take it; the key is made where there is none, and stays on the machine. Each of these
 * folders gets it, for whoever owns the folder: ssh refuses a key that others may read.
 */
export async function ensureDeployKey(stateFolders: readonly string[], comment: string): Promise<string> {
  const known = await Promise.all(stateFolders.map((folder) => readIfThere(join(folder, DEPLOY_KEY_FILE))));
  const text = known.find((each) => each !== null) ?? make(comment);
  for (const folder of stateFolders) await giveTo(folder, DEPLOY_KEY_FILE, text);
  return publicLineOf(text, comment);
}

/** Into a state folder, for its owner alone. */
export async function giveTo(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  if ((await readIfThere(path)) === text) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(path, text, { mode: 0o600 });
  const { uid, gid } = await stat(folder);
  await chown(path, uid, gid);
}

export async function readIfThere(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return null;
    throw new OperationError("disk-error", `cannot read ${path}`, { cause });
  });
}

/** PROTOCOL.key of OpenSSH, without a passphrase: a daemon has nobody to ask. */
function make(comment: string): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d, x } = privateKey.export({ format: "jwk" });
  const [seed, raw] = [Buffer.from(d!, "base64url"), Buffer.from(x!, "base64url")];
  const check = randomBytes(4);
  const secret = [check, check, ...strings(TYPE, raw, Buffer.concat([seed, raw]), comment)];
  const length = secret.reduce((sum, part) => sum + part.length, 0);
  // Whole blocks of eight bytes, filled up with 1, 2, 3, …
  const padding = Buffer.from(Array.from({ length: (8 - (length % 8)) % 8 }, (_, at) => at + 1));
  const count = Buffer.from([0, 0, 0, 1]);
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...strings("none", "none", ""),
    count,
    ...strings(Buffer.concat(strings(TYPE, raw)), Buffer.concat([...secret, padding])),
  ]);
  const lines = whole.toString("base64").match(/.{1,70}/g)!;
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/** The public half stands in front of the private one, in the clear. */
function publicLineOf(text: string, comment: string): string {
  const bytes = Buffer.from(text.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const at = bytes.indexOf(TYPE);
  const raw = bytes.subarray(at + TYPE.length + 4, at + TYPE.length + 36);
  if (at < 0 || raw.length !== 32) {
    throw new OperationError("key-malformed", `${DEPLOY_KEY_FILE} is no ed25519 private key of OpenSSH`, {
      next: "remove it; the next join makes another one, which the forge is to be given",
    });
  }
  // What is no point of the curve is no key.
  createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, format: "jwk" });
  return `${TYPE} ${Buffer.concat(strings(TYPE, raw)).toString("base64")} ${comment}`;
}

/** RFC 4251's string: the length, then the bytes. */
function strings(...parts: readonly (string | Buffer)[]): Buffer[] {
  return parts.flatMap((part) => {
    const bytes = Buffer.from(part as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
}
