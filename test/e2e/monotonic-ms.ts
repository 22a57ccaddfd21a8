/** The clock systemd dates starts with, CLOCK_MONOTONIC; the machines of a lab are on the host's kernel. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
