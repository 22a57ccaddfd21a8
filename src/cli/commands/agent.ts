import { join } from "node:path";
import type { Interfaces } from "@oclif/core";
import type { ControlServer } from "../../adapters/control/control-server.ts";
import { systemClock } from "../../adapters/system-clock.ts";
import type { Agent } from "../../daemon/agent.ts";
import type { AgentCondition } from "../../daemon/agent-condition.ts";
import { backoffMs } from "../../daemon/backoff.ts";
import type { AgentIdentity } from "../../daemon/member-announcer.ts";
import type { StandaloneOrders } from "../../daemon/standalone-orders.ts";
import type { UnitName } from "../../domain/names.ts";
import type { SpecPart } from "../../domain/spec/commit-part.ts";
import { type Log, refusal } from "../../ports/log.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { SecretReader } from "../../ports/secret-reader.ts";
import type { UnitManager } from "../../ports/unit-manager.ts";
import type { AgentMetrics } from "../agent-metrics.ts";
import { answerJournals } from "../answer-journals.ts";
import { BaseCommand } from "../base-command.ts";
import { countingProgress } from "../counting-progress.ts";
import { composeDaemon } from "../daemon-composition.ts";
import { daemonFlags, durationFlag, thisMachine } from "../daemon-flags.ts";
import { type DaemonService, runService, supervisedBy } from "../daemon-service.ts";
import { hubTeller } from "../hub-teller.ts";
import type { Hub } from "../open-hub.ts";
import type { followGit } from "../standalone-agent.ts";
import { agentConditionText } from "../views/daemon-condition-text.ts";

/** A unit every systemd has: any answer will do. */
const ALWAYS_THERE = "-.slice" as UnitName;

type AgentFlags = Interfaces.InferredFlags<typeof daemonFlags>;

export default class AgentCommand extends BaseCommand {
  static override summary = "Run the agent: makes this machine's systemd match the units placed here";
  static override examples = ["fleet agent --registry hub://nas.lan --source https://git.example/infra.git"];
  static override flags = daemonFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentCommand);
    await runService("fleet-agent", (service) => this.#serve(flags, service));
  }

  async #serve(flags: AgentFlags, service: DaemonService): Promise<void> {
    const self = thisMachine(flags, this.config.version);
    const [
      { Agent },
      { SystemdUnitManager },
      { TransientCheck },
      { RootProgram },
      { MachineHealthProbe },
      { MachinePodman },
      { LeaseFile },
      { DiskFileStore },
      { AGENT_FOLDERS, AgentFiles },
      { markedCluster },
    ] = await Promise.all([
      import("../../daemon/agent.ts"),
      import("../../adapters/systemd/systemd-unit-manager.ts"),
      import("../../adapters/systemd/transient-check.ts"),
      import("../../adapters/systemd/root-program.ts"),
      import("../../adapters/health/machine-health-probe.ts"),
      import("../../adapters/podman/machine-podman.ts"),
      import("../../adapters/systemd/lease-file.ts"),
      import("../../adapters/files/disk-file-store.ts"),
      import("../../usecases/agent-files.ts"),
      import("../../usecases/mark-keeper.ts"),
    ]);
    const { notifier, signal } = service;
    const disk = countingProgress(new DiskFileStore(), notifier.progress);
    const secrets = await secretsOf(flags["state-directory"]);
    const files = new AgentFiles(disk, { ...AGENT_FOLDERS, state: join(flags["state-directory"], "agent") }, secrets);
    const known = (await files.readState())?.clusterName ?? null;
    const remembered = known ?? (flags.standalone ? await markedCluster(disk) : null);
    const metrics = flags["agent-metrics-file"] === undefined ? null : await agentMetrics(flags["agent-metrics-file"]);
    const systemd = countingProgress(new SystemdUnitManager({ clock: systemClock }), notifier.progress);
    const manager = metrics === null ? systemd : metrics.ofManager(systemd);
    const health = new MachineHealthProbe(new TransientCheck(systemClock, process.pid));
    const podman = new MachinePodman(new RootProgram(systemClock, process.pid, AGENT_FOLDERS.run), AGENT_FOLDERS.run);
    const closing: (() => unknown)[] = [() => manager.close(), () => health.close(), () => podman.close()];
    const over = new AbortController();
    try {
      const looking = becomeReady(manager, notifier, AbortSignal.any([signal, over.signal]));
      const world = await composeDaemon(flags, "agent", remembered, service);
      closing.push(() => world.registry.close());
      const ttlMs = durationFlag("agent-ttl", flags["agent-ttl"]) ?? null;
      const holder = new LeaseFile(world.clock);
      const { hub } = world;
      const tell = hubTeller(service.log, systemClock);
      const orders = flags.standalone ? await ordersOf(self, flags, world, { files, disk }) : null;
      const supervisor = supervisedBy(notifier, (condition: AgentCondition) => {
        metrics?.turned(condition);
        if (hub !== null) tell(hub.state());
        const trouble = condition.trouble ?? orders?.problem?.code ?? null;
        return agentConditionText({ ...condition, trouble }, hub?.state() ?? null);
      });
      const pins = hub ?? (await keptPins(flags["state-directory"]));
      const { machine } = self;
      const journals = await answerJournals(flags["allow-journal"], { hub, self: machine, files, log: service.log });
      const onRelease = ({ machines }: SpecPart) => {
        void pins.accept(machines).catch(refuseWith(service.log));
        journals?.accept(machines);
      };
      const registry = metrics === null ? world.registry : metrics.ofRegistry(world.registry);
      const machinePorts = { manager, files, holder, health, podman };
      const ports = { ...world, registry, ...machinePorts, supervisor, onRelease, ...metrics?.ports };
      const agent = new Agent(self, world.cluster, ttlMs, ports);
      const control = await listenHere(agent, self, service, orders);
      closing.push(() => control?.close());
      const telling = journals?.run(AbortSignal.any([signal, over.signal]));
      const following = orders?.run(AbortSignal.any([signal, over.signal]));
      const writing = metrics?.write(self.version, service, AbortSignal.any([signal, over.signal]));
      await Promise.race([agent.run(signal), untilFailed(following)]);
      await Promise.all([looking, telling, following, writing]);
    } finally {
      over.abort(null);
      // What stays open keeps a process from ending.
      for (const close of closing.reverse()) await close();
    }
  }
}

/** Read with the machine's own key, asked for when there is a first one. */
async function secretsOf(stateDirectory: string): Promise<SecretReader> {
  const [{ machineSecrets }, { readIdentity }] = await Promise.all([
    import("../../adapters/secrets/machine-secrets.ts"),
    import("../../adapters/identity/ensure-identity.ts"),
  ]);
  return machineSecrets(() => readIdentity(join(stateDirectory, "identity")));
}

async function agentMetrics(path: string): Promise<AgentMetrics> {
  const { AgentMetrics } = await import("../agent-metrics.ts");
  return new AgentMetrics(path);
}

/** Of a machine that reaches its registry directly: it may go through engines tomorrow, and then knows which are its cluster's. */
async function keptPins(stateDirectory: string): Promise<Pick<Hub, "accept">> {
  const [{ DiskFileStore }, { EnginePins }] = await Promise.all([
    import("../../adapters/files/disk-file-store.ts"),
    import("../../usecases/engine-pins.ts"),
  ]);
  const pins = new EnginePins(new DiskFileStore(), stateDirectory);
  await pins.recall();
  return {
    async accept(machines) {
      pins.accept(machines);
      await pins.save();
    },
  };
}

/** Of a disk that did not take what was accepted: it counts, and is read from git again when the agent starts. */
function refuseWith(log: Log): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof OperationError)) throw error;
    log(refusal(error));
  };
}

async function ordersOf(...given: Parameters<typeof followGit>): Promise<StandaloneOrders> {
  const { followGit } = await import("../standalone-agent.ts");
  return followGit(...given);
}

/** A defect of ours ends the process, for systemd to begin it anew; a wish to end does not. */
function untilFailed(running: Promise<void> | undefined): Promise<never> {
  return new Promise((_, reject) => {
    running?.catch(reject);
  });
}

/** For whoever is root here, also with no registry to ask; an agent that cannot listen does its work all the same. */
async function listenHere(
  agent: Agent,
  self: AgentIdentity,
  { log }: DaemonService,
  orders: StandaloneOrders | null,
): Promise<ControlServer | null> {
  const [{ CONTROL_REQUEST_MAX, CONTROL_SOCKET }, { controlAnswers }, { serveControl }] = await Promise.all([
    import("../../codec/control-message.ts"),
    import("../../daemon/control-answers.ts"),
    import("../../adapters/control/control-server.ts"),
  ]);
  const answer = controlAnswers(self, agent.holds, systemClock, orders === null ? null : () => orders.state());
  try {
    return await serveControl({ path: CONTROL_SOCKET, requestMax: CONTROL_REQUEST_MAX, answer });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    log(refusal(error));
    return null;
  }
}

/**
 * Ready is an agent that has seen its systemd, whatever else is away: a machine without network or registry starts what it ran last, and a
 * start timeout that waited for them would end an agent that does its work.
 */
async function becomeReady(
  manager: UnitManager,
  notifier: DaemonService["notifier"],
  signal: AbortSignal,
): Promise<void> {
  notifier.status("looks at this machine for the first time, and waits for the source or the registry");
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      await manager.list([ALWAYS_THERE]);
      return notifier.ready();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      notifier.status(`${error.code}: ${error.message}`);
      await systemClock.sleep(backoffMs(attempt), signal);
    }
  }
}
