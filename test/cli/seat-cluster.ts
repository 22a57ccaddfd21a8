import { encodeRecord } from "../../src/codec/record.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import type { StatusRecord } from "../../src/codec/registry-records.ts";
import type { UnitName } from "../../src/domain/names.ts";
import type { Plan } from "../../src/domain/plan/plan.ts";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { pretendId } from "../pretend-machine.ts";
import { type FleetResult, fleet, prepareFleet } from "./fleet-process.ts";
import { PretendCluster } from "./pretend-cluster.ts";

const SERVICE = "[Service]\nExecStart=/bin/sleep infinity\n";
const CLUSTER = "shop";

/**
 * What a person at a terminal looks at: the released and placed cluster `shop` of three machines, `m3` of which is absent. `web@1` to `web@3`,
 * a global `probe`, and `db`, which failed; all others run. `spare` is wanted nowhere.
 */
export interface SeatCluster {
  readonly repository: TestRepository;
  readonly cluster: PretendCluster;
  /** `fleet` in that repository, with that registry. */
  run(...words: readonly string[]): Promise<FleetResult>;
  runWith(env: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<FleetResult>;
  /** Of every `run` from then on. */
  readonly env: Record<string, string>;
  /** Takes the registry away. */
  stopRegistry(): Promise<void>;
  end(): Promise<void>;
}

export async function seatCluster(): Promise<SeatCluster> {
  await prepareFleet();
  const cluster = await PretendCluster.start();
  const repository = makeTestRepository();
  repository.commit({
    "fleet.yaml": `apiVersion: fleet/v1\ncluster: ${CLUSTER}\nadmit: any\nunits:\n  web@.service: { instances: 3 }\n  spare.service: { state: inactive }\n`,
    "units/web@.service": `[Unit]\nDescription=The shop\n\n${SERVICE}`,
    "units/db.service": SERVICE,
    "units/probe.service": `${SERVICE}\n[X-Fleet]\nGlobal=true\n`,
    "units/spare.service": SERVICE,
  });
  for (const [name, role] of [
    ["m1", "db"],
    ["m2", "web"],
    ["m3", "web"],
  ] as const)
    await cluster.join(CLUSTER, name, { role });
  const options = { cwd: repository.path, registry: cluster.address };
  const planned = await fleet(["plan", "--json"], options);
  const applied = await fleet(["apply", "--auto-approve", "--detach"], options);
  if (applied.code !== 0) throw new Error(`nothing to look at: ${planned.stderr}${applied.stderr}`);
  const { placements } = JSON.parse(planned.stdout) as Pick<Plan, "placements">;
  await cluster.place(CLUSTER, { placements }, new Set(["probe.service" as UnitName]));
  await sayHowItIs(cluster, placements);
  await cluster.leave(CLUSTER, "m3");
  const env: Record<string, string> = {};
  let stopped: Promise<void> | null = null;
  const stopRegistry = () => {
    stopped ??= cluster.stop();
    return stopped;
  };
  return {
    ...{ repository, cluster },
    env,
    run: (...words) => fleet(words, { ...options, env }),
    runWith: (more, ...words) => fleet(words, { ...options, env: { ...env, ...more } }),
    stopRegistry,
    async end() {
      await stopRegistry();
      repository.remove();
    },
  };
}

async function sayHowItIs({ registry }: PretendCluster, placements: Plan["placements"]): Promise<void> {
  const keys = registryKeys(CLUSTER);
  for (const { unit, machine, hash } of placements) {
    const isDown = unit === "db.service";
    const status: StatusRecord = {
      load: "loaded",
      ...(isDown ? { active: "failed", sub: "failed" } : { active: "active", sub: "running" }),
      hash,
      since: "2026-01-01T00:00:00.000Z",
      result: isDown ? "exit-code" : "success",
      invocation: "0".repeat(32),
      started: true,
      problem: isDown ? { code: "failed", detail: "it ended with 1", journal: ["cannot open \u001b[31mdata"] } : null,
    };
    await registry.txn({
      when: [],
      then: [{ kind: "put", key: keys.status(machine, unit), value: encodeRecord(status) }],
    });
  }
}

/** The id of a machine of that cluster. */
export const seatMachine = pretendId;
