import assert from "node:assert/strict";
import { test } from "node:test";
import type { ManifestEdit } from "../../domain/edit/repository-edit.ts";
import { editManifest } from "./edit-manifest.ts";

const HEAD = "apiVersion: fleet/v1\ncluster: home\n";
const stop: ManifestEdit = { unit: "web.service", key: "state", value: "loaded" };
const forget: ManifestEdit = { unit: "web.service", key: null, value: null };
const unsay: ManifestEdit = { unit: "web.service", key: "state", value: null };

const CASES: readonly (readonly [name: string, before: string, edit: ManifestEdit, after: string | null])[] = [
  ["no units yet", "", stop, "units:\n  web.service: { state: loaded }\n"],
  ["units without any", "units:\nadmit: any\n", stop, "admit: any\nunits:\n  web.service: { state: loaded }\n"],
  ["no line break at the end", "admit: any", stop, "admit: any\nunits:\n  web.service: { state: loaded }\n"],
  [
    "behind the others, with their comments",
    "units:\n    a.service:   { drift: off }   # ours\n\n# machines\nmachines: {}\n",
    stop,
    "units:\n    a.service:   { drift: off }   # ours\n    web.service: { state: loaded }\n\n# machines\nmachines: {}\n",
  ],
  [
    "behind a block",
    "units:\n  a.service:\n    environment:\n      A: 1   # one\n\n# machines\nmachines: {}\n",
    stop,
    "units:\n  a.service:\n    environment:\n      A: 1   # one\n  web.service: { state: loaded }\n\n# machines\nmachines: {}\n",
  ],
  [
    "in braces",
    "units: { a.service: { drift: off } }\n",
    stop,
    "units: { a.service: { drift: off }, web.service: { state: loaded } }\n",
  ],
  [
    "in tight braces",
    "units: {a.service: {drift: off}}\n",
    stop,
    "units: {a.service: {drift: off}, web.service: { state: loaded }}\n",
  ],
  ["in empty braces", "units: {}\n", stop, "units: { web.service: { state: loaded } }\n"],
  [
    "an entry that says nothing",
    "units:\n  web.service:   # ours\n",
    stop,
    "units:\n  web.service: { state: loaded }   # ours\n",
  ],
  [
    "an entry in braces",
    'units:\n  web.service: { environment: { A: "1" } }  # ours\n',
    stop,
    'units:\n  web.service: { environment: { A: "1" }, state: loaded }  # ours\n',
  ],
  [
    "an entry that is a block",
    "units:\n  web.service:\n      drift: off  # why\n  z.service: {}\n",
    stop,
    "units:\n  web.service:\n      drift: off  # why\n      state: loaded\n  z.service: {}\n",
  ],
  [
    "another value",
    "units: { web.service: { state: 'launched', drift: off } }\n",
    stop,
    "units: { web.service: { state: loaded, drift: off } }\n",
  ],
  [
    "another value in a block",
    "units:\n  web.service:\n    state: launched  # why\n",
    stop,
    "units:\n  web.service:\n    state: loaded  # why\n",
  ],
  [
    "what is there already",
    "units: { web.service: { state: loaded } }\n",
    stop,
    "units: { web.service: { state: loaded } }\n",
  ],
  [
    "a key that needs quotes",
    "units: {}\n",
    { unit: "dev-disk\\x2dby.mount", key: "state", value: "loaded" },
    'units: { "dev-disk\\\\x2dby.mount": { state: loaded } }\n',
  ],
  [
    "a setting goes",
    "units: { web.service: { state: loaded, drift: off } }\n",
    unsay,
    "units: { web.service: { drift: off } }\n",
  ],
  [
    "the last of several goes",
    "units: { web.service: { drift: off, state: loaded } }\n",
    unsay,
    "units: { web.service: { drift: off } }\n",
  ],
  [
    "the only setting goes with its entry",
    "units:\n  web.service:\n    state: loaded # why\n  z.service: {}\n",
    unsay,
    "units:\n  z.service: {}\n",
  ],
  ["the only entry goes with its key", "units:\n  web.service: { state: loaded }\nadmit: any\n", unsay, "admit: any\n"],
  [
    "an entry goes",
    "units:\n  a.service: {}\n  # of web\n  web.service:\n    state: loaded\n",
    forget,
    "units:\n  a.service: {}\n  # of web\n",
  ],
  ["an entry in braces goes", "units: { web.service: {}, a.service: {} }\n", forget, "units: { a.service: {} }\n"],
  [
    "defaults that nobody wrote",
    "admit: any\n",
    { unit: null, key: "adopt", value: "true" },
    "admit: any\ndefaults: { adopt: true }\n",
  ],
  [
    "defaults that say something",
    "defaults:\n  drift: off\n",
    { unit: null, key: "adopt", value: "true" },
    "defaults:\n  drift: off\n  adopt: true\n",
  ],
  ["an entry there is not", "units: { a.service: {} }\n", forget, "units: { a.service: {} }\n"],
  ["units that are no mapping", "units: [a]\n", stop, null],
  ["a value the language does not have", "", { unit: "web.service", key: "state", value: "gone" }, null],
  [
    "a line break in a name",
    "",
    { unit: "web\nx.service", key: "state", value: "loaded" },
    'units:\n  "web\\nx.service": { state: loaded }\n',
  ],
];

for (const [name, before, edit, after] of CASES) {
  test(`the manifest is changed where it must be: ${name}`, () => {
    assert.equal(editManifest("fleet.yaml", HEAD + before, [edit]), after === null ? null : HEAD + after);
  });
}

test("a manifest in braces is left to its author", () => {
  assert.equal(editManifest("fleet.yaml", "{ apiVersion: fleet/v1, cluster: home }\n", [stop]), null);
});

test("a manifest with errors is left to its author", () => {
  assert.equal(editManifest("fleet.yaml", `${HEAD}unitz: {}\n`, [stop]), null);
});

test("several changes follow each other", () => {
  const edits: readonly ManifestEdit[] = [stop, { unit: "web@.service", key: "instances", value: "3" }, unsay];
  assert.equal(editManifest("fleet.yaml", HEAD, edits), `${HEAD}units:\n  web@.service: { instances: 3 }\n`);
});
