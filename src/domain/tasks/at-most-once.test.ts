import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitHash, UnitName } from "../names.ts";
import { AT_MOST_ONE_DROPIN, atMostOneDropin } from "../spec/at-most-one-dropin.ts";
import { atMostOnce, heldBackWith, tooShortFor } from "./at-most-once.ts";
import type { WantedUnit } from "./task.ts";

function wanted(name: string, text: string, stopAfter?: string, more: Record<string, string> = {}): WantedUnit {
  const bound =
    stopAfter === undefined
      ? {}
      : { [`${name}.d/${AT_MOST_ONE_DROPIN}`]: atMostOneDropin(name as UnitName, `stop-after=${stopAfter}`) };
  const files = Object.entries({ [name]: text, ...bound, ...more }).map(([path, content]) => ({ path, text: content }));
  const after = [...text.matchAll(/^After=(.*)$/gm)].map((match) => match[1] as UnitName);
  const [unit, hash] = [name as UnitName, name as UnitHash];
  return { name: unit, service: unit, goal: "launched", hash, files, after, oneshot: false };
}

const FITS = "[Service]\nTimeoutStopSec=3\n";

test("the units that run at most once are those with the drop-in that binds them", () => {
  const { units } = atMostOnce([wanted("a.service", FITS), wanted("b.service", FITS, "20s")]);
  assert.deepEqual(units, [
    {
      name: "b.service",
      service: "b.service",
      stopAfterMs: 20_000,
      lease: "fleet-lease@20s.service",
      oneshot: false,
    },
  ]);
});

test("the lease that counts is the agent's own, and drop-ins of the machine count", () => {
  const isTooShort = (unit: WantedUnit, ttlMs: number) => tooShortFor(atMostOnce([unit]), ttlMs).has(unit.name);
  const b = wanted("b.service", FITS, "20s");
  assert.deepEqual([isTooShort(b, 29_000), isTooShort(b, 30_000)], [true, false]);
  const slow = { "b.service.d/machine.conf": "[Service]\nTimeoutStopSec=4\n" };
  assert.equal(isTooShort(wanted("b.service", FITS, "20s", slow), 30_000), true);
});

test("the shortest lease is one that is long enough for each of them, and not a second longer", () => {
  const units = [wanted("a.service", FITS, "10s"), wanted("b.service", FITS, "20s")];
  const single = atMostOnce(units);
  assert.equal(single.leaseMs, 30_000);
  assert.deepEqual([...tooShortFor(single, single.leaseMs)], []);
  assert.deepEqual([...tooShortFor(single, single.leaseMs - 1_000)], ["b.service"]);
  assert.equal(atMostOnce([wanted("a.service", FITS)]).leaseMs, 0);
  assert.equal(atMostOnce([wanted("a.service", "[Service]\nKillMode=none\n", "2s")]).leaseMs, 0, "none would do");
});

test("with what may not run everything is left alone that needs it", () => {
  const units = [
    wanted("db.service", FITS, "20s"),
    wanted("web.service", "[Unit]\nRequires=db.service\n"),
    wanted("front.service", "[Unit]\nBindsTo=web.service\n"),
    wanted("other.service", "[Unit]\nWants=db.service\n"),
  ];
  assert.deepEqual(heldBackWith(["db.service" as UnitName], units), ["db.service", "front.service", "web.service"]);
  assert.deepEqual(heldBackWith([], units), []);
});
