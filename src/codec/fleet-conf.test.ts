import assert from "node:assert/strict";
import { test } from "node:test";
import { isConfValue, setConf, unsetConf } from "./fleet-conf.ts";

const HUB = { registry: "hub://nas", name: "pi" };
const WRITTEN = 'registry="hub://nas"  # by fleet join\nname="pi"  # by fleet join\n';

const cases: readonly (readonly [what: string, before: string, after: string])[] = [
  ["no file", "", WRITTEN],
  ["comments and other options stay", "# mine\nbranch = main # yes\n\n", `# mine\nbranch = main # yes\n\n${WRITTEN}`],
  ["a file without an end of its last line", 'branch="x"', `branch="x"\n${WRITTEN}`],
  [
    "what says the same stays as it is",
    `registry = "hub://nas"\n`,
    `registry = "hub://nas"\nname="pi"  # by fleet join\n`,
  ],
  [
    "what says otherwise becomes a comment, in its place",
    'registry="etcd://h1" # old\nbranch="x"\n',
    '# before fleet join: registry="etcd://h1" # old\nregistry="hub://nas"  # by fleet join\nbranch="x"\nname="pi"  # by fleet join\n',
  ],
  [
    "old fleet's name of an option too",
    'etcd_servers=["http://h1:4001"]\n',
    `# before fleet join: etcd_servers=["http://h1:4001"]\n${WRITTEN}`,
  ],
  [
    "an option twice: the second says nothing any more",
    'name="a"\nname="b"\n',
    '# before fleet join: name="a"\nname="pi"  # by fleet join\n# before fleet join: name="b"\nregistry="hub://nas"  # by fleet join\n',
  ],
  ["what join wrote before is written anew", 'registry="hub://old"  # by fleet join\n', WRITTEN],
  ["again: nothing changes", WRITTEN, WRITTEN],
];

for (const [what, before, after] of cases) {
  test(`fleet.conf, ${what}`, () => {
    assert.equal(setConf(before, HUB), after);
    assert.equal(setConf(after, HUB), after, "again: harmless");
  });
}

test("what was set before and is not set now goes, and what had stood there is back", () => {
  const before = 'listen="0.0.0.0:7440"\n';
  const hub = setConf(before, { listen: ":7440", source: "https://host/homelab" });
  assert.equal(setConf(hub, { name: "pi" }), `${before}name="pi"  # by fleet join\n`);
});

test("leaving brings back what joining took out of the way, and nothing of its own stays", () => {
  for (const before of ["# mine\n", 'registry="etcd://h1" # old\nbranch="x"\n', 'name="a"\nname="b"\n']) {
    assert.equal(unsetConf(setConf(before, HUB)), before);
  }
  assert.equal(unsetConf(WRITTEN), null, "a file that only join wrote goes");
});

test("a value the reader could not read back is none", () => {
  assert.equal(isConfValue("hub://nas"), true);
  for (const bad of ['a"b', "a\nb", "a\rb"]) assert.equal(isConfValue(bad), false);
});
