import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { DurableStore } from "../../src/adapters/embedded/durable-store.ts";
import { startEmbeddedRegistry } from "../../src/adapters/embedded/embedded-registry-server.ts";
import { KV_METHODS, LEASE_METHODS } from "../../src/adapters/etcd-proto/etcd-proto.ts";
import { putOnce } from "../../src/adapters/mvcc/run-txn.ts";
import { type Answer, RawEtcdClient, until } from "./raw-etcd-client.ts";

const run = promisify(execFile);
const ANY_PORT = ["127.0.0.1:0"];

function dataDirOf(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "fleet-embedded-"));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function served(context: TestContext, dataDir = dataDirOf(context), listen = ANY_PORT) {
  const registry = await startEmbeddedRegistry({ dataDir, listen });
  const client = new RawEtcdClient(registry.addresses[0]!);
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    client.close();
    await registry.close();
  };
  context.after(close);
  return { registry, client, close, dataDir };
}

const put = (key: string, value = "") => ({ key: Buffer.from(key), value: Buffer.from(value) });
const ALL = { key: Buffer.from([0]), range_end: Buffer.from([0]) };

function ok<Message>(answer: Answer<Message>): Message {
  assert.ok("response" in answer, JSON.stringify(answer));
  return answer.response;
}

async function keysOf(client: RawEtcdClient): Promise<string[]> {
  return ok(await client.call(KV_METHODS.Range, ALL)).kvs.map(({ key, value }) => `${key}=${value}`);
}

test("etcdctl works on it: keys, leases, watches, compaction, health", { timeout: 60_000 }, async (context) => {
  let binary: string;
  try {
    binary = await thirdPartyBinary("etcdctl");
  } catch (error) {
    context.skip((error as Error).message);
    return;
  }
  const { registry } = await served(context);
  const etcdctl = async (...words: string[]) => {
    const child = run(binary, [`--endpoints=${registry.addresses[0]}`, ...words], { env: { ETCDCTL_API: "3" } });
    const { stdout, stderr } = await child.catch((error: { stdout: string; stderr: string }) => error);
    return (stdout + stderr).trim();
  };
  assert.equal(await etcdctl("put", "a", "1"), "OK");
  assert.equal(await etcdctl("put", "b", "2"), "OK");
  assert.equal(await etcdctl("get", "", "--prefix"), "a\n1\nb\n2");
  assert.match(await etcdctl("endpoint", "health"), /is healthy/);
  assert.match(await etcdctl("endpoint", "status"), /3\.5\.0\+fleet/);
  assert.match(await etcdctl("member", "list"), /started, embedded/);
  const lease = /lease (\w+) granted with TTL\(60s\)/.exec(await etcdctl("lease", "grant", "60"))![1]!;
  assert.equal(await etcdctl("put", "c", "3", `--lease=${lease}`), "OK");
  assert.match(
    await etcdctl("lease", "timetolive", lease, "--keys"),
    /granted with TTL\(60s\).*attached keys\(\[c\]\)/,
  );
  assert.match(await etcdctl("lease", "keep-alive", "--once", lease), /keepalived with TTL\(60\)/);
  assert.match(await etcdctl("lease", "revoke", lease), /revoked/);
  assert.equal(await etcdctl("get", "c"), "");
  const watching = spawn(binary, [`--endpoints=${registry.addresses[0]}`, "watch", "--prefix", "", "--rev=2"], {
    env: { ETCDCTL_API: "3" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let seen = "";
  watching.stdout.on("data", (chunk) => {
    seen += chunk;
  });
  await until(
    () => seen.endsWith("DELETE\nc\n\n"),
    () => `etcdctl watched ${seen}`,
  );
  watching.kill();
  assert.equal(seen, "PUT\na\n1\nPUT\nb\n2\nPUT\nc\n3\nDELETE\nc\n\n");
  assert.match(await etcdctl("compaction", "4"), /compacted revision 4/);
  assert.match(await etcdctl("get", "a", "--rev=3"), /required revision has been compacted/);
  assert.match(await etcdctl("put", "a", "1", "--lease=77"), /requested lease not found/);
  assert.equal(await etcdctl("del", "a"), "1");
});

test("killed at any moment it loses nothing it has answered, and uses no revision twice", {
  timeout: 60_000,
}, async (context) => {
  const dataDir = dataDirOf(context);
  const acknowledged = new Map<string, number>();
  let highest = 0;
  for (let round = 0; round < 4; round++) {
    const { child, address } = await startProcess(context, dataDir);
    const client = new RawEtcdClient(address);
    const found = ok(await client.call(KV_METHODS.Range, ALL));
    const revisions = new Map(found.kvs.map(({ key, mod_revision }) => [String(key), Number(mod_revision)]));
    for (const [key, revision] of acknowledged) assert.equal(revisions.get(key), revision, `round ${round}: ${key}`);
    assert.ok(Number(found.header!.revision) >= highest, `round ${round}: the revision went back`);
    const watch = client.watch({ create_request: { ...ALL, start_revision: found.header!.revision } });
    let stop = false;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let at = 0; !stop; at++) {
        const key = `${round}/${writer}/${at}`;
        const answer = await client.call(KV_METHODS.Put, put(key, "x".repeat(100)));
        if (!("response" in answer)) return;
        acknowledged.set(key, Number(answer.response.header!.revision));
      }
    });
    const before = acknowledged.size;
    await until(
      () => acknowledged.size > before + 200,
      () => "writes are answered",
    );
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    stop = true;
    await Promise.all(writers);
    client.close();
    for (const event of watch.events) highest = Math.max(highest, Number(event.kv!.mod_revision));
    for (const revision of acknowledged.values()) highest = Math.max(highest, revision);
  }
  assert.equal(new Set(acknowledged.values()).size, acknowledged.size);
});

test("a record that was cut short is cut off, and writing goes on behind the last whole one", async (context) => {
  const first = await served(context);
  ok(await first.client.call(KV_METHODS.Put, put("a", "1")));
  ok(await first.client.call(KV_METHODS.Put, put("b", "2")));
  await first.close();
  const log = join(first.dataDir, "log-1");
  truncateSync(log, statSync(log).size - 3);
  const second = await served(context, first.dataDir);
  assert.deepEqual(await keysOf(second.client), ["a=1"]);
  ok(await second.client.call(KV_METHODS.Put, put("c", "3")));
  await second.close();
  appendFileSync(log, Buffer.alloc(64));
  const third = await served(context, first.dataDir);
  assert.deepEqual(await keysOf(third.client), ["a=1", "c=3"]);
});

test("leases and their keys survive a restart, and begin their time anew", async (context) => {
  const first = await served(context);
  ok(await first.client.call(LEASE_METHODS.LeaseGrant, { ID: "-7", TTL: "100" }));
  ok(await first.client.call(KV_METHODS.Put, { ...put("a"), lease: "-7" }));
  await first.close();
  const { client } = await served(context, first.dataDir);
  const lease = ok(await client.call(LEASE_METHODS.LeaseTimeToLive, { ID: "-7", keys: true }));
  assert.deepEqual([lease.grantedTTL, lease.keys.map(String)], ["100", ["a"]]);
  ok(await client.call(LEASE_METHODS.LeaseRevoke, { ID: "-7" }));
  assert.deepEqual(await keysOf(client), []);
});

test("a log that has grown long is replaced by a snapshot, while writes go on", {
  timeout: 60_000,
}, async (context) => {
  const dataDir = dataDirOf(context);
  const durable = await DurableStore.open(dataDir, 0);
  const value = "x".repeat(100_000);
  let written = 0;
  const write = (key: string) =>
    putOnce(durable.store, {
      kind: "put",
      key,
      value: `${value}${written++}`,
      lease: "0",
      wantsPrevious: false,
      ignoreValue: false,
      ignoreLease: false,
    });
  while (!existsSync(join(dataDir, "snapshot-2"))) {
    for (let at = 0; at < 10; at++) write(`k${at}`);
    await durable.settled();
    assert.ok(written < 10_000, "no snapshot after a gigabyte");
  }
  await durable.close();
  assert.deepEqual(readdirSync(dataDir).sort(), ["log-2", "meta.json", "snapshot-2"]);
  const again = await DurableStore.open(dataDir, 0);
  assert.equal(again.store.revision, durable.store.revision);
  assert.deepEqual(again.store.snapshot(), durable.store.snapshot());
  await again.close();
  const snapshot = join(dataDir, "snapshot-2");
  const bytes = readFileSync(snapshot);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(snapshot, bytes);
  await assert.rejects(DurableStore.open(dataDir, 0), { code: "registry-data-damaged" });
});

test("history behind 10,000 revisions is forgotten by itself", async (context) => {
  const durable = await DurableStore.open(dataDirOf(context), 0);
  for (let at = 0; at < 12_500; at++) {
    putOnce(durable.store, {
      kind: "put",
      key: "k",
      value: "",
      lease: "0",
      wantsPrevious: false,
      ignoreValue: false,
      ignoreLease: false,
    });
    if (at % 100 === 0) await durable.settled();
  }
  await durable.settled();
  const kept = durable.store.revision - durable.store.compactedRevision;
  assert.ok(kept >= 10_000 && kept <= 11_000, `${kept} revisions are kept`);
  await durable.close();
});

test("one directory serves one process, and is free again once it ends", async (context) => {
  const first = await served(context);
  await assert.rejects(startEmbeddedRegistry({ dataDir: first.dataDir, listen: ANY_PORT }), {
    code: "registry-data-locked",
  });
  await first.close();
  const { child } = await startProcess(context, first.dataDir);
  await assert.rejects(startEmbeddedRegistry({ dataDir: first.dataDir, listen: ANY_PORT }), {
    code: "registry-data-locked",
  });
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  await served(context, first.dataDir);
});

test("its socket lets its group in where it is asked to", async (context) => {
  const folder = dataDirOf(context);
  const path = join(folder, "registry.sock");
  const options = { dataDir: join(folder, "data"), listen: [`unix:${path}`], socketMode: 0o660 } as const;
  const registry = await startEmbeddedRegistry(options);
  assert.equal(statSync(path).mode & 0o777, 0o660);
  await registry.close();
});

test("it listens on a socket only its owner may use, over one a killed process left, and nowhere remote", async (context) => {
  const folder = dataDirOf(context);
  const address = `unix:${join(folder, "sockets", "registry.sock")}`;
  const first = await served(context, join(folder, "data"), [address]);
  assert.equal(statSync(join(folder, "sockets", "registry.sock")).mode & 0o777, 0o600);
  ok(await first.client.call(KV_METHODS.Put, put("a")));
  const other = { dataDir: join(folder, "other"), listen: [address] };
  await assert.rejects(startEmbeddedRegistry(other), { code: "registry-address-taken" });
  await assert.rejects(startEmbeddedRegistry({ ...other, listen: ["0.0.0.0:0"] }), {
    code: "registry-address-invalid",
  });
  const left = join(folder, "left.sock");
  const { child } = await startProcess(context, join(folder, "killed"), `unix:${left}`);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  assert.ok(existsSync(left));
  const second = await served(context, join(folder, "killed"), [`unix:${left}`]);
  assert.deepEqual(await keysOf(second.client), []);
});

test("a big catch-up arrives in fragments of whole events, nothing lost for a reader that is slow", async (context) => {
  const { client } = await served(context);
  const value = "x".repeat(200_000);
  for (let round = 0; round < 4; round++) {
    const success = Array.from({ length: 7 }, (_, at) => ({ request_put: put(`k${at}`, value) }));
    ok(await client.call(KV_METHODS.Txn, { success }));
  }
  const watch = client.watch({ create_request: { ...ALL, start_revision: "2", fragment: true, prev_kv: true } });
  await until(
    () => watch.events.length >= 28,
    () => `${watch.events.length} events of 28`,
  );
  const seen = watch.events.map(({ kv }) => `${kv!.mod_revision}/${kv!.key}`);
  const sent = [2, 3, 4, 5].flatMap((revision) => Array.from({ length: 7 }, (_, at) => `${revision}/k${at}`));
  assert.deepEqual(seen, sent);
  assert.ok(watch.responses.some(({ fragment }) => fragment));
});

test("a watch is asked, answered, told how far it is, and ended in this order", async (context) => {
  const { client } = await served(context);
  ok(await client.call(KV_METHODS.Put, put("a")));
  const watch = client.watch({ create_request: { ...ALL, start_revision: "2", watch_id: "9" } });
  watch.send({ create_request: { ...ALL, watch_id: "9" } });
  watch.send({ create_request: { key: Buffer.from("b"), range_end: Buffer.from("a") } });
  watch.send({ progress_request: {} });
  watch.send({ cancel_request: { watch_id: "5" } });
  watch.send({ cancel_request: { watch_id: "9" } });
  await until(
    () => watch.responses.at(-1)?.watch_id === "9" && watch.responses.at(-1)!.canceled,
    () => "it ends",
  );
  const said = watch.responses.map(({ watch_id, created, canceled, cancel_reason, events }) =>
    [watch_id, created ? "created" : "", canceled ? "canceled" : "", cancel_reason, events.length].join("|"),
  );
  assert.deepEqual(said, [
    "9|created|||0",
    "9||||1",
    "-1|created|canceled|mvcc: duplicate watch ID provided on the WatchStream|0",
    "-1|created|canceled|mvcc: watcher range is empty|0",
    "-1||||0",
    "9||canceled||0",
  ]);
});

async function startProcess(
  context: TestContext,
  dataDir: string,
  listen = "127.0.0.1:0",
): Promise<{ child: ChildProcess; address: string }> {
  const script = fileURLToPath(new URL("embedded-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script, dataDir, listen], { stdio: ["ignore", "pipe", "inherit"] });
  context.after(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout!, "data");
  return { child, address: JSON.parse(String(line))[0] };
}
