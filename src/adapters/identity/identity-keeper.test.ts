import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { parseMachineId } from "../../domain/names.ts";
import { VirtualClock } from "../memory/virtual-clock.ts";
import { IdentityKeeper } from "./identity-keeper.ts";
import { NodeIdentity } from "./node-identity.ts";
import { certificateFacts } from "./read-peer.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const machine = parseMachineId("a".repeat(32))!;
const claim = { clusterId: "c1", role: "machine", machine } as const;
const identity = new NodeIdentity(generateKeyPairSync("ed25519").privateKey);

function keeping(options: { readonly lifeMs?: number } = {}) {
  const time = new VirtualClock();
  const clock = time.clockFor();
  const keeper = new IdentityKeeper(identity, claim, clock, options);
  let renewals = 0;
  const forget = keeper.onRenewed(() => renewals++);
  return { time, clock, keeper, forget, renewals: () => renewals };
}

test("one certificate for as long as more than a quarter of its life is left, then another, by itself", async () => {
  const { time, keeper, renewals } = keeping({ lifeMs: 12 * HOUR });
  const ended = new AbortController();
  const running = keeper.run(ended.signal);
  const first = keeper.certificate().pem;
  await time.advance(8 * HOUR - 1);
  assert.equal(keeper.certificate().pem, first, "it began an hour ago, and nine hours are three quarters");
  assert.equal(renewals(), 0);
  await time.advance(1);
  assert.notEqual(keeper.certificate().pem, first);
  assert.equal(renewals(), 1);
  await time.advance(80 * HOUR);
  assert.equal(renewals(), 11);
  ended.abort();
  await running;
});

test("one with a life of a minute is renewed within it, and is always one that is good", async () => {
  const { time, clock, keeper, renewals } = keeping({ lifeMs: 60_000 });
  const ended = new AbortController();
  const running = keeper.run(ended.signal);
  for (let second = 0; second < 300; second++) {
    await time.advance(1000);
    const { notBeforeMs, notAfterMs } = keeper.certificate();
    assert.ok(clock.wallMs() >= notBeforeMs && notAfterMs - clock.wallMs() > 14_000);
  }
  assert.equal(renewals(), 10, "every half a minute, what is left of the first three quarters");
  ended.abort();
  await running;
});

test("a clock that is set, either way, has a new one within a minute, and at once for who asks", async () => {
  const { time, clock, keeper, renewals } = keeping();
  const ended = new AbortController();
  const running = keeper.run(ended.signal);
  await time.advance(HOUR);
  clock.jump(-2 * 365 * DAY);
  await time.advance(60_000);
  assert.equal(renewals(), 1, "it began later than now");
  clock.jump(40 * 365 * DAY);
  const { notBeforeMs, notAfterMs } = keeper.certificate();
  assert.ok(notBeforeMs <= clock.wallMs() && clock.wallMs() < notAfterMs);
  assert.equal(renewals(), 2, "it had ended");
  clock.jump(-30 * 60_000);
  keeper.certificate();
  assert.equal(renewals(), 2, "half an hour back it is as good as before");
  ended.abort();
  await running;
});

test("another cluster or role is another certificate at once, the same one is not", () => {
  const { keeper, renewals } = keeping();
  const uri = () => certificateFacts(new X509Certificate(keeper.certificate().pem)).uri;
  assert.deepEqual(uri(), claim);
  keeper.claimToBe({ ...claim });
  assert.equal(renewals(), 0);
  keeper.claimToBe({ ...claim, clusterId: "c2" });
  assert.deepEqual(uri(), { ...claim, clusterId: "c2" });
  keeper.claimToBe({ ...claim, clusterId: "c2", role: "engine" });
  assert.deepEqual(uri(), { ...claim, clusterId: "c2", role: "engine" });
  assert.equal(renewals(), 2);
});

test("connections share what TLS makes of a certificate, until there is another one", () => {
  const { keeper, forget, renewals } = keeping();
  const first = keeper.secureContext();
  assert.equal(keeper.secureContext(), first);
  keeper.claimToBe({ ...claim, clusterId: "c2" });
  assert.notEqual(keeper.secureContext(), first);
  forget();
  keeper.claimToBe(claim);
  assert.equal(renewals(), 1, "who has stopped listening hears nothing");
});
