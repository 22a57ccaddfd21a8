import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import { machineId } from "../../../test/property/generators/cluster.ts";
import type { Machine } from "../cluster/machine.ts";
import { placeUnits } from "../placement/place-units.ts";
import { rolloutFindings } from "./rollout-findings.ts";

const EARLY = { stage: "early" };

interface Case {
  readonly manifest: string;
  readonly machines: readonly Machine["metadata"][];
  readonly found: readonly string[];
}

const web = (rollout: string) => `units: { web@.service: { instances: 3, rollout: { ${rollout} } } }\n`;
const proxy = (rollout: string) => `units: { proxy.service: { rollout: { ${rollout} } } }\n`;

const CASES: Readonly<Record<string, Case>> = {
  "canaries on a machine that has one of them": {
    manifest: web("canary: stage=early"),
    machines: [EARLY, {}, {}],
    found: [],
  },
  "a selector no machine matches": {
    manifest: web("canary: stage=erly"),
    machines: [EARLY, {}, {}],
    found: ["canary-none canary: stage=erly for web@.service, while no machine that matches has one of them"],
  },
  "a selector all machines match": {
    manifest: web("canary: stage=early"),
    machines: [EARLY, EARLY],
    found: [
      "canary-all canary: stage=early for web@.service, which is all 3 of its replicas: none is left to follow them",
    ],
  },
  "as many as a global unit has machines": {
    manifest: proxy("canary: 2"),
    machines: [{}, {}],
    found: ["canary-all canary: 2 for proxy.service, which is all 2 of its replicas: none is left to follow them"],
  },
  "one of a single machine": { manifest: proxy("canary: 1"), machines: [{}], found: [] },
  "a ring without machines, and one for those to come": {
    manifest: 'rings: [{ match: stage=early }, { match: stage=late }, { match: "*" }]\n',
    machines: [EARLY],
    found: ["ring-empty the ring stage=late, in which no machine of the cluster is"],
  },
  "no machine yet": {
    manifest: `rings: [{ match: stage=early }]\n${web("canary: stage=early")}`,
    machines: [],
    found: [],
  },
};

for (const [sentence, { manifest, machines: metadata, found }] of Object.entries(CASES)) {
  test(sentence, () => {
    const { spec } = compileRepository({
      "fleet.yaml": `apiVersion: fleet/v1\ncluster: test\n${manifest}`,
      "units/web@.service": "[Service]\nExecStart=/bin/web\n",
      "units/proxy.service": "[Service]\nExecStart=/bin/proxy\n[X-Fleet]\nGlobal=true\n",
    });
    assert.ok(spec);
    const machines = metadata.map(
      (one, index): Machine => ({
        id: machineId(index),
        name: `m${index}`,
        address: "",
        metadata: one,
        drain: false,
        cordon: false,
        presence: "present",
        presenceRevision: 1,
        admitted: true,
      }),
    );
    const { placements } = placeUnits({ spec, machines, current: new Map(), preferred: new Map(), sha256 });
    assert.deepEqual(
      rolloutFindings(spec, machines, placements).map(({ code, saw }) => `${code} ${saw}`),
      found,
    );
  });
}
