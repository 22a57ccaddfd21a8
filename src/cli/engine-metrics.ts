import type { LateMeter } from "../adapters/metrics/late-meter.ts";
import { clusterGauges } from "../api/cluster-gauges.ts";
import type { ClusterPicture } from "../api/cluster-picture.ts";
import type { GaugeValue } from "../ports/meter.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { TurnKeeper } from "./turn-keeper.ts";

/** A page for a scraper: what this engine measures, how it is, and how the cluster is as far as the registry has been read. */
export async function engineMetrics(
  meter: LateMeter,
  { turns, version }: { readonly turns: TurnKeeper; readonly version: string },
  picture: () => Promise<ClusterPicture>,
): Promise<string> {
  const { term, connected } = turns.health;
  const own: GaugeValue[] = [
    { name: "fleet_build_info", labels: { version }, value: 1 },
    { name: "fleet_registry_connected", value: connected ? 1 : 0 },
    { name: "fleet_engine_leads", value: term === null ? 0 : 1 },
    { name: "fleet_engine_term", value: term ?? 0 },
  ];
  return meter.text([...own, ...(await clusterNow(picture))]);
}

/** That the registry is away is itself told; nothing is said of what cannot be known. */
async function clusterNow(picture: () => Promise<ClusterPicture>): Promise<GaugeValue[]> {
  try {
    return clusterGauges(await picture());
  } catch (error) {
    if (error instanceof OperationError) return [];
    throw error;
  }
}
