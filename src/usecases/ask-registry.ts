import type { RegistryAnswer, RegistryFacts } from "../domain/doctor/doctor-facts.ts";
import type { Clock } from "../ports/clock.ts";
import type { RegistryLink } from "../ports/machine-probes.ts";
import type { Registry } from "../ports/registry.ts";
import { lookInTime } from "./look-in-time.ts";

/** A registry or a source that is silent for as long is away, whatever its connection does. */
export const ANSWER_MAX_MS = 6_000;

/** What a registry says of itself, or why nothing came. Null: none is configured. */
export async function askRegistry(link: RegistryLink | null, clock: Clock): Promise<RegistryFacts> {
  if (link === null) return { address: null, answer: null, problem: null };
  const { address, registry } = link;
  const [answer, engines] = await Promise.all([
    lookInTime(() => describe(registry, clock), ANSWER_MAX_MS, clock),
    link.hub === undefined ? null : lookInTime(link.hub, ANSWER_MAX_MS, clock),
  ]);
  const hub = engines?.kind === "seen" ? { hub: engines.value } : {};
  if (answer.kind === "seen") return { address, answer: answer.value, problem: null, ...hub };
  return { address, answer: null, problem: answer.detail, ...hub };
}

async function describe(registry: Registry, clock: Clock): Promise<RegistryAnswer> {
  // The first call also connects.
  await registry.describe();
  const startedMs = clock.monotonicMs();
  const { version, members, alarms = null, storeBytes = null } = await registry.describe();
  return { version, members, latencyMs: clock.monotonicMs() - startedMs, alarms, storeBytes };
}
