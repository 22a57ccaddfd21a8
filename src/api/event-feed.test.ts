import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterSnapshot, Member, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { ClusterPicture, ShownUnit } from "./cluster-picture.ts";
import { eventsBetween } from "./event-feed.ts";

const release = (seq: number) => ({ seq, commit: `c${seq}`, by: "ann", at: "2026-01-01T00:00:00Z" }) as Release;
const member = (name: string, present = true) => ({ id: name, name, present }) as Member;
const row = (unit: string, changes: Partial<ShownUnit> = {}) =>
  ({
    ...{ unit, machine: "m1", machineName: "m1", goal: "launched", state: "launched", news: "current" },
    ...{ load: "loaded", active: "active", sub: "running", hash: null, wantedHash: null, problem: null },
    ...changes,
  }) as ShownUnit;

function picture(seq: number | null, members: readonly Member[], rows: readonly ShownUnit[]): ClusterPicture {
  const snapshot = { revision: 1, release: seq === null ? null : release(seq), members } as ClusterSnapshot;
  return { snapshot, rows, index: [], report: null, status: () => ({}) };
}

const WAS = picture(1, [member("m1"), member("m2")], [row("a.service"), row("b.service")]);

const CASES: readonly (readonly [what: string, now: ClusterPicture, events: readonly string[]])[] = [
  ["the same is no event", picture(1, [member("m1"), member("m2")], [row("a.service"), row("b.service")]), []],
  ["a release that moved is told", picture(2, WAS.snapshot.members, WAS.rows), ["release 2"]],
  [
    "a machine that falls silent is told",
    picture(1, [member("m1"), member("m2", false)], WAS.rows),
    ["machine m2 false"],
  ],
  ["a machine that is removed is told as gone", picture(1, [member("m1")], WAS.rows), ["machine m2 gone"]],
  [
    "a unit that fails is told, and no other",
    picture(1, WAS.snapshot.members, [row("a.service", { active: "failed" }), row("b.service")]),
    ["unit a.service failed"],
  ],
  [
    "of a unit that moves both sides are told",
    picture(1, WAS.snapshot.members, [row("a.service"), row("b.service", { machine: "m2" as never })]),
    ["unit b.service active", "unit b.service gone"],
  ],
];
for (const [what, now, events] of CASES) {
  test(what, () => {
    const said = eventsBetween(WAS, now).map(({ event, data }) => {
      const { seq, id, unit, present, active, gone } = data as Record<string, unknown>;
      return [event, seq ?? id ?? unit, gone === true ? "gone" : (present ?? active)]
        .filter((one) => one !== undefined)
        .join(" ");
    });
    assert.deepEqual(said, events);
  });
}
