import { z } from "zod";
import { planReportSchema } from "../plan/plan-report-schema.ts";
import { planSchema } from "../plan/plan-schema.ts";
import type { ApiRouteId } from "./api-routes.ts";

const text = z.string();
const id = z.string().regex(/^[0-9a-f]{32}$/);
const state = z.enum(["inactive", "loaded", "launched"]);
const nextPageToken = z.string().optional();

const unit = z
  .strictObject({
    name: text,
    options: z.array(z.strictObject({ section: text, name: text, value: text })),
    desiredState: state,
    currentState: state,
    machineID: id.optional(),
  })
  .meta({ title: "Unit", description: "`machineID` is not there where the unit is on no machine, or on several" });

const unitState = z
  .strictObject({
    name: text,
    hash: text,
    machineID: id,
    systemdLoadState: text,
    systemdActiveState: text,
    systemdSubState: text,
  })
  .meta({ title: "UnitState", description: "systemd's own words for it" });

const machine = z
  .strictObject({ id, primaryIP: text, metadata: z.record(text, text) })
  .meta({ title: "Machine", description: "A machine whose agent is there" });

const release = z.looseObject({ seq: z.int().min(1), commit: text, by: text, at: text });

const status = z
  .looseObject({
    revision: z.int().min(0),
    identity: z.looseObject({ id: text, name: text, source: text, branch: text, manifest: text }).nullable(),
    release: release.nullable(),
    members: z.array(z.looseObject({ id: text, name: text, address: text, present: z.boolean() })),
    units: z.array(
      z.looseObject({
        unit: text,
        goal: state,
        machine: text.nullable(),
        machineName: text.nullable(),
        news: z.enum(["current", "old", "none"]),
        load: text,
        active: text,
        sub: text,
      }),
    ),
    holds: z.array(z.looseObject({ by: text, reason: text })),
    leader: z.looseObject({ machine: text, term: z.int() }).nullable(),
    report: z.looseObject({ leader: text, releaseSeq: z.int() }).nullable(),
    rollout: z.looseObject({}).nullable(),
  })
  .meta({
    title: "Status",
    description: "What `fleet status --json` prints; members that are not named here may come and go",
  });

const history = z
  .looseObject({
    commit: text,
    release: z.strictObject({ seq: z.int().min(1), by: text, at: text }).nullable(),
    changes: z.record(text, z.int().min(0)).nullable(),
    rollout: z.looseObject({ phase: text }).nullable(),
  })
  .meta({ title: "HistoryEntry" });

const syncAnswer = z
  .looseObject({
    kind: z.enum(["nothing-new", "released", "held", "moved", "trouble"]),
    commit: text.nullable(),
    seq: z.int().optional(),
    detail: text.optional(),
  })
  .meta({ title: "SyncAnswer", description: "What came of a look at the branch" });

const health = z
  .strictObject({
    ok: z.boolean(),
    term: z.int().nullable(),
    connected: z.boolean(),
    turnedMsAgo: z.int().min(0),
  })
  .meta({ title: "Health", description: "`term`: the one this engine leads; null while it follows another" });

/** Of every answer that is not 2xx, as the original documented it. */
export const apiError = z
  .strictObject({ error: z.strictObject({ code: z.int(), message: text }) })
  .meta({ title: "Error" });

/** What each path answers with 200. Absent: no JSON. */
export const API_ANSWERS: Readonly<Partial<Record<ApiRouteId, z.ZodType>>> = {
  units: z.strictObject({ units: z.array(unit), nextPageToken }).meta({ title: "UnitPage" }),
  unit,
  states: z.strictObject({ states: z.array(unitState), nextPageToken }).meta({ title: "UnitStatePage" }),
  "unit-state": unitState,
  machines: z.strictObject({ machines: z.array(machine), nextPageToken }).meta({ title: "MachinePage" }),
  discovery: z.looseObject({ kind: z.literal("discovery#restDescription"), id: z.literal("fleet:v1") }).meta({
    title: "DiscoveryDocument",
  }),
  status,
  plan: planSchema,
  "branch-plan": planReportSchema,
  releases: z.array(history),
  sync: syncAnswer,
  health,
};
