import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../names.ts";
import { rejectedQuadlets } from "./rejected-quadlets.ts";

const names = (...list: string[]) => list as UnitName[];
const said = (services: string[], ...words: string[]) => ({ services: new Set(names(...services)), words });

/** Words as podman 5.4.2 says them. */
const CASES: readonly [string, string[], ReturnType<typeof said>, Record<string, string>][] = [
  ["what becomes a service is not rejected", ["a.container"], said(["a.service"]), {}],
  [
    "an unknown key is the quadlet's own",
    ["a.container", "b.container"],
    said(["b.service"], "converting \"a.container\": unsupported key 'Imge' in group 'Container' in a.container"),
    { "a.container": "converting \"a.container\": unsupported key 'Imge' in group 'Container' in a.container" },
  ],
  [
    "a missing volume is the fault of whoever names it, not of a volume of a like name",
    ["a.container", "b.volume"],
    said(["b-volume.service"], 'converting "a.container": requested Quadlet source c.volume was not found'),
    { "a.container": 'converting "a.container": requested Quadlet source c.volume was not found' },
  ],
  [
    "of a folder that is not read because of one file, that file's quadlet alone is told",
    ["a.container", "b.container"],
    said(["theirs.service"], 'error loading "a.container", key file does not start with a group'),
    { "a.container": 'error loading "a.container", key file does not start with a group' },
  ],
  [
    "a drop-in that is passed over is its quadlet's, which would run otherwise than it says",
    ["a.container"],
    said(["a.service"], 'error loading "a.container.d/10.conf", key file does not start with a group'),
    { "a.container": 'error loading "a.container.d/10.conf", key file does not start with a group' },
  ],
  [
    "where nobody is named, whoever becomes no service has the words",
    ["a.container", "b.container"],
    said(["b.service"], "the generator panics"),
    { "a.container": "the generator panics" },
  ],
  [
    "nothing said is said",
    ["a.pod"],
    said([]),
    { "a.pod": "podman's generator makes no service of it, and says nothing" },
  ],
  [
    "an older podman's quotes count as well",
    ["a.container"],
    said([], "Error converting 'a.container', ignoring: no Image key specified"),
    { "a.container": "Error converting 'a.container', ignoring: no Image key specified" },
  ],
  [
    "others' files are nobody's fault here",
    ["a.container"],
    said(["a.service"], 'converting "theirs.container": no Image or Rootfs key specified'),
    {},
  ],
];

for (const [says, quadlets, words, expected] of CASES) {
  test(says, () => assert.deepEqual(Object.fromEntries(rejectedQuadlets(names(...quadlets), words)), expected));
}

test("a generator that talks without end fills no status", () => {
  const [told = ""] = rejectedQuadlets(names("a.container"), said([], "x".repeat(10_000))).values();
  assert.equal(told.length, 501);
});
