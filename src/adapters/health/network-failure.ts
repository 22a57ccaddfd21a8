import { PROBE_TIMEOUT_MS } from "../../domain/health/judge-health.ts";

export const NO_ANSWER = `no answer within ${PROBE_TIMEOUT_MS / 1_000} s`;

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the connection was cut",
  ETIMEDOUT: NO_ANSWER,
  HPE_HEADER_OVERFLOW: "an answer without end",
};

/** In words that hold no number that changes. */
export function networkFailure(error: Error): string {
  const code = String(Reflect.get(error, "code") ?? error.name);
  return WORDS[code] ?? (code.startsWith("HPE_") ? "no answer of HTTP" : code);
}
