import { join } from "node:path";
import type { Interfaces } from "@oclif/core";
import { LateMeter } from "../../adapters/metrics/late-meter.ts";
import { meteredRegistry } from "../../adapters/metrics/metered-registry.ts";
import { Doorstep } from "../../daemon/doorstep.ts";
import { DEFAULT_AGENT_TTL_MS } from "../../domain/spec/loss-defaults.ts";
import { type ApiDoor, apiDoors } from "../api-doors.ts";
import { BaseCommand } from "../base-command.ts";
import { composeDaemon, type DaemonWorld } from "../daemon-composition.ts";
import { daemonFlags, lossFlags, thisMachine } from "../daemon-flags.ts";
import { type DaemonService, runService, supervisedBy } from "../daemon-service.ts";
import { listenAddress } from "../listen-address.ts";
import type { ApiServing } from "../serve-api.ts";
import type { FrontServing } from "../serve-front.ts";
import { TurnKeeper } from "../turn-keeper.ts";
import { engineConditionText } from "../views/daemon-condition-text.ts";

type EngineFlags = Interfaces.InferredFlags<typeof daemonFlags>;

/** The leader lease where nothing shorter is configured: a leader that died is missed for this long. */
const LEADER_TTL_MAX_MS = 15_000;

export default class EngineCommand extends BaseCommand {
  static override summary = "Run the engine: decides which machine runs which unit; one of all engines leads";
  static override examples = [
    "fleet engine --registry etcd://etcd1:2379 --source https://git.example/infra.git --listen :7440",
  ];
  static override flags = daemonFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(EngineCommand);
    await runService("fleet-engine", (service) => this.#serve(flags, service));
  }

  async #serve(flags: EngineFlags, service: DaemonService): Promise<void> {
    const self = thisMachine(flags, this.config.version);
    const listen = flags.listen === undefined ? null : listenAddress(flags.listen);
    const doors = apiDoors(flags);
    service.notifier.ready();
    service.notifier.status("asks the source which cluster this is");
    const composed = await composeDaemon(flags, "engine", null, service);
    const meter = new LateMeter("engine");
    const registry = meteredRegistry(composed.registry, meter, composed.clock);
    const world = { ...composed, registry };
    const [
      { Engine },
      { DiskFileStore },
      { RegistryMemory },
      { commitCompiler },
      { OutsideNotifier },
      { GithubStatus },
    ] = await Promise.all([
      import("../../daemon/engine.ts"),
      import("../../adapters/files/disk-file-store.ts"),
      import("../../usecases/registry-memory.ts"),
      import("../../usecases/compile-commit.ts"),
      import("../../adapters/notify/outside-notifier.ts"),
      import("../../adapters/notify/github-status.ts"),
    ]);
    // A commit nobody looked at is held to all that `fleet apply` is; what is in force already is not.
    const vet = commitCompiler({
      source: world.source,
      manifestPath: flags.manifest,
      sha256: world.sha256,
      lint: true,
    });
    const memory = new RegistryMemory(new DiskFileStore(), join(flags["state-directory"], "engine"));
    const loss = await lossFlags(flags);
    const leaderTtlMs = Math.min(LEADER_TTL_MAX_MS, loss.agentTtlMs ?? DEFAULT_AGENT_TTL_MS);
    const options = { machine: self.machine, leaderTtlMs, loss };
    const turns = new TurnKeeper(world.clock);
    const supervisor = turns.beside(supervisedBy(service.notifier, engineConditionText));
    const doorstep = new Doorstep(world.clock);
    const ended = new AbortController();
    const both = AbortSignal.any([service.signal, ended.signal]);
    const serving =
      listen === null
        ? null
        : serveMachines(
            world,
            {
              ...{ machine: self.machine, version: self.version, doorstep, listen },
              ...{ branch: flags.branch ?? "main", stateDirectory: flags["state-directory"] },
            },
            both,
          );
    const answering = serveQuestions(world, { doors, version: self.version, turns, meter }, both);
    try {
      await new Engine(world.cluster, options, {
        ...world,
        vet,
        memory,
        supervisor,
        meter,
        doorstep,
        notifier: new OutsideNotifier(),
        poster: new GithubStatus(flags["forge-api"]),
      }).run(service.signal);
    } finally {
      ended.abort(null);
      await Promise.all([serving, answering]);
      await world.registry.close();
    }
  }
}

interface Questions {
  readonly doors: readonly ApiDoor[];
  readonly version: string;
  readonly turns: TurnKeeper;
  readonly meter: LateMeter;
}

/** The API: beside the engine, too, and not loaded where nobody can ask. */
async function serveQuestions(world: DaemonWorld, asked: Questions, signal: AbortSignal): Promise<void> {
  if (asked.doors.length === 0) return;
  const [{ serveApi }, { engineMetrics }] = await Promise.all([
    import("../serve-api.ts"),
    import("../engine-metrics.ts"),
  ]);
  const { doors, version, turns, meter } = asked;
  const metrics: ApiServing["metrics"] = (picture) => engineMetrics(meter, asked, picture);
  await serveApi(world, { doors, version, health: () => turns.health, metrics }, signal);
}

/** Beside the engine: whatever becomes of it, units are placed. */
async function serveMachines(world: DaemonWorld, serving: FrontServing, signal: AbortSignal): Promise<void> {
  const { serveFront } = await import("../serve-front.ts");
  await serveFront(world, serving, signal);
}
