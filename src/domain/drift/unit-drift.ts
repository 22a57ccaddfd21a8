/** What an agent says of a unit that was changed by hand on its machine; part of its status for as long as its memory of it. */
export interface UnitDrift {
  /** What differs now; where it was put back, what differed last. */
  readonly seen: readonly DriftSeen[];
  /** RFC 3339 time when that began to differ, by the machine's clock. */
  readonly since: string;
  /** How often it was put back in the last hour. */
  readonly corrected: number;
  readonly outcome: DriftOutcome;
}

export type DriftOutcome =
  /** Put back. */
  | "corrected"
  /** Not put back yet: the disk or systemd refuses, or a job is under way. */
  | "correcting"
  /** Left as it is, as the policy or a hold asks. */
  | "detected"
  /** Put back so often that somebody, or something, means it: left alone. */
  | "given-up";

/** One thing about a unit that is not as fleet left it. */
export interface DriftSeen {
  readonly kind: DriftKind;
  /** The file it is about, absolute; absent where it is about none. */
  readonly path?: string;
}

export type DriftKind =
  /** A file of ours has another text, or is a link. */
  | "edited"
  | "deleted"
  /** `/dev/null`, or an empty file, is where systemd looks for the unit. */
  | "masked"
  /** A drop-in that is not ours applies to this unit alone. */
  | "extra-dropin"
  /** It is to run, was started, and is down without having failed. */
  | "stopped";

/** As people read it: `edited /run/systemd/system/web.service, stopped`. */
export function printDrift(seen: readonly DriftSeen[]): string {
  return seen.map(({ kind, path }) => (path === undefined ? kind : `${kind} ${path}`)).join(", ");
}
