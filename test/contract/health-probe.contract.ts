import assert from "node:assert/strict";
import { test } from "node:test";
import type { HealthCheck, LoopbackHost } from "../../src/domain/health/health-check.ts";
import type { UnitName } from "../../src/domain/names.ts";
import type { HealthProbe } from "../../src/ports/health-probe.ts";

/** What may stand at a port. `silent` accepts and never answers; `endless` answers with headers without end. */
export type Listener = { readonly status: number } | "silent" | "endless" | "not-http" | "nobody";

export interface HealthWorld {
  readonly probe: HealthProbe;
  /** Its port. */
  listen(listener: Listener): Promise<number>;
  close(): Promise<void>;
}

const SERVICE = "web.service" as UnitName;
const HOST = "127.0.0.1" as LoopbackHost;
const http = (port: number): HealthCheck => ({ kind: "http", host: HOST, port, path: "/healthz" });
const tcp = (port: number): HealthCheck => ({ kind: "tcp", host: HOST, port });

/** What every HealthProbe answers over the network. */
export function healthProbeContract(label: string, make: () => Promise<HealthWorld>): void {
  const cases: readonly (readonly [string, Listener, (port: number) => HealthCheck, string | null])[] = [
    ["200 passes", { status: 200 }, http, null],
    ["204 passes", { status: 204 }, http, null],
    ["a redirect passes, and is not followed", { status: 302 }, http, null],
    ["404 does not pass", { status: 404 }, http, "HTTP status 404"],
    ["503 does not pass", { status: 503 }, http, "HTTP status 503"],
    ["nobody listens", "nobody", http, "nobody listens there"],
    ["an answer that is no HTTP", "not-http", http, "no answer of HTTP"],
    ["headers without end", "endless", http, "an answer without end"],
    ["no answer at all", "silent", http, "no answer within 3 s"],
    ["tcp: somebody listens", "silent", tcp, null],
    ["tcp: nobody listens", "nobody", tcp, "nobody listens there"],
  ];
  for (const [says, listener, check, expected] of cases) {
    test(`${label}: ${says}`, { timeout: 20_000 }, async () => {
      const world = await make();
      try {
        assert.equal(await world.probe.probe(check(await world.listen(listener)), SERVICE), expected);
      } finally {
        await world.close();
      }
    });
  }
}
