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
  const clock = new VirtualClock().clockFor();
  return { clock, keeper: new IdentityKeeper(identity, claim, clock, options) };
}

test("one certificate until its last quarter begins, then another", () => {
  const { clock, keeper } = keeping();
  const first = keeper.certificate();
  // It began an hour ago: 67.5 days less one hour are left of its first three quarters.
  clock.jump(67.5 * DAY - HOUR - 1);
  assert.equal(keeper.certificate(), first);
  clock.jump(1);
  const second = keeper.certificate();
  assert.notEqual(second, first);
  assert.equal(second.notAfterMs - clock.wallMs(), 90 * DAY - HOUR);
});

test("one with a life of a minute is good for others at every moment", () => {
  const { clock, keeper } = keeping({ lifeMs: 60_000 });
  const shown = new Set<string>();
  for (let second = 0; second < 300; second++) {
    const { pem, notBeforeMs, notAfterMs } = keeper.certificate();
    shown.add(pem);
    assert.ok(clock.wallMs() >= notBeforeMs && notAfterMs - clock.wallMs() > 15_000);
    clock.jump(1000);
  }
  assert.equal(shown.size, 10, "every half a minute, what is left of the first three quarters");
});

test("a clock that is set, either way, makes another one, unless the one there is does as well", () => {
  const { clock, keeper } = keeping();
  let last = keeper.certificate();
  const cases: readonly (readonly [what: string, jumpMs: number, isNew: boolean])[] = [
    ["a machine without a clock gets the time", 56 * 365 * DAY, true],
    ["two years back: it would begin later than now", -2 * 365 * DAY, true],
    ["half an hour back: it began an hour ago", -30 * 60_000, false],
    ["an hour ahead", HOUR, false],
  ];
  for (const [what, jumpMs, isNew] of cases) {
    clock.jump(jumpMs);
    const { notBeforeMs, notAfterMs } = keeper.certificate();
    assert.ok(notBeforeMs <= clock.wallMs() && clock.wallMs() < notAfterMs, what);
    assert.equal(keeper.certificate() !== last, isNew, what);
    last = keeper.certificate();
  }
});

test("another cluster or role is another certificate at once, the same claim is not", () => {
  const { keeper } = keeping();
  const uri = () => certificateFacts(new X509Certificate(keeper.certificate().pem)).uri;
  assert.deepEqual(uri(), claim);
  const first = keeper.certificate();
  keeper.claimToBe({ ...claim });
  assert.equal(keeper.certificate(), first);
  for (const next of [
    { ...claim, clusterId: "c2" },
    { ...claim, role: "engine" },
    { ...claim, machine: parseMachineId("b".repeat(32))! },
  ] as const) {
    keeper.claimToBe(next);
    assert.deepEqual(uri(), next);
    assert.deepEqual(keeper.claim, next);
  }
});

test("connections share what TLS makes of a certificate, until there is another one", () => {
  const { clock, keeper } = keeping();
  const first = keeper.secureContext();
  assert.equal(keeper.secureContext(), first);
  clock.jump(89 * DAY);
  const second = keeper.secureContext();
  assert.notEqual(second, first);
  keeper.claimToBe({ ...claim, clusterId: "c2" });
  assert.notEqual(keeper.secureContext(), second);
});
