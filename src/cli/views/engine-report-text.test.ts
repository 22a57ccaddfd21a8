import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeKey } from "../../domain/identity/node-key.ts";
import type { MachineId, UnitName } from "../../domain/names.ts";
import type { EngineReport, LossReport, LostMachine } from "../../domain/report/engine-report.ts";
import { engineReportLines } from "./engine-report-text.ts";

const M2 = "m2" as MachineId;
const NOW = Date.parse("2026-11-21T12:00:00.000Z");
const BEFORE = "2026-11-21T11:58:00.000Z";
const SOON = "2026-11-21T12:00:30.000Z";
const EMPTY: EngineReport = { leader: "m1", releaseSeq: 1, problem: null, unplaced: [] };
const QUIET: LossReport = { mode: "normal", outage: null, hold: null, machines: [], budget: null };
const loss = (changes: Partial<LossReport>): EngineReport => ({ ...EMPTY, loss: { ...QUIET, ...changes } });
const missing = (changes: Partial<LostMachine>): EngineReport =>
  loss({ machines: [{ machine: M2, presence: "absent", waits: null, flapping: null, ...changes }] });

const CASES: readonly [sentence: string, report: EngineReport, lines: readonly string[]][] = [
  ["nothing where all is well", EMPTY, []],
  [
    "a partial outage: how many are missing, and when it ends",
    loss({ mode: "partial-outage", outage: { since: BEFORE, missing: 5, of: 10, endsAt: 2 } }),
    [
      `losses      partial outage: 5 of 10 machines missing at once, nothing moves before no more than 2 are, since ${BEFORE} (2 min ago)`,
    ],
  ],
  [
    "a full outage: all must come back",
    loss({ mode: "full-outage", outage: { since: BEFORE, missing: 2, of: 2, endsAt: 0 } }),
    [
      `losses      full outage: 2 of 2 machines missing at once, nothing moves before all are back, since ${BEFORE} (2 min ago)`,
    ],
  ],
  [
    "a hold: until when, and why",
    loss({ hold: { because: "registry", until: SOON } }),
    [`losses      nothing is lost before ${SOON} (in 30 s): the registry was away`],
  ],
  [
    "a machine whose grace goes on",
    missing({ waits: { code: "grace", until: SOON } }),
    [`missing     m2 keeps its units: its grace goes on until ${SOON} (in 30 s)`],
  ],
  [
    "a machine that waits for its turn",
    missing({ waits: { code: "budget", until: SOON } }),
    [`missing     m2 keeps its units: other machines' units move first, until ${SOON} (in 30 s)`],
  ],
  [
    "a machine in an outage",
    missing({ waits: { code: "outage", until: null } }),
    ["missing     m2 keeps its units: until the outage ends"],
  ],
  [
    "a machine that dials and that git does not list: all that its stanza needs",
    { ...EMPTY, unlisted: [{ machine: M2, key: "ed25519:k" as NodeKey, since: BEFORE }] },
    [`unlisted    m2 with key ed25519:k, since ${BEFORE} (2 min ago)`],
  ],
  ["a lost machine", missing({ presence: "lost" }), ["missing     m2 is lost: what may move goes elsewhere"]],
  [
    "a machine that comes and goes",
    missing({ presence: "present", flapping: { losses: 3, until: SOON, cordons: true } }),
    [`missing     m2 came and went 3 times: nothing new comes before ${SOON} (in 30 s)`],
  ],
  [
    "more than a screen of one kind is counted, with what the report itself left out",
    {
      ...EMPTY,
      deviations: Array.from({ length: 10 }, (_, index) => ({
        unit: `u${index}.service` as UnitName,
        planned: M2,
        actual: "m1" as MachineId,
        because: { code: "stays" } as const,
        since: BEFORE,
      })),
      more: { deviations: 5 },
    },
    [
      ...Array.from(
        { length: 8 },
        (_, index) =>
          `${index === 0 ? "elsewhere" : "         "}   u${index}.service is on m1 and not on m2 as planned: nothing moves back by itself, since ${BEFORE} (2 min ago)`,
      ),
      "            and 7 more",
    ],
  ],
];

for (const [sentence, report, lines] of CASES) {
  test(`the engine's report shows ${sentence}`, () => {
    assert.deepEqual(engineReportLines(report, new Map(), NOW), lines);
  });
}
