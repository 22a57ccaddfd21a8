import assert from "node:assert/strict";
import { test } from "node:test";
import { makeTestRepository } from "../../test/contract/git-repository.ts";
import { approvalSlot } from "./approval-slot.ts";

test("an approval takes this person's ref, or the first that nobody has", async () => {
  const repository = makeTestRepository();
  try {
    repository.git(["config", "user.email", "ann@example.org"]);
    const by = (email: string) =>
      Buffer.from(
        `tree 0\nauthor A <x@y> 1 +0000\ncommitter A <${email}> 1 +0000\n\ncommitter A <ann@example.org> 1 +0000\n`,
      );
    const slotAmong = (...emails: readonly string[]) => {
      const refs = new Map(
        emails.map((email, at) => [`refs/fleet/approvals/c${at === 0 ? "" : `.${at + 1}`}`, by(email)]),
      );
      return approvalSlot("c", repository.path, { commitAt: async (ref) => refs.get(ref) ?? null });
    };
    assert.equal(await slotAmong(), "refs/fleet/approvals/c");
    assert.equal(await slotAmong("ann@example.org"), "refs/fleet/approvals/c");
    assert.equal(await slotAmong("bob@example.org"), "refs/fleet/approvals/c.2");
    assert.equal(await slotAmong("bob@example.org", "ann@example.org"), "refs/fleet/approvals/c.2");
    await assert.rejects(slotAmong(...Array.from({ length: 8 }, () => "bob@example.org")), {
      code: "too-many-approvals",
    });
  } finally {
    repository.remove();
  }
});
