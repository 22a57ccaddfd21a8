import { encodeHold, holdKey } from "../../src/codec/hold-record.ts";
import { encodeRecord } from "../../src/codec/record.ts";
import type { RegistryKeys } from "../../src/codec/registry-keys.ts";
import type { ReportRecord, StatusRecord } from "../../src/codec/registry-records.ts";
import { encodeOrder, encodeRollout } from "../../src/codec/rollout-record.ts";
import type { Hold } from "../../src/domain/cluster/hold.ts";
import type { UnitName } from "../../src/domain/names.ts";
import type { RolloutRecord } from "../../src/domain/rollout/rollout-record.ts";
import { startRollout } from "../../src/domain/rollout/start-rollout.ts";
import type { Registry } from "../../src/ports/registry.ts";
import { readSnapshot } from "../../src/usecases/read-snapshot.ts";
import { pretendId } from "../pretend-machine.ts";

/** The wall clock of a golden case: five minutes after everything in it happened. */
export const GOLDEN_AT = "2026-01-01T00:00:00.000Z";
export const GOLDEN_NOW_MS = Date.parse("2026-01-01T00:05:00.000Z");

/**
 * `says MACHINE UNIT ACTIVE SUB [KEY=VALUE…]`: what the machine's agent says of a unit it holds, in the placed version. `problem=CODE:DETAIL`
 * and `line=TEXT` (spaces as `_`) make a problem with its journal.
 */
export async function say(registry: Registry, keys: RegistryKeys, words: readonly string[]): Promise<string> {
  const [machine, unit, active, sub, ...pairs] = words as [string, UnitName, string, string, ...string[]];
  const { snapshot } = await readSnapshot(registry, keys);
  const set = snapshot.sets.find((one) => one.machine === pretendId(machine));
  const said = (key: string) =>
    pairs.filter((pair) => pair.startsWith(`${key}=`)).map((pair) => pair.slice(key.length + 1).replaceAll("_", " "));
  const [problem] = said("problem");
  const status: StatusRecord = {
    load: said("load")[0] ?? "loaded",
    active,
    sub,
    hash: set?.placements.find((placed) => placed.unit === unit)?.hash ?? null,
    since: said("since")[0] ?? GOLDEN_AT,
    result: said("result")[0] ?? "success",
    invocation: "",
    started: active !== "inactive",
    problem:
      problem === undefined
        ? null
        : {
            code: problem.slice(0, problem.indexOf(":")),
            detail: problem.slice(problem.indexOf(":") + 1),
            journal: said("line"),
          },
    ...(said("drift")[0] === undefined
      ? {}
      : { drift: { seen: [{ kind: "stopped" }], since: GOLDEN_AT, corrected: 5, outcome: "given-up" } }),
  };
  return put(registry, keys.status(pretendId(machine), unit), encodeRecord(status));
}

/** `leads MACHINE [JSON]`: that machine's engine leads, and says this in its report. */
export async function lead(registry: Registry, keys: RegistryKeys, words: readonly string[]): Promise<string> {
  const [machine, ...json] = words as [string, ...string[]];
  const { snapshot } = await readSnapshot(registry, keys);
  const report: ReportRecord = {
    leader: machine,
    since: GOLDEN_AT,
    releaseSeq: snapshot.release?.seq ?? 0,
    problem: null,
    unplaced: [],
    ...JSON.parse((json.join(" ") || "{}").replaceAll(/id:(\w+)/g, (_, name: string) => pretendId(name))),
  };
  await put(registry, keys.leader, encodeRecord({ machine: pretendId(machine), term: 3, op: "" }));
  return put(registry, keys.report, encodeRecord(report));
}

/** `hold UNIT REASON`: for an hour, by ada. */
export async function hold(registry: Registry, keys: RegistryKeys, words: readonly string[]): Promise<string> {
  const [unit, reason] = words as [UnitName, string];
  const value: Hold = { scope: { kind: "unit", unit }, reason, by: "ada", at: GOLDEN_AT, forMs: 3_600_000 };
  return put(registry, holdKey(keys, value), encodeHold(value, "op"));
}

/**
 * `rolls JSON`: the engine's record of the release in force says this beside what it begins with; `order`: what somebody told it. `id:m1` is a
 * machine's id.
 */
export async function roll(registry: Registry, keys: RegistryKeys, json: string): Promise<string> {
  const { snapshot } = await readSnapshot(registry, keys);
  const { order, ...said } = JSON.parse(json.replaceAll(/id:(\w+)/g, (_, name: string) => pretendId(name)));
  const release = snapshot.release!;
  const record: RolloutRecord = { ...startRollout(release, null, GOLDEN_AT), ...said };
  const { seq } = release;
  if (order !== undefined)
    await put(registry, keys.rolloutOrder(seq), encodeOrder({ by: "ada", at: GOLDEN_AT, ...order }, "op"));
  return put(registry, keys.rollout(seq), encodeRollout(record));
}

async function put(registry: Registry, key: string, value: string): Promise<string> {
  await registry.txn({ when: [], then: [{ kind: "put", key, value }] });
  return "";
}
