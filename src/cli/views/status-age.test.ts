import assert from "node:assert/strict";
import { test } from "node:test";
import { CANNOT_LOOK, type Member, type UnitStatus } from "../../domain/cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../../domain/cluster/empty-snapshot.ts";
import type { Hold } from "../../domain/cluster/hold.ts";
import type { CommitId, MachineId, SpecHash, UnitHash, UnitName } from "../../domain/names.ts";
import type { ClusterView } from "../cluster-view.ts";
import { clusterStatusText, unitStatusText } from "./status-text.ts";
import { type UnitRow, unitRows } from "./unit-rows.ts";

const M1 = "1".repeat(32) as MachineId;
const WEB = "web.service" as UnitName;
const HASH = "a".repeat(64) as UnitHash;
const OLDER = "b".repeat(64) as UnitHash;
const AT_NOON = Date.parse("2026-11-21T12:00:00.000Z");
const BEFORE = "2026-11-21T11:55:00.000Z";

const member = (changes: Partial<Member>): Member => ({
  id: M1,
  name: "m1",
  address: "",
  metadata: {},
  bootId: "",
  version: "",
  joined: "",
  acceptedSeq: 3,
  present: true,
  presenceRevision: 7,
  heardWithinMs: 30_000,
  ...changes,
});

const status: UnitStatus = {
  unit: WEB,
  machine: M1,
  load: "loaded",
  active: "active",
  sub: "running",
  hash: HASH,
  since: "",
  result: "success",
  invocation: "",
  started: true,
  problem: null,
};

const view = (machine: Partial<Member>, changes: Partial<ClusterView> = {}, seen: UnitStatus[] = [status]) => ({
  snapshot: {
    ...emptySnapshot,
    identity: { id: "c", name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 },
    release: {
      seq: 3,
      commit: "f".repeat(40) as CommitId,
      specHash: "e" as SpecHash,
      contentId: "",
      planId: "",
      parent: null,
      by: "ada",
      at: "today",
    },
    members: [member(machine)],
    sets: [
      {
        machine: M1,
        header: null,
        headerModRevision: 0,
        placements: [{ unit: WEB, hash: HASH, goal: "launched" } as const],
      },
    ],
    statuses: seen,
  },
  quarantined: [],
  index: [],
  leader: { machine: M1, term: 1, op: "" },
  report: null,
  holds: [],
  refused: [],
  ...changes,
});

const report = { leader: M1, releaseSeq: 3, problem: null, unplaced: [], absent: [{ machine: M1, since: BEFORE }] };
const hold: Hold = {
  scope: { kind: "unit", unit: WEB },
  by: "ada",
  reason: "a look inside",
  at: BEFORE,
  forMs: 3_600_000,
};
const cannotLook = { code: CANNOT_LOOK, detail: "systemd-unreachable: no answer", journal: [], since: BEFORE };

const CASES: readonly {
  readonly what: string;
  readonly view: ClusterView;
  readonly row: Partial<UnitRow>;
  readonly says: readonly string[];
  readonly closely?: string;
}[] = [
  {
    what: "a machine that is there: how long ago it was heard from at most",
    view: view({}),
    row: { news: "current", oldSince: null },
    says: ["machines 1 of 1 present, heard from within the last 30 s", "units 1 placed, 1 active"],
  },
  {
    what: "a machine that is away: since when at the latest, and its active units are not counted as active",
    view: view({ present: false }, { report }),
    row: { news: "old", oldSince: BEFORE },
    says: [
      "units 1 placed, 0 active, 1 active when last heard of",
      `m1 is absent since ${BEFORE} or before (5 min ago): what it said last is shown below`,
      "web.service  m1       active (old)  running  -",
    ],
    closely: `seen: before ${BEFORE} (5 min ago): m1 is absent`,
  },
  {
    what: "a machine that is away, and no engine to miss it",
    view: view({ present: false }, { leader: null }),
    row: { news: "old", oldSince: null },
    says: [
      "engine none leads: nothing is placed or moved",
      "m1 is absent, and no engine can say since when: what it said last is shown below",
    ],
    closely: "seen: before now: m1 is absent",
  },
  {
    what: "an agent that is there and cannot look: its words are old too",
    view: view({ problem: cannotLook }),
    row: { news: "old", oldSince: BEFORE, present: true },
    says: [
      "units 1 placed, 0 active, 1 active when last heard of",
      `m1: cannot-look: systemd-unreachable: no answer, since ${BEFORE} (5 min ago)`,
      "web.service  m1       active (old)  running  -",
    ],
    closely: `seen: before ${BEFORE} (5 min ago): the agent on m1 cannot look`,
  },
  {
    what: "a machine whose git is away: which release it follows, and since when it cannot take the next",
    view: view({
      acceptedSeq: 2,
      problem: { code: "commit-unavailable", detail: "no route", journal: [], since: BEFORE },
    }),
    row: { news: "current" },
    says: [
      `m1: commit-unavailable: no route, since ${BEFORE} (5 min ago)`,
      "m1 follows release 2, not yet release 3",
      "web.service  m1       active  running  -",
    ],
  },
  {
    what: "a unit nobody has said anything of",
    view: view({}, {}, []),
    row: { news: "none" },
    says: ["units 1 placed, 0 active", "web.service  m1       unknown  -    -"],
    closely: "seen: never",
  },
  {
    what: "a unit that runs, but not what it should",
    view: view({}, {}, [{ ...status, hash: OLDER }]),
    row: { news: "current" },
    says: ["web.service  m1       active  running  other version"],
  },
  {
    what: "wound 18: a held unit, with reason, by whom, until when",
    view: view({}, { holds: [hold] }),
    row: { hold: { by: "ada", reason: "a look inside", until: "2026-11-21T12:55:00.000Z" } },
    says: [
      "hold: web.service is left as it is, by ada until 2026-11-21T12:55:00.000Z (55 min more): a look inside",
      "web.service  m1       active  running  held",
    ],
    closely: "held: by ada until 2026-11-21T12:55:00.000Z (55 min more): a look inside",
  },
];

for (const { what, view, row, says, closely } of CASES) {
  test(`status tells how old its facts are: ${what}`, () => {
    const rows = unitRows(view);
    const [shown] = rows as [UnitRow];
    assert.deepEqual({ ...shown, ...row }, shown);
    const text = clusterStatusText(view, rows, AT_NOON);
    for (const line of says) assert.ok(text.split("\n").includes(line), `${line}\nis not in\n${text}`);
    const close = unitStatusText(shown, AT_NOON);
    if (closely !== undefined)
      assert.ok(
        close.split("\n").some((line) => line.trim() === closely),
        close,
      );
  });
}
