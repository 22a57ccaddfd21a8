import assert from "node:assert/strict";
import { test } from "node:test";
import { ANSWER_PATIENCE_MS, type IdentityInput, judgeIdentity } from "./judge-identity.ts";

const OTHER = { bootId: "other", modRevision: 5 };

const CASES: Readonly<Record<string, readonly [said: Partial<IdentityInput>, verdict: string]>> = {
  "nobody is there": [{}, "ours"],
  "our own presence, of this agent or of one before it in this boot": [
    { presence: { bootId: "mine", modRevision: 5 } },
    "ours",
  ],
  "another boot is present: it is asked": [{ presence: OTHER }, "ask"],
  "it was asked a moment ago": [{ presence: OTHER, claimRevision: 6 }, "wait"],
  "it has answered": [{ presence: { ...OTHER, modRevision: 7 }, claimRevision: 6 }, "refused"],
  "it has answered late": [
    { presence: { ...OTHER, modRevision: 7 }, claimRevision: 6, waitedMs: 10 * ANSWER_PATIENCE_MS },
    "refused",
  ],
  "it does not answer: it is this machine before its boot": [
    { presence: OTHER, claimRevision: 6, waitedMs: ANSWER_PATIENCE_MS },
    "silent",
  ],
  "it did not answer, and its lease has ended": [{ claimRevision: 6, waitedMs: ANSWER_PATIENCE_MS }, "ours"],
  "who was refused does not take over when the other's lease ends": [{ claimRevision: 6, wasRefused: true }, "refused"],
  "who was refused asks again where its claim went with a lease": [{ presence: OTHER, wasRefused: true }, "ask"],
  "who was refused and asked again stays refused": [{ presence: OTHER, claimRevision: 6, wasRefused: true }, "refused"],
};

for (const [sentence, [said, verdict]] of Object.entries(CASES)) {
  test(sentence, () => {
    const input = { bootId: "mine", presence: null, claimRevision: null, waitedMs: 0, wasRefused: false, ...said };
    assert.equal(judgeIdentity(input), verdict);
  });
}
