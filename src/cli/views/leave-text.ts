import type { MachineId, UnitName } from "../../domain/names.ts";
import type { LeftUnits } from "../../usecases/leave-units.ts";
import { printable } from "./printable.ts";

/** What became of the machine's records. */
export type MembershipLeft =
  | { readonly result: "removed" | "no-registry" }
  | { readonly result: "not-removed"; readonly code: string; readonly detail: string };

/** Before anybody says yes. */
export function leavingText(cluster: string | null, owned: readonly UnitName[], keep: boolean): string {
  const what = owned.length === 0 ? "fleet runs nothing here" : `fleet runs ${owned.length} here: ${owned.join(", ")}`;
  const then = keep
    ? "They run on without it; the cluster starts elsewhere what it may."
    : "They are stopped and removed; those it took over from somebody run on as theirs.";
  return printable(
    [
      `leave ${cluster ?? "a cluster this machine has not come into yet"}: ${what}`,
      ...(owned.length === 0 ? [] : [`  ${then}`]),
    ].join("\n"),
  );
}

interface Left extends LeftUnits {
  readonly cluster: string | null;
  readonly machine: MachineId;
  /** Null: there was no cluster to be a member of. */
  readonly membership: MembershipLeft | null;
}

/** What was done, and what others have to do yet. */
export function leftText(
  { cluster, machine, kept, removed, givenBack, shadowed, membership }: Left,
  manifest: string,
): string {
  return printable(
    [
      ...line("stopped and removed", removed),
      ...line("run on, from /etc/systemd/system", kept),
      ...line("back to their owner's files, and run on", givenBack),
      ...line("not kept, somebody else has a file of that name in /etc/systemd/system", shadowed),
      cluster === null ? "this machine is of no cluster" : `this machine has left ${cluster}`,
      ...membershipLines(membership, machine),
      ...(cluster === null
        ? []
        : [`next: remove the stanza with id ${machine} from machines: in ${manifest}, commit, push and apply`]),
    ].join("\n"),
  );
}

function membershipLines(membership: MembershipLeft | null, machine: MachineId): string[] {
  if (membership === null || membership.result === "removed") return [];
  const why =
    membership.result === "not-removed"
      ? `${membership.detail} [${membership.code}]`
      : "no registry is configured here";
  return [
    `its records are in the registry still: ${why}`,
    `next: fleet machine remove ${machine}, where the registry can be reached`,
  ];
}

function line(what: string, units: readonly UnitName[]): string[] {
  return units.length === 0 ? [] : [`${what}: ${units.join(", ")}`];
}
