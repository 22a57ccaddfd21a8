import type { NodeKey } from "../identity/node-key.ts";
import type { MachineId } from "../names.ts";
import type { Admission } from "./admission.ts";

/** A machine that asks to join, as it says itself; that it has the key is proved by its connection. */
export interface JoinCaller {
  readonly machine: MachineId;
  /** As its user chose, or the host name. */
  readonly name: string;
  /** A user chose it. */
  readonly isNamed: boolean;
  readonly key: NodeKey;
  readonly bootId: string;
}

/** A machine as git lists it: its stanza's name, and what the stanza says. */
export interface ListedMachine {
  readonly name: string;
  readonly machine: MachineId | null;
  readonly key: NodeKey | null;
}

/** What there is to hold a caller against. */
export interface KnownMachines {
  readonly listed: readonly ListedMachine[];
  readonly admitted: readonly Admission[];
  /** The boot that is present under the caller's machine id; null: none is. */
  readonly presentBoot: string | null;
}

export type CallerStanding =
  /** Git lists this very key for it: it may come in. */
  | { readonly code: "listed"; readonly name: string }
  /** A token let it in. */
  | { readonly code: "admitted"; readonly name: string }
  /** Git lists the machine, and no key for it: one line is missing. */
  | { readonly code: "keyless"; readonly name: string }
  /** Nobody knows it yet: a commit, or a token. */
  | { readonly code: "unlisted" }
  | CallerRefusal;

export type CallerRefusal =
  /** Another key has this machine's id. */
  | { readonly code: "duplicate-id"; readonly name: string; readonly by: "git" | "token" }
  /** Another machine id has this key: a copy of an image that was made after its key. */
  | { readonly code: "cloned-key"; readonly name: string; readonly machine: MachineId }
  /** Another boot is present with the same id and key: a copy that runs beside what it was copied from. */
  | { readonly code: "cloned-machine"; readonly name: string; readonly bootId: string }
  /** Another machine has its name. */
  | { readonly code: "name-taken"; readonly name: string };

/** Who may not come in, whatever is committed: what has to change is on the machine. */
export function isRefused(standing: CallerStanding): standing is CallerRefusal {
  return ["duplicate-id", "cloned-key", "cloned-machine", "name-taken"].includes(standing.code);
}

/** What a machine that asks is to the cluster. Git's word counts before a token's, as soon as git says anything of the machine. */
export function judgeCaller(caller: JoinCaller, known: KnownMachines): CallerStanding {
  const listed = known.listed.find(({ machine }) => machine === caller.machine);
  const admitted = known.admitted.find(({ machine }) => machine === caller.machine);
  if (listed !== undefined && listed.key !== null && listed.key !== caller.key) {
    return { code: "duplicate-id", name: listed.name, by: "git" };
  }
  const clone = cloneOf(caller, known);
  if (clone !== null) return clone;
  if (listed?.key === caller.key) return present(caller, known, { code: "listed", name: listed.name });
  if (admitted !== undefined) {
    if (admitted.key !== caller.key) return { code: "duplicate-id", name: admitted.name, by: "token" };
    return present(caller, known, { code: "admitted", name: admitted.name });
  }
  if (listed !== undefined) return { code: "keyless", name: listed.name };
  return isNameTaken(caller.name, caller.machine, known)
    ? { code: "name-taken", name: caller.name }
    : { code: "unlisted" };
}

/** Whether another machine has this name. */
export function isNameTaken(
  name: string,
  machine: MachineId,
  { listed, admitted }: Pick<KnownMachines, "listed" | "admitted">,
): boolean {
  return [...listed, ...admitted].some((one) => one.name === name && one.machine !== null && one.machine !== machine);
}

/** Whose key it is already, under another id. */
function cloneOf(caller: JoinCaller, { listed, admitted }: KnownMachines): CallerRefusal | null {
  const isOther = ({ key, machine }: { readonly key: NodeKey | null; readonly machine: MachineId | null }) =>
    key === caller.key && machine !== null && machine !== caller.machine;
  const other = listed.find(isOther) ?? admitted.find(isOther);
  return other === undefined ? null : { code: "cloned-key", name: other.name, machine: other.machine! };
}

function present(
  caller: JoinCaller,
  { presentBoot }: KnownMachines,
  standing: CallerStanding & { readonly name: string },
): CallerStanding {
  if (presentBoot === null || presentBoot === caller.bootId) return standing;
  return { code: "cloned-machine", name: standing.name, bootId: presentBoot };
}
