import type { AreaReport } from "../domain/doctor/finding.ts";
import { judgeRegistryCheck } from "../domain/doctor/judge-registry-check.ts";
import type { Clock } from "../ports/clock.ts";
import type { RegistryLink } from "../ports/machine-probes.ts";
import type { RegistryProbes } from "../ports/registry-probes.ts";
import { askRegistry } from "./ask-registry.ts";
import { PROBE_MAX_MS } from "./examine-machine.ts";
import { lookInTime } from "./look-in-time.ts";

/** Looks at everything of a registry at once, whatever hangs or fails, and says what is wrong with it. */
export async function checkRegistry(
  link: RegistryLink | null,
  probes: RegistryProbes,
  clock: Clock,
): Promise<AreaReport[]> {
  const look = <T>(probe: () => Promise<T>) => lookInTime(probe, PROBE_MAX_MS, clock);
  const [registry, endpoints, store, access, certificates] = await Promise.all([
    look(() => askRegistry(link, clock)),
    look(() => probes.endpoints()),
    look(() => probes.store()),
    look(() => probes.access()),
    look(() => probes.certificates()),
  ]);
  return judgeRegistryCheck({ registry, endpoints, store, access, certificates });
}
