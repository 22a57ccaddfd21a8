import { type AgentState, decodeAgentState, decodeStoredUnit } from "../codec/agent-state.ts";
import { decodeRecord } from "../codec/record.ts";
import { decodeRegistryMark } from "../codec/registry-mark-record.ts";
import type { ForeignFile, MemoryFacts } from "../domain/doctor/doctor-facts.ts";
import type { RegistryMark } from "../domain/fencing/judge-replaced.ts";
import type { UnitName } from "../domain/names.ts";
import { FOREIGN_QUADLETS } from "../domain/tasks/foreign-files.ts";
import type { FileStore } from "../ports/file-store.ts";
import type { AgentFolders } from "./agent-files.ts";
import { AgentFiles } from "./agent-files.ts";
import { REGISTRY_MEMORY_FILE } from "./registry-memory.ts";

/** Somebody else's unit files and drop-ins stand here, and go before ours; a mask may stand beside ours as well. */
const BEFORE_OURS = ["/etc/systemd/system", "/run/systemd/system.control", "/etc/systemd/system.control"];

/** What the agent has on its disk, read as it would read it at its start; nothing is written. */
export async function recallMemory(
  files: FileStore,
  folders: AgentFolders,
  engineFolders: readonly string[] = [],
): Promise<MemoryFacts> {
  const damaged: string[] = [];
  const statePath = `${folders.state}/state.json`;
  const stateText = await files.read(statePath);
  const state = decodeAgentState(stateText);
  if (stateText !== null && state === null) damaged.push(statePath);
  for (const path of [`${folders.run}/owned.json`, `${folders.state}/holds.json`]) {
    const text = await files.read(path);
    if (text !== null && decodeRecord(text, {}).kind !== "record") damaged.push(path);
  }
  const needed = new Set(state?.set?.placements.map(({ hash }) => `${hash}.json`) ?? []);
  const stored = (await files.list(`${folders.state}/units`)).filter((name) => needed.has(name));
  for (const name of stored) {
    const path = `${folders.state}/units/${name}`;
    if (decodeStoredUnit(await files.read(path)) === null) damaged.push(path);
  }
  const engineTexts = await Promise.all(engineFolders.map((folder) => files.read(`${folder}/${REGISTRY_MEMORY_FILE}`)));
  const marks = [state === null ? null : markOfAgent(state), ...engineTexts.map(decodeRegistryMark)];
  const known = marks.filter((mark) => mark !== null);
  const bootSet = await files.read(`${folders.state}/boot-set`);
  return {
    clusterId: state?.clusterId ?? null,
    clusterName: state?.clusterName ?? null,
    releaseSeq: state?.accepted?.seq ?? null,
    ...(known.length === 0 ? {} : { marks: known }),
    placed: state?.set?.placements.length ?? 0,
    damaged,
    isBootSetCut: bootSet !== null && !bootSet.endsWith("\nend\n") && bootSet !== "end\n",
  };
}

/** Terms are the engines'. */
function markOfAgent({ clusterId, accepted, set }: AgentState): RegistryMark | null {
  if (clusterId === null) return null;
  const takenIn = accepted?.records?.identity.epoch ?? 1;
  const epoch = Math.max(takenIn, set?.epoch ?? 0);
  const isOfEpoch = accepted !== null && takenIn === epoch;
  return { clusterId, epoch, term: 0, seq: isOfEpoch ? accepted.seq : 0, commit: isOfEpoch ? accepted.commit : null };
}

/** Files of others that change what the units are that fleet wrote here. */
export async function findForeignFiles(files: FileStore, folders: AgentFolders): Promise<readonly ForeignFile[]> {
  const owned = await new AgentFiles(files, folders).readOwned();
  const found: ForeignFile[] = [];
  for (const folder of [folders.units, ...BEFORE_OURS]) {
    const there = new Set(await files.list(folder));
    for (const [name, { service, files: ours }] of owned) {
      // Beside our own file there can be a mask at most; a quadlet's service has no file of ours.
      const isOurs = folder === folders.units && name === service;
      if (there.has(service)) found.push(...(await unitFile(files, folder, service, isOurs)));
      if (there.has(`${service}.d`)) found.push(...(await dropins(files, folder, service, ours)));
    }
  }
  const quadlets = [...owned].filter(([name, { service }]) => name !== service);
  for (const [name, { files: ours }] of quadlets) {
    for (const folder of [folders.quadlets, FOREIGN_QUADLETS])
      found.push(...(await dropins(files, folder, name, ours)));
  }
  return found;

  async function dropins(disk: FileStore, folder: string, unit: UnitName, ours: readonly string[]) {
    const names = (await disk.list(`${folder}/${unit}.d`)).filter((name) => name.endsWith(".conf"));
    const isOurFolder = folder === folders.units || folder === folders.quadlets;
    return names
      .filter((name) => !isOurFolder || !ours.includes(`${unit}.d/${name}`))
      .map((name): ForeignFile => ({ unit, path: `${folder}/${unit}.d/${name}`, kind: "drop-in" }));
  }
}

/** systemd takes a link to `/dev/null` and an empty file for a mask. */
async function unitFile(files: FileStore, folder: string, unit: UnitName, isOurs: boolean): Promise<ForeignFile[]> {
  const path = `${folder}/${unit}`;
  const [print] = await files.fingerprints([path]);
  const isMask = print?.kind === "link" ? print.target === "/dev/null" : print?.size === 0;
  if (isMask) return [{ unit, path, kind: "mask" }];
  return isOurs ? [] : [{ unit, path, kind: "shadow" }];
}
