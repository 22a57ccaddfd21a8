import assert from "node:assert/strict";
import { test } from "node:test";
import type { HubState } from "../../domain/hub/hub-state.ts";
import { OperationError, UnknownResultError } from "../../ports/operation-error.ts";
import type { Registry } from "../../ports/registry.ts";
import { HubRegistry } from "./hub-registry.ts";

const SINCE = "2026-01-01T00:00:00.000Z";
const failure = (engine: string, code: string, next: string | null) => ({
  engine,
  code,
  detail: `the engine at ${engine} says no`,
  next,
  since: SINCE,
});
const AWAY: HubState = {
  engine: null,
  since: SINCE,
  failures: [failure("a:7440", "engine-dropped", null), failure("b:7440", "refused-unlisted-key", "commit the stanza")],
};
const WORKING: HubState = { ...AWAY, engine: "c:7440" };

/** A registry that fails every call with this. */
function failing(error: Error, state: HubState): HubRegistry {
  const fail = async () => {
    throw error;
  };
  const watch = async function* () {
    yield* [];
    throw error;
  };
  const registry = {
    list: fail,
    txn: fail,
    grantLease: fail,
    keepAlive: fail,
    revokeLease: fail,
    describe: fail,
    watch,
  };
  return new HubRegistry(
    registry as unknown as Registry,
    () => state,
    async () => {},
  );
}

const unreachable = new OperationError("registry-unreachable", "list /fleet/ on hub://a,b: connection dropped");

test("every call says why no engine can be used, and the first step there is", async () => {
  const registry = failing(unreachable, AWAY);
  const isExplained = (error: unknown) =>
    error instanceof OperationError &&
    error.code === "registry-unreachable" &&
    error.message ===
      "list /fleet/ on hub://a,b: no engine can be used: the engine at a:7440 says no (engine-dropped); the engine at b:7440 says no (refused-unlisted-key)" &&
    error.next === "commit the stanza";
  const watching = async () => {
    for await (const message of registry.watch("/", 0, new AbortController().signal)) assert.fail(message.kind);
  };
  for (const call of [
    () => registry.list("/"),
    () => registry.txn({ when: [], then: [] }),
    () => registry.grantLease(1),
    () => registry.keepAlive("1"),
    () => registry.revokeLease("1"),
    () => registry.describe(),
    watching,
  ]) {
    await assert.rejects(call, isExplained);
  }
});

test("a write of which nobody knows stays one", async () => {
  const error = new UnknownResultError("registry-timeout", "write on hub://a: late");
  await assert.rejects(
    failing(error, AWAY).txn({ when: [], then: [] }),
    (told) => told instanceof UnknownResultError && /no engine can be used/.test(told.message),
  );
});

test("what an engine that is there says is told as it is", async () => {
  for (const [error, state] of [
    [unreachable, WORKING],
    [new OperationError("registry-full", "write: no room"), AWAY],
    [new OperationError("forbidden-key", "list /fleet/: not this machine's"), AWAY],
    [new Error("ours"), AWAY],
  ] as const) {
    await assert.rejects(failing(error, state).list("/"), error);
  }
});
