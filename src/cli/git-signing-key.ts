import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { OperationError } from "../ports/operation-error.ts";

export interface SigningKey {
  /** `ssh-ed25519 AAAA… comment`. */
  readonly publicKey: string;
  /** Whom the line of signers names. */
  readonly principal: string;
  /** Whether git signs each commit without being asked to. */
  readonly isAutomatic: boolean;
}

const GIT_TIMEOUT_MS = 10_000;
const SET_UP =
  "git config gpg.format ssh && git config user.signingkey ~/.ssh/id_ed25519.pub && git config commit.gpgsign true";

/** The key git signs with in that repository, as its configuration says; a file or a name given wins. */
export async function gitSigningKey(
  directory: string,
  given: { readonly key?: string | undefined; readonly principal?: string | undefined },
): Promise<SigningKey> {
  const config = (name: string) => gitConfig(directory, name);
  const [format = null, configured = null, email = null, automatic = null] = await Promise.all(
    ["gpg.format", "user.signingkey", "user.email", "commit.gpgsign"].map(config),
  );
  const principal = given.principal ?? email;
  if (principal === null) {
    throw new OperationError("no-principal", "git does not know your e-mail address here", {
      next: "git config user.email you@example.org, or give --principal",
    });
  }
  const isAutomatic = automatic === "true";
  if (given.key !== undefined) return { publicKey: await readKey(given.key), principal, isAutomatic };
  if (configured === null || format !== "ssh") {
    const what = configured === null ? "git has no signing key here" : "git does not sign with SSH keys here";
    throw new OperationError("no-signing-key", what, { next: `${SET_UP}; or give --key FILE.pub` });
  }
  const literal = configured.replace(/^key::/, "");
  const isLiteral = literal !== configured || configured.startsWith("ssh-");
  const publicKey = isLiteral ? literal : await readKey(resolve(directory, fromHome(configured)));
  return { publicKey, principal, isAutomatic };
}

/** The public half also where the private one is named, as git itself does. */
async function readKey(path: string): Promise<string> {
  const file = !path.endsWith(".pub") && existsSync(`${path}.pub`) ? `${path}.pub` : path;
  try {
    const text = await readFile(file, "utf8");
    if (/^-----BEGIN/.test(text)) throw new Error("it is a private key, and its public half is not beside it");
    return text;
  } catch (cause) {
    throw new OperationError("key-unreadable", `cannot read the public key ${file}`, {
      cause,
      next: "give --key with the path of a .pub file",
    });
  }
}

function fromHome(path: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
}

async function gitConfig(directory: string, name: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)("git", ["-C", directory, "config", "--get", name], {
      timeout: GIT_TIMEOUT_MS,
    });
    return stdout.trim() || null;
  } catch {
    // Not set, or no git: what is missing is said by whoever needs it.
    return null;
  }
}
