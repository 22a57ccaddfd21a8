import { registryKeys } from "../codec/registry-keys.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { ClusterFacts, DoctorFacts, SourceFacts } from "../domain/doctor/doctor-facts.ts";
import type { AreaReport } from "../domain/doctor/finding.ts";
import { judgeMachine } from "../domain/doctor/judge-machine.ts";
import { judgeReplaced, type RegistryMark, type Replaced } from "../domain/fencing/judge-replaced.ts";
import { parseMachineId } from "../domain/names.ts";
import type { Clock } from "../ports/clock.ts";
import type { MachineProbes } from "../ports/machine-probes.ts";
import type { Registry } from "../ports/registry.ts";
import { ANSWER_MAX_MS, askRegistry } from "./ask-registry.ts";
import { lookInTime } from "./look-in-time.ts";
import { readShownRegistry } from "./read-shown-registry.ts";
import { replacedDetail } from "./replaced-detail.ts";

/** Each look at most this long: longer than the registry's own deadline, and short enough to wait for. All go on at the same time. */
export const PROBE_MAX_MS = 8_000;

/** Looks at everything at once, whatever hangs or fails, and says what is wrong. `cluster`: its name where somebody said it. */
export async function examineMachine(
  probes: MachineProbes,
  clock: Clock,
  cluster: string | undefined,
): Promise<AreaReport[]> {
  const look = <T>(probe: () => Promise<T>) => lookInTime(probe, PROBE_MAX_MS, clock);
  const opened = look(() => probes.registry());
  const [systemd, disk, limits, daemons, memory, units, source, podman, standalone, registry] = await Promise.all([
    look(() => probes.systemd()),
    look(() => probes.disk()),
    look(() => probes.limits()),
    look(() => probes.daemons()),
    look(() => probes.memory()),
    look(() => probes.units()),
    look(() => askSource(probes, clock)),
    look(() => probes.podman()),
    probes.standalone === undefined ? undefined : look(() => probes.standalone!()),
    opened.then((seen) => (seen.kind === "seen" ? look(() => askRegistry(seen.value, clock)) : seen)),
  ]);
  const known = memory.kind === "seen" ? memory.value : null;
  const name = cluster ?? known?.clusterName ?? null;
  const answers = registry.kind === "seen" && registry.value.answer !== null;
  const link = await opened;
  const machine = systemd.kind === "seen" ? parseMachineId(systemd.value.machineId ?? "") : null;
  const agentRuns = daemons.kind === "seen" && daemons.value.agent.active === "active";
  const asked = await look(async (): Promise<ClusterFacts> => {
    const here = { machine, clusterId: known?.clusterId ?? null, bootId: await probes.bootId(), agentRuns };
    const isAsked = answers && name !== null && link.kind === "seen" && link.value !== null;
    return {
      there: isAsked ? await askCluster(link.value.registry, name, machine, known?.marks ?? [], clock) : null,
      here,
    };
  });
  const facts: DoctorFacts = {
    systemd,
    disk,
    limits,
    daemons,
    memory,
    units,
    registry,
    cluster: asked,
    source,
    podman,
    ...(standalone === undefined ? {} : { standalone }),
  };
  return judgeMachine(facts);
}

async function askSource(probes: MachineProbes, clock: Clock): Promise<SourceFacts> {
  const address = probes.sourceAddress();
  if (address === null) return { address, latencyMs: 0, problem: null };
  const startedMs = clock.monotonicMs();
  const answer = await lookInTime(() => probes.source(), ANSWER_MAX_MS, clock);
  const latencyMs = clock.monotonicMs() - startedMs;
  return { address, latencyMs, problem: answer.kind === "seen" ? null : answer.detail };
}

async function askCluster(
  registry: Registry,
  name: string,
  machine: ClusterFacts["here"]["machine"],
  marks: readonly RegistryMark[],
  clock: Clock,
): Promise<NonNullable<ClusterFacts["there"]>> {
  const keys = registryKeys(name);
  const exact = (key: string) => ({ kind: "list", prefix: key, exact: true }) as const;
  const own = machine === null ? [] : [exact(keys.member(machine)), exact(keys.presence(machine))];
  const shown = await readShownRegistry(registry, keys);
  const [replaced] = shown === null ? [] : marks.map((mark) => judgeReplaced(shown, mark)).filter(isReplaced);
  const { listings, revision } = await registry.txn({
    when: [],
    then: [exact(keys.cluster), exact(keys.release), ...own],
  });
  const { snapshot, newerVersion } = snapshotFromEntries(keys, listings.flat(), revision);
  const [member = null] = snapshot.members;
  const written = [snapshot.release?.at, member?.joined].map((at) => Date.parse(at ?? "")).filter(Number.isFinite);
  return {
    name,
    id: snapshot.identity?.id ?? null,
    newerVersion,
    ...(replaced === undefined ? {} : { replaced: replacedDetail(replaced) }),
    member: member === null ? null : { name: member.name, bootId: member.bootId, present: member.present },
    aheadMs: Math.max(0, ...written.map((at) => at - clock.wallMs())),
  };
}

/** Another cluster's registry has a finding of its own. */
function isReplaced(because: Replaced | null): because is Replaced {
  return because !== null && because.code !== "other-cluster";
}
