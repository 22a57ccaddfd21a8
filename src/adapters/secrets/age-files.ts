import { type KeyObject, randomBytes } from "node:crypto";
import { armor, Decrypter, Encrypter, Stanza } from "age-encryption";
import type { NodeKey } from "../../domain/identity/node-key.ts";
import { SECRET_BYTES_MAX, VERSION_STANZA } from "../../domain/secret/secret-header.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { machineIdentity, machineRecipient } from "./machine-recipient.ts";

/** Whom a file is for; at least one of them. */
export interface SecretRecipients {
  readonly machines: readonly NodeKey[];
  /** `age1…`, of people. */
  readonly people: readonly string[];
}

/** What reads a file: a machine's key, or a person's `AGE-SECRET-KEY-1…`. */
export type SecretIdentity = { readonly machine: KeyObject; readonly key: NodeKey } | { readonly person: string };

/** A version for a value that is new: by chance, so that it says nothing of the value. */
export function newSecretVersion(): string {
  return randomBytes(12).toString("base64url");
}

/**
 * An armored age file of that value for those recipients, with that version in its sealed header. Rejects with OperationError
 * `secret-too-large`, `no-recipients`, `bad-recipient`.
 */
export async function encryptSecret(value: Uint8Array, to: SecretRecipients, version: string): Promise<string> {
  if (value.length > SECRET_BYTES_MAX) {
    throw new OperationError(
      "secret-too-large",
      `a secret has at most ${SECRET_BYTES_MAX} bytes, and this one has more`,
      {
        next: "keep data out of it: encrypt the key to it",
      },
    );
  }
  if (to.machines.length + to.people.length === 0) {
    throw new OperationError("no-recipients", "there is nobody to encrypt to", {
      next: "list a machine with its key: in the manifest (fleet join prints it), or a person's age key in secrets: { recipients: [age1…] }",
    });
  }
  const encrypter = new Encrypter();
  for (const key of to.machines) encrypter.addRecipient(machineRecipient(key));
  for (const person of to.people) addPerson(encrypter, person);
  encrypter.addRecipient({ wrapFileKey: () => [new Stanza([VERSION_STANZA, version], new Uint8Array())] });
  return armor.encode(await encrypter.encrypt(value));
}

/** The value of an armored age file. Rejects with OperationError `secret-unreadable`, which says nothing of what was read. */
export async function decryptSecret(text: string, identities: readonly SecretIdentity[]): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  for (const identity of identities) {
    if ("machine" in identity) decrypter.addIdentity(machineIdentity(identity.machine, identity.key));
    else addIdentity(decrypter, identity.person);
  }
  try {
    return await decrypter.decrypt(armor.decode(text));
  } catch (error) {
    const isOthers = error instanceof Error && error.message.startsWith("no identity matched");
    throw new OperationError("secret-unreadable", isOthers ? "it is encrypted to other keys" : "it is damaged");
  }
}

function addPerson(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch {
    throw new OperationError("bad-recipient", `${recipient} is no recipient of age`, {
      next: "age-keygen -y FILE prints one: age1 and 58 letters and digits",
    });
  }
}

function addIdentity(decrypter: Decrypter, identity: string): void {
  try {
    decrypter.addIdentity(identity);
  } catch {
    throw new OperationError("bad-identity", "a line of the identity file is no identity of age", {
      next: "it holds lines AGE-SECRET-KEY-1…, as age-keygen writes them",
    });
  }
}
