import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeReason, type RebootMemory, type RebootReason } from "./judge-reason.ts";

const reason = (mark: string): RebootReason => ({ text: "a new kernel", mark });
const rebooted = (left: string | null): RebootMemory => ({ boot: "boot-1", reason: "a new kernel", left });

const CASES: readonly (readonly [
  say: string,
  reason: RebootReason | null,
  boot: string,
  memory: RebootMemory | null,
  verdict: string,
  after: RebootMemory | null,
])[] = [
  ["no reason, no restart", null, "boot-1", null, "none", null],
  ["a reason that nobody restarted for", reason("a"), "boot-1", null, "restart", null],
  [
    "a restart that was asked for and did not come goes on",
    reason("a"),
    "boot-1",
    rebooted(null),
    "restart",
    rebooted(null),
  ],
  [
    "a reason that outlives its restart asks for no other",
    reason("a"),
    "boot-2",
    rebooted(null),
    "left",
    rebooted("a"),
  ],
  ["nor does it later, nor after another boot", reason("a"), "boot-3", rebooted("a"), "left", rebooted("a")],
  ["given anew since, it asks again", reason("b"), "boot-2", rebooted("a"), "restart", rebooted("a")],
  ["gone once, everything is forgotten", null, "boot-2", rebooted("a"), "none", null],
  ["a command has no mark: it must have been gone", reason(""), "boot-2", rebooted(""), "left", rebooted("")],
];

for (const [say, because, boot, memory, verdict, after] of CASES) {
  test(say, () => assert.deepEqual(judgeReason(because, boot, memory), { verdict, memory: after }));
}

test("a reason that is there after every boot restarts the machine once", () => {
  let memory: RebootMemory | null = null;
  let restarts = 0;
  for (let boot = 1; boot <= 5; boot++) {
    for (let look = 0; look < 3; look++) {
      const judged = judgeReason(reason("same"), `boot-${boot}`, memory);
      memory = judged.memory;
      if (judged.verdict !== "restart") continue;
      restarts += 1;
      memory = { boot: `boot-${boot}`, reason: "a new kernel", left: null };
      break;
    }
  }
  assert.equal(restarts, 1);
});
