import type { NodeKey } from "../identity/node-key.ts";
import type { CallerStanding } from "./judge-caller.ts";
import type { EnrolmentRefusal } from "./judge-enrolment.ts";

/** What a machine says when it asks an engine how to join; its id and key are its connection's. */
export interface HelloRequest {
  readonly name: string;
  readonly isNamed: boolean;
  readonly bootId: string;
}

/** The same with a token. */
export interface EnrolRequest extends HelloRequest {
  readonly token: string;
}

export interface HelloAnswer {
  readonly clusterId: string;
  readonly cluster: string;
  /** Without credentials. */
  readonly source: string;
  readonly branch: string;
  readonly manifest: string;
  readonly version: string;
  /** Of the commit in force, sorted; none where it lists none yet. */
  readonly engineKeys: readonly NodeKey[];
  readonly standing: CallerStanding;
  /** Of the last release that the caller's agent has taken; null: it has taken none. */
  readonly acceptedSeq: number | null;
  /** Of the release in force; null: there is none. */
  readonly releaseSeq: number | null;
}

export type EnrolAnswer =
  | { readonly verdict: "admitted"; readonly name: string; readonly metadata: Readonly<Record<string, string>> }
  | { readonly verdict: "refused"; readonly refusal: EnrolmentRefusal }
  /** Too many were refused: from this address, or of all. */
  | { readonly verdict: "wait"; readonly waitMs: number };

/** `removed`: the machine is no member any more. */
export interface LeaveAnswer {
  readonly result: "removed";
}
