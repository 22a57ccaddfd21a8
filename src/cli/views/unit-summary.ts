import type { UnitRow } from "./unit-rows.ts";

/**
 * A line for what is on several machines, or has several instances: `web@.service: 2 of 3 active, 1 failed`. Null for a single one, of which
 * everything is said below.
 */
export function unitSummary(asked: string, rows: readonly UnitRow[]): string | null {
  if (rows.length < 2) return null;
  const counts = new Map<string, number>();
  for (const row of rows) if (!isUp(row)) counts.set(wordOf(row), (counts.get(wordOf(row)) ?? 0) + 1);
  const up = rows.filter(isUp).length;
  const others = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, count]) => `${count} ${word}`);
  return `${asked}: ${[`${up} of ${rows.length} active`, ...others].join(", ")}`;
}

function isUp({ active, news }: UnitRow): boolean {
  return active === "active" && news === "current";
}

function wordOf({ machine, active, news }: UnitRow): string {
  if (machine === null) return "not placed";
  if (news === "none") return "unknown";
  return news === "old" ? `${active} when last heard of` : active;
}
