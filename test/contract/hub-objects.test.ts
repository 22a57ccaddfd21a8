import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ObjectDesk } from "../../src/adapters/front/object-desk.ts";
import { serveConnection } from "../../src/adapters/front/serve-connection.ts";
import { serveStranger } from "../../src/adapters/front/serve-stranger.ts";
import { type HubGitSource, openHubGitSource } from "../../src/adapters/git/hub-git-source.ts";
import { type LocalGitSource, openLocalGitSource } from "../../src/adapters/git/local-git-source.ts";
import { parseHubAddress } from "../../src/adapters/hub/hub-address.ts";
import { HubRelay } from "../../src/adapters/hub/hub-relay.ts";
import { dialPeer } from "../../src/adapters/identity/dial-peer.ts";
import { type FrontTlsServer, frontTlsServer } from "../../src/adapters/identity/front-tls-server.ts";
import { IdentityKeeper } from "../../src/adapters/identity/identity-keeper.ts";
import { NodeIdentity } from "../../src/adapters/identity/node-identity.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { judgeEngine } from "../../src/domain/hub/judge-engine.ts";
import { judgePeer, type PeerRole } from "../../src/domain/identity/judge-peer.ts";
import type { NodeKey } from "../../src/domain/identity/node-key.ts";
import { type MachineId, parseMachineId } from "../../src/domain/names.ts";
import { makeTestRepository } from "./git-repository.ts";

const CLUSTER = "0".repeat(32);
const MACHINE = parseMachineId("a".repeat(32))!;

function identity(role: PeerRole, machine: MachineId): IdentityKeeper {
  const key = new NodeIdentity(generateKeyPairSync("ed25519").privateKey);
  return new IdentityKeeper(key, { clusterId: CLUSTER, role, machine }, systemClock);
}

/** An engine's port as far as objects go: TLS, the judgement of keys, and what a stranger hears. */
async function startEngine(keeper: IdentityKeeper, listed: ReadonlyMap<NodeKey, MachineId>, source: LocalGitSource) {
  const desk = new ObjectDesk({ source, branch: "main", clock: systemClock, log: () => {} });
  const server: FrontTlsServer = frontTlsServer(
    keeper,
    (facts) => judgePeer(facts, { clusterId: CLUSTER, role: "machine", keys: listed, nowMs: Date.now() }),
    (socket, { verdict }) => {
      if (verdict.verdict === "accepted") serveConnection(socket, [desk.service(verdict.machine)]);
      else serveStranger(socket, [], verdict.code);
    },
    { strangers: new Set(["unlisted-key"] as const) },
  );
  const { port } = await server.listen("127.0.0.1", 0);
  return { port, key: keeper.identity.key, stop: () => server.close() };
}

test("over TLS and a relay, git goes on with the next engine when one goes, and a machine that is not listed hears so", async () => {
  const repository = makeTestRepository();
  const first = repository.commit({ "units/a.service": "a" });
  const source = openLocalGitSource(repository.path, "main");
  const folder = mkdtempSync(join(tmpdir(), "fleet-hub-"));
  const machine = identity("machine", MACHINE);
  const listed = new Map([[machine.identity.key, MACHINE]]);
  const engines = [];
  for (const digit of ["1", "2"]) {
    engines.push(await startEngine(identity("engine", parseMachineId(digit.repeat(32))!), listed, source));
  }
  const keys = new Map(engines.map(({ key }) => [key, null]));
  const relay = await HubRelay.listen({
    address: parseHubAddress(`hub://${engines.map(({ port }) => `127.0.0.1:${port}`).join(",")}`),
    clock: systemClock,
    random: () => 0,
    folder,
    role: "agent",
    dial: async ({ host, port }, signal) => {
      const judge = (facts: Parameters<typeof judgeEngine>[0]) => judgeEngine(facts, keys, CLUSTER, Date.now());
      const { socket, facts } = await dialPeer(host, port, machine, judge, signal);
      return { stream: socket, key: facts.key! };
    },
  });
  let git: HubGitSource | null = null;
  try {
    git = await openHubGitSource({ target: `unix:${relay.socketPath}`, branch: "main", folder: join(folder, "git") });
    assert.equal(await git.fetch(), first);
    await engines[0]!.stop();
    const second = repository.commit({ "units/b.service": "b" });
    assert.equal(await git.fetch(), second);
    const files = await git.listFiles((await git.resolve("HEAD"))!, ["units"]);
    assert.deepEqual(
      files.map(({ path }) => path),
      ["units/a.service", "units/b.service"],
    );
    listed.clear();
    relay.keepOnly(new Set());
    const why = () => JSON.stringify(relay.state().failures);
    const until = performance.now() + 20_000;
    do await assert.rejects(git.fetch(), { code: "source-unreachable" });
    while (!why().includes("unlisted") && performance.now() < until);
    assert.match(why(), /unlisted/);
  } finally {
    await git?.close();
    await relay.close();
    for (const engine of engines) await engine.stop();
    await source.close();
    rmSync(folder, { recursive: true });
    repository.remove();
  }
});
