import { connect } from "node:net";
import type { HealthCheck } from "../../domain/health/health-check.ts";
import { PROBE_TIMEOUT_MS } from "../../domain/health/judge-health.ts";
import { NO_ANSWER, networkFailure } from "./network-failure.ts";

/** Null where somebody accepts the connection, which is closed again at once. */
export function askTcp({ host, port }: Extract<HealthCheck, { kind: "tcp" }>): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: string | null) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => end(NO_ANSWER));
    socket.on("connect", () => end(null));
    socket.on("error", (error) => end(networkFailure(error)));
  });
}
