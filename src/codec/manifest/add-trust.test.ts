import assert from "node:assert/strict";
import { test } from "node:test";
import { addTrust, TRUST_STANZA } from "./add-trust.ts";

const HEAD = "apiVersion: fleet/v1\ncluster: prod\n";

test("the stanza comes behind what is there, which stays word for word", () => {
  for (const text of [HEAD, `# a comment\n${HEAD}\nunits:\n  a.service: { state: loaded }   # and another\n`])
    assert.equal(addTrust("fleet.yaml", text), `${text}${TRUST_STANZA}`);
  assert.equal(addTrust("fleet.yaml", HEAD.trimEnd()), `${HEAD}${TRUST_STANZA}`);
});

test("where it would not be read as meant, nothing is written", () => {
  const texts = [
    "{ apiVersion: fleet/v1, cluster: prod }\n",
    `${HEAD}${TRUST_STANZA}`,
    `${HEAD}trust: { mode: off }\n`,
    `${HEAD}clutser: x\n`,
    `${HEAD}...\n`,
    "",
  ];
  for (const text of texts) assert.equal(addTrust("fleet.yaml", text), null, text);
});
