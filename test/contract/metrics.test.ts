/** Everything that is measured: said by real daemons, in the page, in the examples, and nothing that is not. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { MemoryFileStore } from "../../src/adapters/memory/memory-file-store.ts";
import { MemoryGitSource, MemoryRepository } from "../../src/adapters/memory/memory-git-source.ts";
import { MemoryHealthProbe } from "../../src/adapters/memory/memory-health-probe.ts";
import { MemoryPodman } from "../../src/adapters/memory/memory-podman.ts";
import { MemoryUnitManager } from "../../src/adapters/memory/memory-unit-manager.ts";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { LateMeter } from "../../src/adapters/metrics/late-meter.ts";
import { meteredManager } from "../../src/adapters/metrics/metered-manager.ts";
import { meteredRegistry } from "../../src/adapters/metrics/metered-registry.ts";
import { expireLeases } from "../../src/adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../../src/adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../../src/adapters/mvcc/mvcc-store.ts";
import { sha256 } from "../../src/adapters/sha256.ts";
import type { ClusterPicture } from "../../src/api/cluster-picture.ts";
import { readClusterView } from "../../src/cli/cluster-view.ts";
import { engineMetrics } from "../../src/cli/engine-metrics.ts";
import { TurnKeeper } from "../../src/cli/turn-keeper.ts";
import { stateOf, unitRows } from "../../src/cli/views/unit-rows.ts";
import { writeAgentMetrics } from "../../src/cli/write-agent-metrics.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { Agent } from "../../src/daemon/agent.ts";
import type { AgentCondition } from "../../src/daemon/agent-condition.ts";
import { Engine } from "../../src/daemon/engine.ts";
import type { MachineId, UnitName } from "../../src/domain/names.ts";
import { METRICS } from "../../src/ports/metric-table.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import { UNSUPERVISED } from "../../src/ports/supervisor.ts";
import { AgentFiles } from "../../src/usecases/agent-files.ts";
import { applyPlan } from "../../src/usecases/apply-plan.ts";
import { commitCompiler } from "../../src/usecases/compile-commit.ts";
import { partCompiler } from "../../src/usecases/compile-part.ts";
import { planCommit } from "../../src/usecases/plan-commit.ts";
import { RegistryMemory } from "../../src/usecases/registry-memory.ts";
import { trustOf } from "../trust-of.ts";

const ROOT = join(fileURLToPath(import.meta.url), "../../..");
const M1 = "1".repeat(32) as MachineId;
const KEYS = registryKeys("prod");
/** A page of each daemon's, after a release has gone through both. */
const pages = { engine: "", agent: "" };

before(async () => {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const stop = new AbortController();
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const trust = trustOf(source);
  const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256 });
  const disk = new MemoryFileStore(() => clock.wallMs());
  const meters = { engine: new LateMeter("engine"), agent: new LateMeter("agent") };
  // They measure from when they are first asked.
  for (const meter of Object.values(meters)) await meter.text([]);
  const registryOf = (meter: LateMeter) => meteredRegistry(new MvccRegistry(store, clock), meter, clock);
  let ids = 0;
  const common = { source, trust, clock, newId: () => `id${++ids}`, sha256, log: () => {} };
  const turns = new TurnKeeper(clock);
  const engine = new Engine(
    "prod",
    { machine: "m0", leaderTtlMs: 9_000, loss: {} },
    {
      ...common,
      ...{ registry: failingFirst(registryOf(meters.engine), "txn", 1), compile, meter: meters.engine },
      memory: new RegistryMemory(new MemoryFileStore(), "/state"),
      supervisor: turns.beside(UNSUPERVISED),
    },
  );
  let condition: AgentCondition | null = null;
  const systemd = failingFirst(new MemoryUnitManager({ files: disk, clock }), "list", 3);
  const manager = meteredManager(systemd, meters.agent, clock);
  const agent = new Agent(
    { machine: M1, name: "m1", address: "10.0.0.1", metadata: {}, bootId: "b", version: "1" },
    "prod",
    9_000,
    {
      ...common,
      ...{ registry: registryOf(meters.agent), manager, meter: meters.agent, files: new AgentFiles(disk) },
      compilePart: partCompiler({ source, manifestPath: "fleet.yaml" }),
      holder: { renewed: async () => {} },
      health: new MemoryHealthProbe(),
      podman: new MemoryPodman(disk),
      contacts: [],
      supervisor: {
        turned: (now) => {
          condition = now;
        },
      },
    },
  );
  const registry = new MvccRegistry(store, clock);
  void expireLeases(store, clock, stop.signal);
  const running = [engine.run(stop.signal), agent.run(stop.signal)];
  assert.ok(await clock.runUntil(() => engine.leads, 20_000));
  const commit = repository.push(
    "main",
    {
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\nadmit: any\n",
      "units/a.service": "[Service]\nExecStart=/bin/a\n",
      "units/nowhere.service": "[Service]\nExecStart=/bin/b\n[X-Fleet]\nMachineMetadata=gpu=yes\n",
    },
    "first",
  );
  const applying = (async () => {
    const planned = await planCommit({
      ...{ commit, compile, cluster: { registry, keysOf: registryKeys }, partial: null, sha256 },
    });
    assert.ok(planned.kind === "planned");
    const place = { sourceName: "https://git.example/r", branch: "main", manifest: "fleet.yaml" };
    const { plan, spec } = planned;
    await applyPlan({ ...common, ...place, registry, keys: KEYS, plan, spec, by: "ann" });
  })();
  let applied = false;
  void applying.then(() => {
    applied = true;
  });
  assert.ok(await clock.runUntil(() => applied, 20_000));
  await applying;
  assert.ok(await clock.runUntil(() => condition?.active === 1, 60_000), "the agent has started it");
  await clock.advance(20_000);
  // What fails, too.
  await assert.rejects(manager.start("none.service" as UnitName));
  const refusing = { list: async () => Promise.reject(new OperationError("registry-timeout", "no answer")) };
  for (const meter of Object.values(meters)) {
    await assert.rejects(meteredRegistry(refusing as never, meter, clock).list("/"));
  }
  const picture = async (): Promise<ClusterPicture> => {
    const view = await readClusterView(registry, KEYS);
    const rows = unitRows(view).map((row) => ({ ...row, state: stateOf(row) }));
    const drifted = { ...rows[0]!, drift: { outcome: "corrected" } };
    return { ...view, rows: [drifted, ...rows.slice(1)], status: () => ({}) };
  };
  pages.engine = await engineMetrics(meters.engine, { turns, version: "1.2.3" }, picture);
  const folder = mkdtempSync(join(tmpdir(), "fleet-metrics-"));
  const written = new AbortController();
  const path = join(folder, "new", "agent.prom");
  const ended = { ...condition!, trouble: "source-unreachable" };
  const writing = writeAgentMetrics(
    { path, meter: meters.agent, version: "1.2.3", condition: () => ended },
    { clock, log: () => {}, signal: written.signal },
  );
  for (let looks = 0; looks < 200 && pages.agent === ""; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    pages.agent = existsSync(path) ? readFileSync(path, "utf8") : "";
  }
  written.abort();
  stop.abort();
  await clock.advance(1_000);
  await Promise.all([writing, ...running]);
  rmSync(folder, { recursive: true });
});

/** The same port, whose first calls of that name are not answered. */
function failingFirst<Port extends object>(port: Port, call: keyof Port, times: number): Port {
  let failed = 0;
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      if (failed === times || name !== call) return member.bind(target);
      failed += 1;
      return () => Promise.reject(new OperationError("timeout", "no answer"));
    },
  });
}

/** Samples of one name: `labels value`. */
function samples(page: string, name: string): string[] {
  return page.split("\n").filter((line) => new RegExp(`^${name}(_count|_sum|_bucket)?[{ ]`).test(line));
}

for (const [name, { of, help }] of Object.entries(METRICS)) {
  test(`${name} is said by ${of === "both" ? "engine and agent" : `the ${of}`}, and by nobody else`, () => {
    for (const daemon of ["engine", "agent"] as const) {
      const isSaid = samples(pages[daemon], name).length > 0;
      assert.equal(isSaid, of === "both" || of === daemon, `${daemon}:\n${pages[daemon]}`);
      if (isSaid) assert.ok(pages[daemon].includes(`# HELP ${name} ${help}`));
    }
  });
}

const VALUES: readonly (readonly ["engine" | "agent", string, RegExp])[] = [
  ["engine", 'fleet_build_info{version="1.2.3"}', /^1$/],
  ["engine", "fleet_engine_leads", /^1$/],
  ["engine", "fleet_engine_term", /^1$/],
  ["engine", 'fleet_machines{presence="present"}', /^1$/],
  ["engine", 'fleet_units{state="launched",active="active"}', /^1$/],
  ["engine", 'fleet_units{state="inactive",active="inactive"}', /^1$/],
  ["engine", "fleet_units_unplaced", /^1$/],
  ["engine", "fleet_release_seq", /^1$/],
  ["engine", "fleet_machines_behind", /^0$/],
  ["engine", "fleet_sync_held", /^0$/],
  ["engine", "fleet_lease_slack_seconds", /^6(\.\d+)?$/],
  ["engine", 'fleet_registry_request_failures_total{operation="list",code="registry-timeout"}', /^1$/],
  ["engine", 'fleet_engine_pass_failures_total{code="timeout"}', /^1$/],
  ["agent", 'fleet_agent_pass_failures_total{code="timeout"}', /^[123]$/],
  ["agent", 'fleet_agent_units{active="active"}', /^1$/],
  ["agent", "fleet_agent_release_seq", /^1$/],
  ["agent", 'fleet_agent_trouble{code="source-unreachable"}', /^1$/],
  ["agent", 'fleet_systemd_call_seconds_count{call="start"}', /^2$/],
  ["agent", 'fleet_systemd_call_failures_total{call="start",code="unit-not-found"}', /^1$/],
];
for (const [daemon, sample, value] of VALUES) {
  test(`the ${daemon} says ${sample} as it is`, () => {
    const line = pages[daemon].split("\n").find((one) => one.startsWith(`${sample} `));
    assert.match(line?.slice(sample.length + 1) ?? "not said", value);
  });
}

test("what was said of a state nothing is in any more is not said again", async () => {
  const meter = new LateMeter("engine");
  const drifted = { name: "fleet_units_drifted", labels: { outcome: "given-up" }, value: 1 } as const;
  assert.match(await meter.text([drifted]), /given-up/);
  assert.doesNotMatch(await meter.text([]), /given-up/);
});

test("docs/metrics.md has every metric with its labels and meaning, and no other", () => {
  const page = readFileSync(join(ROOT, "docs/metrics.md"), "utf8");
  const rows = [...page.matchAll(/^\| `(fleet_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \| (.*) \|$/gm)];
  const said = rows.map(([, name, kind, of, labels, help]) => ({ name, kind, of, labels, help }));
  const known = Object.entries(METRICS).map(([name, { kind, of, labels, help }]) => ({
    ...{ name, kind, of: of === "both" ? "engine, agent" : of, labels: labels.join(", "), help },
  }));
  assert.deepEqual(said, known);
});

test("every alert says what it is about and what to do, and every panel asks for something", () => {
  const read = (file: string) => readFileSync(join(ROOT, "examples/monitoring", file), "utf8");
  const { groups } = parse(read("fleet-alerts.yaml")) as { groups: { rules: Record<string, unknown>[] }[] };
  for (const { alert, expr, annotations, ...rest } of groups.flatMap(({ rules }) => rules)) {
    const { summary, description } = annotations as Record<string, string>;
    assert.ok(
      [alert, expr, summary, description].every((text) => typeof text === "string" && text !== ""),
      String(alert),
    );
    assert.deepEqual(
      Object.keys(rest).filter((key) => key !== "for"),
      ["labels"],
    );
  }
  const { panels } = JSON.parse(read("fleet-dashboard.json")) as { panels: { targets: { expr: string }[] }[] };
  for (const { targets } of panels)
    assert.ok(targets.length > 0 && targets.every(({ expr }) => expr.includes("fleet_")));
});

for (const file of readdirSync(join(ROOT, "examples/monitoring"))) {
  test(`examples/monitoring/${file} asks for nothing that is not measured`, () => {
    const text = readFileSync(join(ROOT, "examples/monitoring", file), "utf8");
    const asked = [...text.matchAll(/\bfleet_\w+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, ""));
    assert.ok(asked.length > 0);
    assert.deepEqual(
      [...new Set(asked)].filter((name) => !(name in METRICS)),
      [],
    );
  });
}
