import { createPrivateKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { link, mkdir, open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";
import { diskError } from "../files/disk-error.ts";
import { NodeIdentity } from "./node-identity.ts";

/** The key's file in the folder of an identity. */
export const KEY_FILE = "key.pem";

/** An ed25519 key in PKCS8 PEM has 119 bytes. */
const KEY_BYTES_MAX = 4096;

/**
 * The identity kept in a folder (`<state>/identity`), made where there is none: whoever comes second takes what the first has made. Rejects
 * with OperationError `key-exposed` where others could have read it, `key-malformed`, or as the disk says.
 */
export async function ensureIdentity(folder: string): Promise<NodeIdentity> {
  const path = join(folder, KEY_FILE);
  try {
    return (await readIdentity(folder)) ?? (await makeKey(folder, path));
  } catch (error) {
    throw diskError("write", path, error);
  }
}

/** The identity kept in a folder, or null where there is none. Rejects as `ensureIdentity`. */
export async function readIdentity(folder: string): Promise<NodeIdentity | null> {
  const path = join(folder, KEY_FILE);
  const text = await readKey(path);
  if (text === null) return null;
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyType === "ed25519") return new NodeIdentity(key);
  } catch {
    // What the library says of a key it cannot read may hold parts of it.
  }
  throw new OperationError("key-malformed", `${path} is no ed25519 private key in PKCS8 PEM`, {
    next: "restore it, or remove it and list the key that is made then: fleet join",
  });
}

async function makeKey(folder: string, path: string): Promise<NodeIdentity> {
  // The state folder above is not ours alone.
  await mkdir(dirname(folder), { recursive: true, mode: 0o755 });
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const identity = new NodeIdentity(generateKeyPairSync("ed25519").privateKey);
  const temporary = join(folder, `.${KEY_FILE}.${randomUUID()}`);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(identity.privatePem());
      await file.sync();
    } finally {
      await file.close();
    }
    // A link, because a rename would take the place of a key that another process has just made and shown.
    await link(temporary, path);
  } catch (error) {
    const other = (error as NodeJS.ErrnoException).code === "EEXIST" ? await readIdentity(folder) : null;
    if (other === null) throw error;
    return other;
  } finally {
    await unlink(temporary).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  const entries = await open(folder, constants.O_RDONLY);
  await entries.sync().finally(() => entries.close());
  return identity;
}

/** Looks at the file it has opened, so that nobody exchanges it in between. */
async function readKey(path: string): Promise<string | null> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const about = await file.stat();
      const mode = about.mode & 0o777;
      if (!about.isFile() || about.size > KEY_BYTES_MAX) {
        throw new OperationError("key-malformed", `${path} is not a file of at most ${KEY_BYTES_MAX} bytes`);
      }
      if ((mode & 0o077) !== 0) throw exposed(path, `has mode ${mode.toString(8).padStart(4, "0")}`);
      if (about.uid !== 0 && about.uid !== process.geteuid?.()) throw exposed(path, `belongs to user ${about.uid}`);
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    if (code === "ELOOP") throw new OperationError("key-malformed", `${path} is a symbolic link`, { cause: error });
    throw diskError("read", path, error);
  }
}

function exposed(path: string, how: string): OperationError {
  return new OperationError("key-exposed", `others could have read the private key: ${path} ${how}`, {
    next: "remove it and list the key that is made then (fleet join); if nobody had access: chmod 600, chown",
  });
}
