import type { Hold } from "../../domain/cluster/hold.ts";

/** RFC 3339, for people: by the clock of who placed it. Null where it does not name a time that can be read. */
export function holdUntil({ at, forMs }: Pick<Hold, "at" | "forMs">): string | null {
  const end = new Date(Date.parse(at) + forMs);
  return Number.isNaN(end.getTime()) ? null : end.toISOString();
}
