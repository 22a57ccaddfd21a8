import assert from "node:assert/strict";
import { test } from "node:test";
import { usageHint } from "./usage-hint.ts";

const LIST = {
  commands: {
    plan: { flags: { worktree: {}, json: {}, secretive: { hidden: true } } },
    "list-units": { flags: { "no-legend": {}, fields: {} } },
    "list-unit-files": {},
    "list-machines": {},
    "lab:up": { flags: { machines: {} } },
    "lab:down": {},
    "config:check": {},
    exec: { hidden: true },
  },
};

const CASES: readonly [sentence: string, message: string, typed: string, hint: string | null][] = [
  ["a mistyped command", "command plam not found", "plam --json", "did you mean fleet plan?"],
  ["the beginning of one command", "command list-m not found", "list-m", "did you mean fleet list-machines?"],
  ["the beginning of several", "command list not found", "list", null],
  ["a mistyped second word", "command lab:upp not found", "lab upp", "did you mean fleet lab up?"],
  ["a mistyped first word of two", "command confg not found", "confg check", "did you mean fleet config?"],
  ["a command there is no more", "command exce not found", "exce", null],
  ["nothing like any", "command frobnicate not found", "frobnicate", null],
  ["a mistyped flag", "Nonexistent flag: --wortree", "plan --wortree", "did you mean --worktree?"],
  [
    "a flag of a command of two words",
    "Nonexistent flag: --machine\nSee more help with --help",
    "lab up --machine 3",
    "did you mean --machines?",
  ],
  ["another command's flag", "Nonexistent flag: --fields", "plan --fields x", null],
  ["a hidden flag", "Nonexistent flag: --secretiv", "plan --secretiv", null],
  ["anything else", "Missing 1 required arg", "plan", null],
];
for (const [sentence, message, typed, hint] of CASES) {
  test(`a hint for ${sentence}`, () => assert.equal(usageHint(message, typed.split(" "), LIST), hint));
}
