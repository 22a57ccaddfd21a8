import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";

/** PKCS8 PEM like every other key of ours; whoever fetches by it writes it in the form its ssh wants. */
const FILE = "deploy-key.pem";

/** The public line of this machine's deploy key, as forges take it; the key is made where there is none, and stays on the machine. */
export async function ensureDeployKey(stateFolder: string, comment: string): Promise<string> {
  const folder = join(stateFolder, "identity");
  const path = join(folder, FILE);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const known = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw new OperationError("disk-error", `cannot read ${path}`, { cause: error });
  });
  const key = known === null ? await make(path) : createPrivateKey(known);
  return publicLine(key, comment);
}

async function make(path: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeFile(path, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
  await chmod(path, 0o600);
  return privateKey;
}

/** RFC 8709: the type's name, then the 32 bytes, each with its length before it. */
function publicLine(key: KeyObject, comment: string): string {
  const raw = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x!, "base64url");
  const blob = Buffer.concat([Buffer.from("ssh-ed25519"), raw].flatMap((part) => [length(part), part]));
  return `ssh-ed25519 ${blob.toString("base64")} ${comment}`;
}

function length(part: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(part.length);
  return bytes;
}
