import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { throughEngines } from "./through-engines.ts";

const folder = mkdtempSync(join(tmpdir(), "fleet-through-"));
const { FLEET_CONF, FLEET_LISTEN } = process.env;
after(() => {
  rmSync(folder, { recursive: true });
  for (const [name, value] of Object.entries({ FLEET_CONF, FLEET_LISTEN })) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const CASES: readonly [string, conf: string, Parameters<typeof throughEngines>, string | null][] = [
  ["engines that are named", "", [{ through: "nas.lan" }, false], "hub://nas.lan"],
  ["with their scheme", "", [{ through: "hub://nas.lan:7000,pi" }, true], "hub://nas.lan:7000,pi"],
  ["those this machine goes through", 'registry="hub://nas.lan"', [{}, true], "hub://nas.lan"],
  ["the one that serves others here", 'listen="0.0.0.0:7440"', [{}, true], "hub://localhost:7440"],
  ["on one address of it", 'listen="[fd00::1]:7000"', [{}, true], "hub://[fd00::1]:7000"],
  ["none where there is none", 'registry="etcd://e1"', [{}, true], null],
  ["none for whoever may not speak for the machine", 'registry="hub://nas.lan"', [{}, false], null],
];
for (const [says, conf, words, expected] of CASES) {
  test(`asks through engines: ${says}`, () => {
    process.env.FLEET_CONF = join(folder, "fleet.conf");
    delete process.env.FLEET_LISTEN;
    writeFileSync(process.env.FLEET_CONF, `${conf}\n`);
    assert.equal(throughEngines(...words), expected);
  });
}
