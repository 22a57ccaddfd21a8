import { createPrivateKey, createPublicKey } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ensureIdentity, KEY_FILE } from "../adapters/identity/ensure-identity.ts";
import { NodeIdentity, nodeKeyOf } from "../adapters/identity/node-identity.ts";
import type { NodeKey } from "../domain/identity/node-key.ts";
import { OperationError } from "../ports/operation-error.ts";

/**
 * The public key of this machine's engine, which is made where there is none; for root. The engine runs as a user that systemd makes up, and
 * its state is that user's: a key that root makes there is given to whoever owns the folder. systemd itself hands over a folder that is new.
 */
export async function ownEngineKey(stateFolder: string): Promise<NodeKey> {
  const engine = join(stateFolder, "engine");
  const folder = join(engine, "identity");
  const path = join(folder, KEY_FILE);
  if (!existsSync(path)) {
    const { key } = await ensureIdentity(folder);
    const { uid, gid } = await stat(stateFolder);
    for (const made of [path, folder, engine]) await chown(made, uid, gid);
    return key;
  }
  const key = readPublic(await readFile(path));
  if (key !== null) return key;
  throw malformed(path);
}

/**
 * The identity of this machine's engine, for root, who signs what the engine would: nothing is made. Rejects with `no-engine-key` where
 * there is none that this user may read.
 */
export async function ownEngineIdentity(stateFolder: string): Promise<NodeIdentity> {
  const path = join(stateFolder, "engine", "identity", KEY_FILE);
  const pem = await readFile(path).catch((cause: unknown) => {
    throw new OperationError("no-engine-key", `cannot read the engine's key ${path}`, {
      cause,
      next: "do it as root on a machine whose engineKey the manifest lists (fleet join prints it)",
    });
  });
  try {
    return new NodeIdentity(createPrivateKey(pem));
  } catch {
    throw malformed(path); // What the library says of a key it cannot read may hold parts of it.
  }
}

function malformed(path: string): OperationError {
  return new OperationError("key-malformed", `${path} is no ed25519 private key in PKCS8 PEM`, {
    next: "restore it, or remove it and list the key that is made then: fleet join",
  });
}

function readPublic(pem: Buffer): NodeKey | null {
  try {
    return nodeKeyOf(createPublicKey(createPrivateKey(pem)));
  } catch {
    return null; // What the library says of a key it cannot read may hold parts of it.
  }
}
