import { request } from "node:http";
import type { HealthCheck } from "../../domain/health/health-check.ts";
import { PROBE_TIMEOUT_MS } from "../../domain/health/judge-health.ts";
import { NO_ANSWER, networkFailure } from "./network-failure.ts";

/** What stands before the body is all that is read. */
const HEADERS_MAX = 16 * 1024;

/** A GET; null where it is answered by 2xx or 3xx. No redirect is followed, and of the answer nothing is read but its first line and headers. */
export function askHttp({ host, port, path }: Extract<HealthCheck, { kind: "http" }>): Promise<string | null> {
  return new Promise((resolve) => {
    const asked = request({
      ...{ host, port, path, method: "GET", agent: false, maxHeaderSize: HEADERS_MAX },
      headers: { "User-Agent": "fleet-health", Connection: "close" },
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    asked.on("response", ({ statusCode = 0 }) => {
      resolve(statusCode >= 200 && statusCode < 400 ? null : `HTTP status ${statusCode}`);
      asked.destroy();
    });
    // Also what comes after the answer: nobody asked for the rest.
    asked.on("error", (error) => resolve(error.name === "AbortError" ? NO_ANSWER : networkFailure(error)));
    asked.end();
  });
}
