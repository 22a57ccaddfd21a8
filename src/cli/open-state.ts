import { open } from "node:fs/promises";
import { sha256 } from "../adapters/sha256.ts";
import { StateRegistry } from "../adapters/state/state-registry.ts";
import { decodeState, STATE_CHARACTERS_MAX } from "../codec/cluster-state.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { agoText } from "./views/duration-text.ts";

/** What `fleet registry state` has written, or the error that says why it is not that. */
export async function openState(path: string): Promise<StateRegistry> {
  const text = await readState(path).catch((cause: unknown) => {
    throw new OperationError("state-unreadable", `cannot read the state ${path}`, { cause, next: STATE_NEXT });
  });
  const decoded = decodeState(text, sha256);
  if (decoded.kind === "state") return new StateRegistry(decoded.state);
  const problem = decoded.kind === "newer" ? `it is of version ${decoded.version}` : decoded.problem;
  throw new OperationError("state-refused", `${path} is no state this fleet can use: ${problem}`, { next: STATE_NEXT });
}

const STATE_NEXT = "write one where the cluster can be reached: fleet registry state FILE";

/** That what is shown is as old as a file; null where the registry itself was asked. */
export function stateAgeText(registry: Registry | null, nowMs: number): string | null {
  return registry instanceof StateRegistry
    ? `the cluster is shown as it was ${agoText(registry.at, nowMs) || registry.at}`
    : null;
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
