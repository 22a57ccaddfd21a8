import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { diskError } from "../adapters/files/disk-error.ts";
import type { LateMeter } from "../adapters/metrics/late-meter.ts";
import type { AgentCondition } from "../daemon/agent-condition.ts";
import { agentGauges } from "../daemon/agent-gauges.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, refusal } from "../ports/log.ts";
import type { GaugeValue } from "../ports/meter.ts";
import { OperationError } from "../ports/operation-error.ts";

/** As often as Prometheus scrapes as a rule. */
const EVERY_MS = 15_000;
/** A first condition is there after the first pass. */
const FIRST_MS = 1_000;

export interface AgentMetrics {
  readonly path: string;
  readonly meter: LateMeter;
  readonly version: string;
  /** Null before its first pass. */
  readonly condition: () => AgentCondition | null;
}

/**
 * Writes the agent's metrics for node_exporter's textfile collector: an agent listens to nobody over a network, and every machine that is watched
 * has one already. Readers find a file that is whole. A disk that does not take it is told, and asked again.
 */
export async function writeAgentMetrics(
  { path, meter, version, condition }: AgentMetrics,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  for (let waitMs = FIRST_MS; !signal.aborted; waitMs = EVERY_MS) {
    const now = condition();
    const own: GaugeValue[] = [
      { name: "fleet_build_info", labels: { version }, value: 1 },
      { name: "fleet_agent_written_timestamp_seconds", value: Math.floor(clock.wallMs() / 1_000) },
    ];
    try {
      const text = await meter.text([...own, ...(now === null ? [] : agentGauges(now))]);
      await writeWhole(path, text);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      log(refusal(error));
    }
    await clock.sleep(waitMs, signal);
  }
}

/** Not flushed: after a crash of the machine the next one is written anyway. */
async function writeWhole(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(beside, text, { mode: 0o644 });
    await rename(beside, path);
  } catch (error) {
    throw diskError("write", path, error);
  }
}
