import { compareText, type MachineId, parseMachineId, type UnitName } from "../names.ts";
import { parseUnitName, serviceNameOf } from "../unit/unit-name.ts";
import type { Machine } from "./machine.ts";

/**
 * Somebody asks agents to leave something alone for a while. It stops acting and never changes what should run: placements go on, and
 * are carried out when it ends. It ends by itself.
 */
export interface Hold {
  readonly scope: HoldScope;
  readonly reason: string;
  readonly by: string;
  /** RFC 3339; for people. */
  readonly at: string;
  /** Milliseconds from when it was placed. */
  readonly forMs: number;
  /** The machine it was placed at, on whose own socket; it holds there only, and is ended there. Absent: placed in the registry. */
  readonly placedAt?: MachineId;
}

export type HoldScope =
  | { readonly kind: "cluster" }
  | { readonly kind: "machine"; readonly machine: MachineId }
  | { readonly kind: "unit"; readonly unit: UnitName };

/** Whatever is to be held for longer than this wants a commit (`drift: off`, another set of units), not a hold. */
export const HOLD_MAX_MS = 7 * 24 * 3_600_000;

/** A registry's lease ends no sooner; a shorter hold would outlive what was said of it. */
export const HOLD_MIN_MS = 2_000;

/** Of one machine's own: far more than a person places, and small in a member record. */
export const OWN_HOLDS_MAX = 64;

/** What a person names: `cluster`, a machine's name or id, or a unit; null where it is none of them. */
export function holdScope(text: string, machines: readonly Pick<Machine, "id" | "name">[]): HoldScope | null {
  if (text === "cluster") return { kind: "cluster" };
  const machine = machines.find(({ id, name }) => id === text || name === text);
  if (machine !== undefined) return { kind: "machine", machine: machine.id };
  const unit = parseUnitName(text);
  return unit === null ? null : { kind: "unit", unit };
}

/**
 * The hold that keeps this unit on this machine as it is; the widest one where there are several. A quadlet is meant by its service's name as well.
 * Null: none.
 */
export function holdOn(holds: readonly Hold[], machine: MachineId, unit: UnitName): Hold | null {
  const isUnit = (named: UnitName) => named === unit || named === serviceNameOf(unit);
  const applies = ({ scope, placedAt = machine }: Hold) =>
    placedAt === machine &&
    (scope.kind === "cluster" || (scope.kind === "machine" ? scope.machine === machine : isUnit(scope.unit)));
  return [...holds].filter(applies).sort((a, b) => RANK[a.scope.kind] - RANK[b.scope.kind])[0] ?? null;
}

const RANK: Readonly<Record<HoldScope["kind"], number>> = { cluster: 0, machine: 1, unit: 2 };

/** As in its key: `cluster`, `machine/<id>`, `unit/<name>`. */
export function printHoldScope(scope: HoldScope): string {
  if (scope.kind === "cluster") return "cluster";
  return scope.kind === "machine" ? `machine/${scope.machine}` : `unit/${scope.unit}`;
}

/** The other way round; null where it is no scope. */
export function parseHoldScope(text: string): HoldScope | null {
  if (text === "cluster") return { kind: "cluster" };
  const [kind, name = "", ...more] = text.split("/");
  if (more.length > 0) return null;
  const machine = kind === "machine" ? parseMachineId(name) : null;
  if (machine !== null) return { kind: "machine", machine };
  const unit = kind === "unit" ? parseUnitName(name) : null;
  return unit === null ? null : { kind: "unit", unit };
}

/** Widest first, then by name; of the same scope the registry's before those of machines. */
export function sortedHolds(holds: readonly Hold[]): Hold[] {
  return [...holds].sort(
    (a, b) =>
      RANK[a.scope.kind] - RANK[b.scope.kind] ||
      compareText(printHoldScope(a.scope), printHoldScope(b.scope)) ||
      compareText(a.placedAt ?? "", b.placedAt ?? ""),
  );
}
