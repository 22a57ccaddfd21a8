import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitHash, UnitName } from "../names.ts";
import { AT_MOST_ONE_DROPIN, atMostOneDropin } from "../spec/at-most-one-dropin.ts";
import { atMostOnce, heldBackWith } from "./at-most-once.ts";
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
  const { units, problems } = atMostOnce([wanted("a.service", FITS), wanted("b.service", FITS, "20s")], 30_000);
  assert.deepEqual(units, [
    {
      name: "b.service",
      service: "b.service",
      stopAfterMs: 20_000,
      lease: "fleet-lease@20s.service",
      oneshot: false,
    },
  ]);
  assert.deepEqual(problems, []);
});

test("the lease that counts is the agent's own, and drop-ins of the machine count", () => {
  const isTooShort = (unit: WantedUnit, ttlMs: number) => atMostOnce([unit], ttlMs).problems.length > 0;
  assert.equal(isTooShort(wanted("b.service", FITS, "20s"), 29_000), true);
  const slow = { "b.service.d/machine.conf": "[Service]\nTimeoutStopSec=4\n" };
  assert.equal(isTooShort(wanted("b.service", FITS, "20s", slow), 30_000), true);
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
