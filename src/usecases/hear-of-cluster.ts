import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { Clock } from "../ports/clock.ts";
import type { Registry } from "../ports/registry.ts";
import { readRemains } from "./adopt-registry.ts";
import { refuseReplaced } from "./refuse-replaced.ts";

/** An agent that follows a registry and finds itself gone from it announces itself within a pass or two. */
const HEAR_MS = 1_000;
/** Where nobody is there yet: agents and engines whose registry was restarted come back within this, most of them. */
const HEAR_SOMEBODY_MS = 3_000;
const ASK_AGAIN_MS = 100;

/**
 * Before a cluster is made in a registry that holds none: listens whether somebody still knows of one. In a registry that was wiped a
 * moment ago nobody has told yet, and an apply would make a second cluster beside the one that runs. Rejects where one is known.
 */
export async function hearOfCluster(registry: Registry, keys: RegistryKeys, clock: Clock): Promise<void> {
  const beganMs = clock.monotonicMs();
  for (;;) {
    if ((await registry.list(keys.cluster, { exact: true })).entries.length > 0) return;
    const { snapshot, known } = await readRemains(registry, keys);
    refuseReplaced(snapshot, known);
    const isAnybodyThere = snapshot.members.some(({ present }) => present);
    if (clock.monotonicMs() - beganMs >= (isAnybodyThere ? HEAR_MS : HEAR_SOMEBODY_MS)) return;
    await clock.sleep(ASK_AGAIN_MS);
  }
}
