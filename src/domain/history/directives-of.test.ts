import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository } from "../../../test/compile-repository.ts";
import { readManifest } from "../../codec/manifest/read-manifest.ts";
import { directivesOf } from "./directives-of.ts";

const MANIFEST = `apiVersion: fleet/v1
cluster: shop
admit: any
defaults: { environment: { ALL: 1 } }
units:
  web@.service:
    instances: 2
    environment:
      TEMPLATE: 1
      BOTH: 1
  web@1.service:
    environment: { BOTH: 2 }
machines:
  nas: { dropins: { web@.service: [nas.conf] } }
`;
const FILES = {
  "fleet.yaml": MANIFEST,
  "nas.conf": "[Service]\nNice=7\n",
  "units/web@.service": "# what customers see\n[Service]\nExecStart=/bin/web \\\n  --port 80\nNice=5\nRestart=no\n",
  "units/web@.service.d/10-restart.conf": "[Service]\nRestart=always\n",
};

function placed(name: string, machine: string | null) {
  const { spec, diagnostics } = compileRepository(FILES);
  assert.ok(spec !== null, JSON.stringify(diagnostics));
  const { manifest } = readManifest("fleet.yaml", MANIFEST);
  const unit = spec.units.find((one) => one.name === name)!;
  return directivesOf(unit, machine, spec, manifest!).map(({ section, text, at }) => {
    const lines = at === null ? "-" : `${at.path}:${at.line}${at.lastLine > at.line ? `-${at.lastLine}` : ""}`;
    return `${lines} [${section}] ${text}`;
  });
}

test("a directive in force points to its lines: fragment, drop-in, or the manifest's own", () => {
  assert.deepEqual(placed("web@2.service", null), [
    "units/web@.service:3-4 [Service] ExecStart=/bin/web    --port 80",
    "units/web@.service:5 [Service] Nice=5",
    "units/web@.service.d/10-restart.conf:2 [Service] Restart=always",
    'fleet.yaml:4 [Service] Environment="ALL=1"',
    'fleet.yaml:10 [Service] Environment="BOTH=1"',
    'fleet.yaml:9 [Service] Environment="TEMPLATE=1"',
  ]);
});

test("the most special word of the manifest counts, and a machine's own drop-in on that machine alone", () => {
  const lines = placed("web@1.service", "nas");
  assert.ok(lines.includes('fleet.yaml:12 [Service] Environment="BOTH=2"'), lines.join("\n"));
  assert.ok(lines.includes("nas.conf:2 [Service] Nice=7"), lines.join("\n"));
  assert.ok(!lines.some((line) => line.endsWith("Nice=5")), "what is overridden is not in force");
  assert.ok(placed("web@1.service", "other").some((line) => line.endsWith("Nice=5")));
});
