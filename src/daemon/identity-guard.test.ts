import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { expireLeases } from "../adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { agentPrefixes } from "../codec/agent-prefixes.ts";
import { decodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { MEMBER_SHAPE, type MemberRecord } from "../codec/registry-records.ts";
import type { MachineId } from "../domain/names.ts";
import { readClaims } from "../usecases/read-claims.ts";
import { IdentityGuard } from "./identity-guard.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { MemberAnnouncer } from "./member-announcer.ts";
import { RegistryMirror } from "./registry-mirror.ts";

const ID = "0123456789abcdef0123456789abcdef" as MachineId;
const KEYS = registryKeys("test");
const TTL_MS = 9_000;
const PASS_MS = 100;

class World {
  readonly clock = new VirtualClock();
  readonly registry: MvccRegistry;
  readonly #store = new MvccStore();
  readonly #end = new AbortController();
  #ids = 0;

  constructor() {
    this.registry = new MvccRegistry(this.#store, this.clock);
    void expireLeases(this.#store, this.clock, this.#end.signal);
  }

  newId = () => `id${++this.#ids}`;

  /** Where the id is, by the records. */
  async holder(): Promise<{ readonly name: string; readonly incarnation: number } | null> {
    const { entries } = await this.registry.list(KEYS.root);
    const presence = entries.find(({ key }) => key === KEYS.presence(ID));
    const member = entries.find(({ key }) => key === KEYS.member(ID));
    if (presence === undefined || member === undefined) return null;
    const decoded = decodeRecord<MemberRecord>(member.value, MEMBER_SHAPE);
    assert.equal(decoded.kind, "record");
    return { name: decoded.kind === "record" ? decoded.record.name : "", incarnation: presence.createRevision };
  }

  async end(): Promise<void> {
    this.#end.abort();
    await this.clock.advance(1_000);
  }
}

/** One boot of a machine whose agent does nothing but say who it is. */
class Boot {
  /** Whether its last pass was allowed to act. */
  acts = false;
  readonly problem: () => string | null;
  readonly #end = new AbortController();

  constructor(world: World, name: string) {
    const self = { machine: ID, name, address: "", metadata: {}, bootId: `boot of ${name}`, version: "1.0.0" };
    const { clock, registry, newId } = world;
    const mirror = new RegistryMirror(registry, agentPrefixes(KEYS, ID), clock, () => {});
    const lease = new LeaseKeeper(registry, clock, TTL_MS, () => {});
    const announcer = new MemberAnnouncer(self, KEYS, () => TTL_MS, { registry, clock, newId });
    const guard = new IdentityGuard(self, KEYS, mirror, { registry, clock, newId, log: () => {} });
    this.problem = () => guard.problem?.code ?? null;
    const pass = async () => {
      this.acts = mirror.complete && (await guard.mustWaitMs(lease.lease)) === null;
      if (this.acts) await announcer.announce({ acceptedSeq: 0 }, lease.lease, mirror);
    };
    const loop = async () => {
      for (; !this.#end.signal.aborted; await clock.sleep(PASS_MS, this.#end.signal)) await pass();
    };
    // As when the power fails: nothing is given back.
    lease.mustShowWithin(TTL_MS);
    void Promise.all([mirror.run(this.#end.signal), lease.run(this.#end.signal), loop()]);
  }

  die(): void {
    this.#end.abort();
  }
}

test("a second machine with the same id is refused and does nothing, and the first is undisturbed", async () => {
  const world = new World();
  const original = new Boot(world, "original");
  await world.clock.advance(2_000);
  const before = await world.holder();
  assert.equal(before?.name, "original");
  const clone = new Boot(world, "clone");
  let hasActed = false;
  for (let passed = 0; passed < 60_000; passed += PASS_MS) {
    await world.clock.advance(PASS_MS);
    hasActed ||= clone.acts;
    assert.equal(original.acts, true);
  }
  assert.equal(hasActed, false);
  assert.equal(clone.problem(), "duplicate-machine");
  assert.deepEqual(await world.holder(), before, "of the same incarnation");
  const told = (await readClaims(world.registry, KEYS)).map(({ machine, name, bootId }) => [machine, name, bootId]);
  assert.deepEqual(told, [[ID, "clone", "boot of clone"]]);
  const { revision } = await world.registry.list(KEYS.root);
  await world.clock.advance(60_000);
  assert.equal((await world.registry.list(KEYS.root)).revision, revision, "nobody writes any more");
  original.die();
  clone.die();
  await world.end();
});

test("who was refused does not take over when the first goes silent", async () => {
  const world = new World();
  const original = new Boot(world, "original");
  await world.clock.advance(2_000);
  const clone = new Boot(world, "clone");
  await world.clock.advance(5_000);
  original.die();
  await world.clock.advance(3 * TTL_MS);
  assert.equal(clone.acts, false);
  assert.equal(await world.holder(), null);
  clone.die();
  await world.end();
});

test("a machine that crashed and is back within its own lease acts after a while, and is present once that lease has ended", async () => {
  const world = new World();
  const first = new Boot(world, "first");
  await world.clock.advance(2_000);
  first.die();
  const second = new Boot(world, "second");
  await world.clock.advance(1_000);
  assert.equal(second.acts, false);
  await world.clock.advance(5_000);
  assert.equal(second.acts, true);
  assert.equal((await world.holder())?.name, "first");
  assert.deepEqual(await readClaims(world.registry, KEYS), [], "nobody was refused");
  await world.clock.advance(TTL_MS);
  assert.equal((await world.holder())?.name, "second");
  assert.equal(second.problem(), null);
  second.die();
  await world.end();
});

test("a machine that is back after its lease acts at once", async () => {
  const world = new World();
  const first = new Boot(world, "first");
  await world.clock.advance(2_000);
  first.die();
  await world.clock.advance(2 * TTL_MS);
  const second = new Boot(world, "second");
  await world.clock.advance(500);
  assert.equal(second.acts, true);
  assert.equal((await world.holder())?.name, "second");
  second.die();
  await world.end();
});
