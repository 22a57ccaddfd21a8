import { constants, readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { displayUrl } from "../adapters/git/display-url.ts";
import { isHubAddress } from "../adapters/hub/hub-address.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { CONTROL_SOCKET, encodeControlRequest } from "../codec/control-message.ts";
import type { HubFacts, StandaloneFacts } from "../domain/doctor/doctor-facts.ts";
import type { UnitName } from "../domain/names.ts";
import type { MachineProbes } from "../ports/machine-probes.ts";
import { OperationError } from "../ports/operation-error.ts";
import { AGENT_FOLDERS } from "../usecases/agent-files.ts";
import { findForeignFiles, recallMemory } from "../usecases/recall-memory.ts";
import { askStandalone } from "./ask-standalone.ts";
import { type CompositionFlags, NO_REGISTRY } from "./composition.ts";
import type { Hub } from "./open-hub.ts";
import { openRegistryAt, registryAddress } from "./open-registry-at.ts";
import { sourceAccess } from "./source-access.ts";

/** One question over the network. */
const SOURCE_MAX_MS = 5_000;
const DAEMONS = ["fleet-agent.service", "fleet-engine.service", "fleet-restore.service"] as const;

/** Of the engine as its unit is shipped; one that runs otherwise has its memory in the state directory. */
const ENGINE_STATE = "/var/lib/fleet-engine/engine";

/** The real machine's; `close` ends what they opened. */
export async function doctorProbes(
  flags: CompositionFlags & { readonly "state-directory": string; readonly standalone?: boolean },
): Promise<{ readonly probes: MachineProbes; readonly close: () => Promise<void> }> {
  const [disk, systemd, { DiskFileStore }, { SystemdUnitManager }, { probeEngines, probeSource }, { askControl }] =
    await Promise.all([
      import("../adapters/machine/probe-disk.ts"),
      import("../adapters/machine/probe-systemd.ts"),
      import("../adapters/files/disk-file-store.ts"),
      import("../adapters/systemd/systemd-unit-manager.ts"),
      import("../adapters/git/probe-source.ts"),
      import("../adapters/control/ask-control.ts"),
    ]);
  const address = flags.standalone === true ? null : await registryAddress(flags);
  // Machines that go through engines have the repository from them.
  const isHub = address !== null && isHubAddress(address);
  const files = new DiskFileStore();
  const folders = { ...AGENT_FOLDERS, state: join(flags["state-directory"], "agent") };
  const manager = new SystemdUnitManager({ clock: systemClock });
  const closing: (() => Promise<void>)[] = [];
  const asRoot = <T>(what: string, look: () => Promise<T>): Promise<T> => {
    if (process.getuid?.() === 0) return look();
    throw new OperationError("not-allowed", `only root may read ${what}`);
  };
  const agentAnswers = async (): Promise<boolean | null> => {
    try {
      await askControl(CONTROL_SOCKET, encodeControlRequest({ do: "holds" }));
      return true;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return error.code === "not-allowed" ? null : false;
    }
  };
  const probes: MachineProbes = {
    systemd: () => systemd.probeSystemd(() => manager.list([DAEMONS[0] as UnitName])),
    disk: () =>
      disk.probeDisk([
        { path: folders.units, purpose: "unit files" },
        { path: folders.state, purpose: "the agent's memory" },
      ]),
    limits: () => disk.probeLimits(),
    async daemons() {
      const [[agent, engine, restore], answers] = await Promise.all([systemd.probeDaemons(DAEMONS), agentAnswers()]);
      return { agent: agent!, engine: engine!, restore: restore!, agentAnswers: answers };
    },
    memory: async () =>
      asRoot(folders.state, () =>
        recallMemory(files, folders, [join(flags["state-directory"], "engine"), ENGINE_STATE]),
      ),
    units: async () => asRoot(folders.run, () => findForeignFiles(files, folders)),
    async registry() {
      if (address === null || address === NO_REGISTRY) return null;
      const socket = /^unix:(.+)$/.exec(address)?.[1];
      if (socket !== undefined) await mayWrite(socket);
      const { registry, hub } = await openRegistryAt(address, "doctor", flags);
      closing.push(() => registry.close());
      return { address, registry, ...(hub === null ? {} : { hub: () => hubFacts(hub) }) };
    },
    sourceAddress: () =>
      flags.source === undefined ? (isHub ? `through ${address}` : null) : displayUrl(flags.source),
    async source() {
      if (flags.source !== undefined)
        return probeSource(flags.source, flags.branch ?? "main", SOURCE_MAX_MS, sourceAccess(flags));
      const { registry, hub } = await openRegistryAt(address!, "doctor-source", flags);
      closing.push(() => registry.close());
      await probeEngines(hub!.socketPath, SOURCE_MAX_MS);
    },
    podman: () => systemd.probePodman(),
    ...(flags.standalone === true ? { standalone: standaloneFacts } : {}),
    bootId: async () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
  };
  const close = async () => {
    manager.close();
    for (const end of closing) await end();
  };
  return { probes, close };
}

async function standaloneFacts(): Promise<StandaloneFacts> {
  try {
    return { state: (await askStandalone()).state };
  } catch (error) {
    // That no agent answers is told of the daemons.
    if (error instanceof OperationError) return { state: null };
    throw error;
  }
}

async function hubFacts(hub: Hub): Promise<HubFacts> {
  await hub.tryAll();
  return { state: hub.state(), self: { ...hub.self, name: process.env.FLEET_NAME ?? hostname() } };
}

/** A socket that only others may use says nothing of whether somebody listens. One that is not there is the registry's affair. */
async function mayWrite(socket: string): Promise<void> {
  try {
    await access(socket, constants.W_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") return;
    throw new OperationError("not-allowed", `only root, or its group, may ask the registry on ${socket}`);
  }
}
