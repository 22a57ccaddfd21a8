import type { NodeKey } from "../identity/node-key.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { SpecMachine } from "../spec/cluster-spec.ts";

/** What somebody at one machine wants to read at another. Signed with the key of the machine it is asked from. */
export interface JournalAsk {
  readonly clusterId: string;
  /** Of the machine it is asked from. */
  readonly from: MachineId;
  /** The machine that is to answer. */
  readonly to: MachineId;
  readonly unit: string;
  /** How many of the last lines, 0 to LINES_MAX. */
  readonly lines: number;
  /** Goes on with new lines. */
  readonly follow: boolean;
  /** journalctl's own JSON instead of text. */
  readonly json: boolean;
  /** When it was asked, by the asker's clock: milliseconds since 1970. */
  readonly atMs: number;
  /** Of this ask and no other. */
  readonly id: string;
}

/** Whoever wants more reads the journal there. */
export const LINES_MAX = 100_000;
/** How old an ask may be, or from how far in the future: clocks differ, and within it no ask is answered twice. */
export const ASK_GOOD_FOR_MS = 120_000;

export type AskRefusal =
  /** This machine does not know yet who is who: it has accepted no release since it started. */
  | "reach-not-ready"
  /** It is for another machine or cluster. */
  | "ask-elsewhere"
  /** Git lists no such machine with a key, or the key is another one. */
  | "ask-unproven"
  /** This machine's own configuration does not name the one that asks. */
  | "journal-not-allowed"
  | "ask-late"
  | "ask-repeated"
  /** Not one of fleet's units here: the rest of the journal is nobody's. */
  | "unit-not-here";

export interface AskContext {
  readonly self: MachineId;
  /** Null: not known yet. */
  readonly clusterId: string | null;
  /** Of the accepted commit; null: none since the start. */
  readonly machines: readonly SpecMachine[] | null;
  /** Names or ids of machines, as this machine's configuration has them. */
  readonly allowed: readonly string[];
  readonly nowMs: number;
  readonly wasAnswered: (id: string) => boolean;
  readonly units: ReadonlySet<UnitName>;
  /** Whether the ask was signed with that key. */
  readonly isSignedBy: (key: NodeKey) => boolean;
}

/**
 * Whether a machine tells its journal to whoever asks: git says whose key is whose, and the machine itself who may ask. Engines only carry
 * asks: none of them can make one up, or have one answered twice. Null: it does.
 */
export function judgeAsk(ask: JournalAsk, context: AskContext): AskRefusal | null {
  const { clusterId, machines, allowed, nowMs } = context;
  if (clusterId === null || machines === null) return "reach-not-ready";
  if (ask.to !== context.self || ask.clusterId !== clusterId) return "ask-elsewhere";
  const asker = machines.find(({ id }) => id === ask.from);
  if (asker?.machineKey === undefined || !context.isSignedBy(asker.machineKey)) return "ask-unproven";
  if (!allowed.some((name) => name === asker.key || name === ask.from)) return "journal-not-allowed";
  if (Math.abs(nowMs - ask.atMs) > ASK_GOOD_FOR_MS) return "ask-late";
  if (context.wasAnswered(ask.id)) return "ask-repeated";
  return context.units.has(ask.unit as UnitName) ? null : "unit-not-here";
}
