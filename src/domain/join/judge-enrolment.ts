import {
  type CallerRefusal,
  isNameTaken,
  isRefused,
  type JoinCaller,
  judgeCaller,
  type KnownMachines,
} from "./judge-caller.ts";
import type { SiteToken } from "./site-token.ts";

/** What the registry keeps of a token, under the hash of its text. */
export interface KnownToken {
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly expiresMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** What names of machines it lets in begin with; empty: they may have any. */
  readonly namePrefix: string;
}

export interface EnrolmentFacts {
  readonly clusterId: string;
  readonly machines: KnownMachines;
  /** Null: what was shown is no token. */
  readonly token: SiteToken | null;
  readonly hash: string;
  /** Null: the registry has none under this hash. */
  readonly known: KnownToken | null;
  /** Wall clock of the engine, milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Why a token does not let a machine in. */
export type EnrolmentRefusal =
  | { readonly code: "token-malformed" }
  | { readonly code: "token-other-cluster" }
  | { readonly code: "token-expired"; readonly atMs: number }
  | { readonly code: "token-used"; readonly name: string; readonly atMs: number }
  /** Taken back, or never made. */
  | { readonly code: "token-unknown" }
  | { readonly code: "token-name"; readonly prefix: string }
  | CallerRefusal;

export type Enrolment =
  | { readonly verdict: "admit"; readonly name: string; readonly known: KnownToken }
  /** It is in already, by git or by a token: nothing is used up. */
  | { readonly verdict: "already"; readonly name: string }
  | { readonly verdict: "refused"; readonly refusal: EnrolmentRefusal };

/** Whether a token lets this machine in. A machine that is in already asks in vain and harmlessly: a lost answer is asked for again. */
export function judgeEnrolment(caller: JoinCaller, facts: EnrolmentFacts): Enrolment {
  const { machines, token, known, clusterId, nowMs } = facts;
  const standing = judgeCaller(caller, machines);
  if (standing.code === "listed" || standing.code === "admitted") return { verdict: "already", name: standing.name };
  // The token may give it another name.
  if (isRefused(standing) && standing.code !== "name-taken") return refused(standing);
  if (token === null) return refused({ code: "token-malformed" });
  if (token.clusterId !== clusterId) return refused({ code: "token-other-cluster" });
  if (known === null) return refused(absence(token, facts));
  // The lease ends it; but a registry that elects a leader begins all leases anew.
  if (known.expiresMs <= nowMs) return refused({ code: "token-expired", atMs: known.expiresMs });
  const name = enrolledName(caller, known.namePrefix);
  if (name === null) return refused({ code: "token-name", prefix: known.namePrefix });
  if (isNameTaken(name, caller.machine, machines)) return refused({ code: "name-taken", name });
  return { verdict: "admit", name, known };
}

/**
 * What a machine is called that a token lets in. Machines of one image share their host name: with a prefix, one that nobody named is told
 * apart by the beginning of its id. Null: it was given a name that does not begin so.
 */
export function enrolledName({ machine, name, isNamed }: JoinCaller, prefix: string): string | null {
  if (prefix === "") return name;
  if (!isNamed) return `${prefix}${machine.slice(0, 8)}`;
  return name.startsWith(prefix) ? name : null;
}

/** Why there is nothing under its hash. */
function absence(token: SiteToken, { hash, machines, nowMs }: EnrolmentFacts): EnrolmentRefusal {
  const user = machines.admitted.find((one) => one.token === hash);
  if (user !== undefined) return { code: "token-used", name: user.name, atMs: user.atMs };
  return token.expiresMs <= nowMs ? { code: "token-expired", atMs: token.expiresMs } : { code: "token-unknown" };
}

function refused(refusal: EnrolmentRefusal): Enrolment {
  return { verdict: "refused", refusal };
}
