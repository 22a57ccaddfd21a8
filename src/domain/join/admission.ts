import type { NodeKey } from "../identity/node-key.ts";
import type { MachineId } from "../names.ts";

/** A machine that a token let in, until git lists it. Whether it gets units is said by `admit:` in git, as of any other. */
export interface Admission {
  readonly machine: MachineId;
  readonly name: string;
  readonly key: NodeKey;
  /** What the token gave it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Who made the token. */
  readonly by: string;
  /** Milliseconds since the epoch, by the clock of the engine that let it in. */
  readonly atMs: number;
  /** Hash of the token, so that whoever shows it again is told who used it. */
  readonly token: string;
}
