import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import { PassTrouble } from "./pass-trouble.ts";

const away = (message: string) => new OperationError("systemd-unreachable", message);

test("a pass that fails for a moment is nobody's news, one that goes on failing is, with its beginning, until one ends", async () => {
  const clock = new VirtualClock();
  const trouble = new PassTrouble(clock);
  const began = new Date(clock.wallMs()).toISOString();
  trouble.failed(away("no answer"));
  assert.equal(trouble.problem, null);
  await clock.advance(3_000);
  trouble.failed(away("no answer"));
  const said = { code: "cannot-look", detail: "systemd-unreachable: no answer", journal: [], since: began };
  assert.deepEqual(trouble.problem, said);
  trouble.failed(away("no answer after 25 s"));
  assert.deepEqual(trouble.problem, said, "other words for the same reason are no news");
  trouble.failed(new OperationError("disk-full", "no space"));
  assert.deepEqual(trouble.problem, { ...said, detail: "disk-full: no space" });
  trouble.passed();
  assert.equal(trouble.problem, null);
});
