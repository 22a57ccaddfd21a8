/**
 * The things that are all strings, kept apart by the type checker. Each has one maker, named in its comment; inside the
 * domain a value that exists is valid.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A unit's name as systemd or quadlet spells it, `web@1.service`, `postgres.container`. Made by `parseUnitName`. */
export type UnitName = Branded<"UnitName">;
/** A machine's full /etc/machine-id: 32 lower-case hexadecimal digits. Made by `parseMachineId`. */
export type MachineId = Branded<"MachineId">;
/** sha256 (64 hexadecimal digits) of everything of one unit that lands on one machine. Made by `unitOnMachine`. */
export type UnitHash = Branded<"UnitHash">;
/** sha256 of a whole ClusterSpec; holds no commit id. Made by `compileSpec`. */
export type SpecHash = Branded<"SpecHash">;
/** A full git object id of a commit: 40 (or 64) hexadecimal digits. Made by a GitSource. */
export type CommitId = Branded<"CommitId">;
/** The name of a group: its alphabetically first unit. Made by `groupUnits`. */
export type GroupName = Branded<"GroupName">;

/** sha256 of a text's UTF-8 bytes as 64 lower-case hexadecimal digits. An argument, because the domain imports nothing. */
export type Sha256 = (text: string) => string;

/** Byte-wise order of names, the tie-break everywhere. Never localeCompare: a locale must not change a plan. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Reads a machine id, or null where the text is not one. The full id only: eight digits once matched two machines. */
export function parseMachineId(text: string): MachineId | null {
  return /^[0-9a-f]{32}$/.test(text) ? (text as MachineId) : null;
}
