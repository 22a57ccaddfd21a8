/** What somebody may be told of. */
export const NOTIFY_EVENTS = ["failed", "held", "rolled-back", "stale"] as const;
export type NotifyEvent = (typeof NOTIFY_EVENTS)[number];

/** Who is told of what: one item of the manifest's `notify:`. */
export interface NotifyRule {
  /** Sorted as in `NOTIFY_EVENTS`. */
  readonly on: readonly NotifyEvent[];
  readonly to: NotifyTarget;
}

export type NotifyTarget =
  /** May hold a secret of its own (most chat services put one in the path): never print more of it than its host. */
  | { readonly kind: "webhook"; readonly url: string }
  /** An absolute path on the machine of the leading engine. */
  | { readonly kind: "command"; readonly path: string };

/** Enough for every team, and a commit cannot make an engine write letters all day. */
export const NOTIFY_RULES_MAX = 20;
