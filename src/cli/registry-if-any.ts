import type { RegistryKeys } from "../codec/registry-keys.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { clusterName } from "./cluster-name.ts";
import type { Composition } from "./composition.ts";

/**
 * The cluster's registry for a command that can do without: null where none is configured, or the one that is does not answer, which
 * `say` hears of.
 */
export async function registryIfAny(
  composition: Composition,
  cluster: string | undefined,
  say: (line: string) => void,
): Promise<{ readonly registry: Registry; readonly keys: RegistryKeys } | null> {
  try {
    const registry = await composition.registry();
    if (registry === null) return null;
    const keys = composition.keysOf(await clusterName(composition, cluster));
    await registry.list(keys.cluster, { exact: true });
    return { registry, keys };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    say(`warning: the registry was not asked, and only git is: ${error.message}`);
    return null;
  }
}
