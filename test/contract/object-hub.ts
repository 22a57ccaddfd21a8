import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { ObjectDesk } from "../../src/adapters/front/object-desk.ts";
import { OBJECTS_METHODS } from "../../src/adapters/objects-proto/objects-proto.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { ObjectSource } from "../../src/ports/object-source.ts";

/** An engine's object service on a unix socket, as a machine's relay shows it; or what somebody puts in its place. */
export interface ObjectHub {
  /** `unix:/path`. */
  readonly target: string;
  /** Of this test alone. */
  readonly folder: string;
  /** Ends the server and all its connections; nobody listens then. */
  stop(): void;
  /** Another server on the same socket: another engine. */
  serve(service: UntypedServiceImplementation): Promise<void>;
  close(): void;
}

export async function openObjectHub(service: UntypedServiceImplementation): Promise<ObjectHub> {
  const folder = mkdtempSync(join(tmpdir(), "fleet-hub-"));
  const target = `unix:${join(folder, "hub.sock")}`;
  let server: Server | null = null;
  const hub: ObjectHub = {
    target,
    folder,
    stop() {
      server?.forceShutdown();
      server = null;
      rmSync(join(folder, "hub.sock"), { force: true });
    },
    async serve(other) {
      hub.stop();
      const next = new Server();
      next.addService(OBJECTS_METHODS, other);
      await new Promise<void>((resolve, reject) => {
        next.bindAsync(target, ServerCredentials.createInsecure(), (error) =>
          error === null ? resolve() : reject(error),
        );
      });
      server = next;
    },
    close() {
      hub.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await hub.serve(service);
  return hub;
}

export function serviceOf(source: ObjectSource, branch = "main"): UntypedServiceImplementation {
  return new ObjectDesk({ source, branch, clock: hurried, log: () => {} }).service("machine").handlers;
}

/** A second of an engine between two fetches is a millisecond of a test. */
const hurried: Clock = {
  wallMs: () => systemClock.wallMs(),
  monotonicMs: () => systemClock.monotonicMs() * 1_000,
  sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 1_000, signal),
};
