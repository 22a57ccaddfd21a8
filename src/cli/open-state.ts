import { open } from "node:fs/promises";
import { sha256 } from "../adapters/sha256.ts";
import { StateRegistry } from "../adapters/state/state-registry.ts";
import { decodeState, STATE_CHARACTERS_MAX } from "../codec/cluster-state.ts";
import type { NodeKey } from "../domain/identity/node-key.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { agoText } from "./views/duration-text.ts";

/** What `fleet registry state` has written, or the error that says why it is not that. A signature that it has is its signer's. */
export async function openState(path: string): Promise<StateRegistry> {
  const text = await readState(path).catch((cause: unknown) => {
    throw new OperationError("state-unreadable", `cannot read the state ${path}`, { cause, next: STATE_NEXT });
  });
  const decoded = decodeState(text, sha256);
  const refused = (problem: string) =>
    new OperationError("state-refused", `${path} is no state this fleet can use: ${problem}`, { next: STATE_NEXT });
  if (decoded.kind === "newer") throw refused(`it is of version ${decoded.version}`);
  if (decoded.kind === "damaged") throw refused(decoded.problem);
  const { state, seal } = decoded;
  if (seal === null) return new StateRegistry(state, null);
  const { isSignedBy } = await import("../adapters/identity/key-signature.ts");
  if (!isSignedBy(seal.key, seal.bytes, seal.signature)) throw refused(`${seal.key} has not signed this`);
  return new StateRegistry(state, seal.key);
}

const STATE_NEXT = "write one where the cluster can be reached: fleet registry state FILE";

/** That what is shown is as old as a file, and whose word it is; null where the registry itself was asked. `nameOf`: of a key's owner. */
export function stateAgeText(
  registry: Registry | null,
  nowMs: number,
  nameOf: (key: NodeKey) => string = (key) => key,
): string | null {
  if (!(registry instanceof StateRegistry)) return null;
  const { at, signer } = registry;
  const whose = signer === null ? "nobody signed that" : `signed by ${nameOf(signer)}`;
  return `the cluster is shown as it was ${agoText(at, nowMs) || at}; ${whose}`;
}

async function readState(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > STATE_CHARACTERS_MAX)
      throw new Error(`it has ${size} bytes, more than the ${STATE_CHARACTERS_MAX} allowed`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
