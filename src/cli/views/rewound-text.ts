import type { Member } from "../../domain/cluster/cluster-snapshot.ts";
import { isRewind, type Rewind } from "../../domain/trust/rewind.ts";
import { sinceText } from "./since-text.ts";

/** Why something runs that is not newer than what ran before it. */
export function rewoundText({ commit, by, at, why }: Rewind, nowMs: number): string {
  return `went back to commit ${commit.slice(0, 7)}, as ${by} ordered there, ${sinceText(at, nowMs)}: ${why}`;
}

/** One line for each machine that did. */
export function rewoundLines(members: readonly Member[], nowMs: number): string[] {
  return members.flatMap(({ name, rewound }) => (isRewind(rewound) ? [`${name} ${rewoundText(rewound, nowMs)}`] : []));
}
