import { mkdtempSync, rmSync } from "node:fs";
import { type RequestOptions, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryGitSource, MemoryRepository } from "../src/adapters/memory/memory-git-source.ts";
import { MvccRegistry } from "../src/adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../src/adapters/mvcc/mvcc-store.ts";
import { randomId } from "../src/adapters/random-id.ts";
import { sha256 } from "../src/adapters/sha256.ts";
import { systemClock } from "../src/adapters/system-clock.ts";
import type { ApiDoor } from "../src/cli/api-doors.ts";
import { type ApiServing, serveApi } from "../src/cli/serve-api.ts";
import { encodeRecord } from "../src/codec/record.ts";
import { registryKeys } from "../src/codec/registry-keys.ts";
import type { StatusRecord } from "../src/codec/registry-records.ts";
import type { UnitHash, UnitName } from "../src/domain/names.ts";
import { planSetWrites } from "../src/domain/placement/plan-set-writes.ts";
import type { LogLine } from "../src/ports/log.ts";
import { applyPlan } from "../src/usecases/apply-plan.ts";
import { commitCompiler } from "../src/usecases/compile-commit.ts";
import { planCommit } from "../src/usecases/plan-commit.ts";
import { readSnapshot } from "../src/usecases/read-snapshot.ts";
import { writeSets } from "../src/usecases/write-sets.ts";
import { joinMachine, pretendId } from "./pretend-machine.ts";
import { trustOf } from "./trust-of.ts";

const HEALTHY = { ok: true, term: null, connected: true, turnedMsAgo: 0 };

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Throws where it is none. */
  json<Value>(): Value;
}

/** A cluster `prod` in memory, which is placed by nobody but the test, and an engine's API in front of it. */
export class ApiWorld {
  readonly registry = new MvccRegistry(new MvccStore(), systemClock);
  readonly repository = new MemoryRepository();
  readonly source = new MemoryGitSource(this.repository, "main");
  readonly keys = registryKeys("prod");
  readonly log: LogLine[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), "fleet-api-"));
  readonly socket = join(this.folder, "api.sock");
  readonly #compile = commitCompiler({ source: this.source, manifestPath: "fleet.yaml", sha256 });
  readonly #stop = new AbortController();
  #serving: Promise<void> = Promise.resolve();

  /** By default on the socket alone. Answers once it is listening everywhere. */
  async serve(
    doors: readonly ApiDoor[] = [
      { at: { path: this.socket }, door: { scheme: "http", names: null, tokens: null }, tls: null },
    ],
    serving: Partial<ApiServing> = {},
  ): Promise<void> {
    const world = { registry: this.registry, source: this.source, compile: this.#compile, cluster: "prod" };
    const log = (line: LogLine) => void this.log.push(line);
    const defaults = { doors, version: "0.0.0", health: () => HEALTHY, metrics: async () => "" };
    this.#serving = serveApi(
      { ...world, clock: systemClock, newId: randomId, sha256, log },
      { ...defaults, ...serving },
      this.#stop.signal,
    );
    while (this.log.length < doors.length) await systemClock.sleep(5);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#serving;
    rmSync(this.folder, { recursive: true });
  }

  join(name: string, metadata: Readonly<Record<string, string>> = {}): Promise<void> {
    return joinMachine(this.registry, this.keys, name, metadata);
  }

  /** Pushes, plans, applies and places. */
  async release(files: Readonly<Record<string, string>>): Promise<void> {
    const { registry, source, keys } = this;
    const commit = this.repository.push("main", files, randomId());
    const cluster = { registry, keysOf: registryKeys };
    const planned = await planCommit({ commit, compile: this.#compile, cluster, partial: null, sha256 });
    if (planned.kind !== "planned") throw new Error(JSON.stringify(planned.diagnostics));
    const { plan, spec } = planned;
    const place = {
      sourceName: "https://git.example/r",
      branch: "main",
      manifest: "fleet.yaml",
      trust: trustOf(source),
    };
    const ports = { registry, keys, source, clock: systemClock, newId: randomId, sha256 };
    await applyPlan({ ...ports, ...place, plan, spec, by: "ann" });
    const { snapshot } = await readSnapshot(registry, keys);
    const leader = { key: keys.leader, target: "create", is: "=", value: 0 } as const;
    const globals = new Set(spec.units.filter(({ options }) => options.global).map(({ name }) => name));
    const fence = { leader, releaseModRevision: snapshot.releaseModRevision };
    const writes = planSetWrites(plan.placements, globals, snapshot, sha256);
    await writeSets(registry, keys, fence, writes, randomId, new Date().toISOString());
  }

  /** What the agent of that machine says of a unit. */
  async says(machine: string, unit: string, changes: Partial<StatusRecord> = {}): Promise<void> {
    const status: StatusRecord = {
      ...{ load: "loaded", active: "active", sub: "running", hash: "a".repeat(64) as UnitHash, since: "" },
      ...{ result: "success", invocation: "", started: true, problem: null },
      ...changes,
    };
    const key = this.keys.status(pretendId(machine), unit as UnitName);
    await this.registry.txn({ when: [], then: [{ kind: "put", key, value: encodeRecord(status) }] });
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    return ask({ socketPath: this.socket, path, headers });
  }

  send(method: string, path: string, body = ""): Promise<HttpAnswer> {
    const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    return ask({ socketPath: this.socket, path, method, headers }, body);
  }
}

/** One request on a connection of its own. */
export function ask(options: RequestOptions, body = "", through: typeof request = request): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const asked = through({ agent: false, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, text, json: () => JSON.parse(text) });
      });
    });
    asked.once("error", reject);
    asked.end(body);
  });
}
