import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId } from "../names.ts";
import type { RolloutPhase } from "../rollout/rollout-record.ts";
import { convergenceStatus, DESCRIPTION_MAX, GITHUB, githubRepository } from "./convergence-status.ts";

const release = { seq: 7, commit: "c".repeat(40) as CommitId };
const failureOf = (unit: string) => ({ unit, machine: "m", because: { code: "failed", detail: "" } }) as never;
const failures = [failureOf("web.service")];

test("how a release fares, in a forge's three words", () => {
  const told = (phase: RolloutPhase | null, failed = false) => {
    const rollout = phase === null ? null : { phase, failures: failed ? failures : [] };
    const { state, description } = convergenceStatus(release, rollout);
    return `${state}: ${description}`;
  };
  assert.equal(told(null), "pending: release 7 is rolled out");
  assert.equal(told("rolling"), "pending: release 7 is rolled out");
  assert.equal(told("paused"), "pending: release 7 is paused");
  assert.equal(told("done"), "success: release 7 runs everywhere");
  assert.equal(told("held", true), "failure: release 7 is held: web.service failed");
  assert.equal(told("rolled-back", true), "failure: release 7 was rolled back: web.service failed", "never a success");
  assert.equal(told("aborted"), "failure: release 7 was aborted");
});

test("a description is no longer than the forge takes", () => {
  const many = Array.from({ length: 40 }, (_, index) => failureOf(`unit-${index}.service`));
  assert.equal(convergenceStatus(release, { phase: "held", failures: many }).description.length, DESCRIPTION_MAX);
});

test("a token goes to github.com for a repository there, and nowhere else", () => {
  const taken = [
    "https://github.com/ada/home",
    "https://GitHub.com/ada/home.git",
    "git@github.com:ada/home.git",
    "ssh://git@github.com/ada/home/",
    "https://mirror.example/ada/home,https://github.com/ada/home",
  ];
  assert.deepEqual(
    taken.map((source) => githubRepository(source, GITHUB)),
    taken.map(() => "ada/home"),
  );
  const refused = [
    ...[
      "https://github.com.evil.example/ada/home",
      "https://evil.example/github.com/ada/home",
      "http://github.com/ada/home",
    ],
    ...[
      "/srv/git/home.git",
      "https://github.com/ada",
      "https://github.com/ada/home/issues",
      "https://github.com/ada/..",
      "https://evil.example/x,https://evil.example/https://github.com/ada/home",
      "",
    ],
  ];
  assert.deepEqual(
    refused.filter((source) => githubRepository(source, GITHUB) !== null),
    [],
  );
});

test("an Enterprise has sources of its own, and GitHub's are none of them", () => {
  const of = (source: string) => githubRepository(source, "ghe.example:8443");
  assert.equal(of("https://GHE.example:8443/ada/home.git"), "ada/home");
  assert.equal(of("http://ghe.example:8443/ada/home"), "ada/home");
  const others = [
    "https://ghe.example/ada/home",
    "https://github.com/ada/home",
    "https://x@evil@ghe.example:8443/ada/home",
  ];
  assert.deepEqual(others.map(of), [null, null, null]);
});
