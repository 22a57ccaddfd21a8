import type { MachineId } from "../names.ts";
import type { NodeKey } from "./node-key.ts";

/** `machine`: the agent of a machine. `engine`: an engine, which is dialled. */
export type PeerRole = "machine" | "engine";

/** What a peer's certificate says. That it has the private key is what the TLS handshake proved; nobody vouches for the rest. */
export interface PeerFacts {
  /** Null: a key of another kind than ours. */
  readonly key: NodeKey | null;
  /** Milliseconds since the epoch, both inclusive. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Null: it does not say who it is, or not as our certificates do. */
  readonly uri: PeerClaim | null;
}

/** Who a certificate says its owner is. */
export interface PeerClaim {
  /** Null: of a machine that has joined no cluster yet. */
  readonly clusterId: string | null;
  readonly role: PeerRole;
  readonly machine: MachineId;
}

export interface ExpectedPeer {
  /** The cluster's random id. Null: any; only for asking which cluster it is, before joining. */
  readonly clusterId: string | null;
  readonly role: PeerRole;
  /** Keys of that role that may be there, each with the machine it is listed for. */
  readonly keys: ReadonlyMap<NodeKey, MachineId>;
  /** Wall clock, milliseconds since the epoch: what a certificate's dates are compared with. */
  readonly nowMs: number;
}

/**
 * - `no-certificate`: none was shown.
 * - `malformed`: none of ours: another kind of key, or no name in our form.
 * - `other-cluster`: of another cluster, or of a machine that has joined none.
 * - `wrong-role`: an engine where a machine should be, or the other way round.
 * - `not-yet-valid`, `expired`: by our clock.
 * - `wrong-key`: that machine is listed with another key, or this key for another machine.
 * - `unlisted-key`: neither the key nor the machine is listed.
 */
export interface PeerRefused {
  readonly verdict: "refused";
  readonly code:
    | "no-certificate"
    | "malformed"
    | "other-cluster"
    | "wrong-role"
    | "not-yet-valid"
    | "expired"
    | "wrong-key"
    | "unlisted-key";
}

export interface PeerAccepted {
  readonly verdict: "accepted";
  readonly role: PeerRole;
  /** The machine its key is listed for, never merely the one it names. */
  readonly machine: MachineId;
}

export type PeerVerdict = PeerAccepted | PeerRefused;
export type PeerRefusal = PeerRefused["code"];

/**
 * Whether whoever shows this certificate may be spoken with (decision 18). Keys come last, so that `unlisted-key` and `wrong-key` say that
 * nothing else is wrong. Null facts: it showed none.
 */
export function judgePeer(facts: PeerFacts | null, expected: ExpectedPeer): PeerVerdict {
  if (facts === null) return refused("no-certificate");
  const { key, uri } = facts;
  if (key === null || uri === null) return refused("malformed");
  if (expected.clusterId !== null && uri.clusterId !== expected.clusterId) return refused("other-cluster");
  if (uri.role !== expected.role) return refused("wrong-role");
  // Both are written so that a date that is none refuses too.
  if (!(expected.nowMs >= facts.notBeforeMs)) return refused("not-yet-valid");
  if (!(expected.nowMs <= facts.notAfterMs)) return refused("expired");
  const machine = expected.keys.get(key);
  if (machine === uri.machine) return { verdict: "accepted", role: uri.role, machine };
  const isListed = machine !== undefined || [...expected.keys.values()].includes(uri.machine);
  return refused(isListed ? "wrong-key" : "unlisted-key");
}

function refused(code: PeerRefusal): PeerRefused {
  return { verdict: "refused", code };
}
