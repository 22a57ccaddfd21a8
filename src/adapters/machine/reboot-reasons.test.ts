import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { OperationError } from "../../ports/operation-error.ts";
import { DiskFileStore } from "../files/disk-file-store.ts";
import { checkWords, commandReason, fileReason } from "./reboot-reasons.ts";

test("a file that is there is a reason, another one written in its place is another", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-reasons-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "reboot-required");
  const files = new DiskFileStore();
  assert.equal(await fileReason(files, path), null);
  writeFileSync(path, "");
  const first = await fileReason(files, path);
  assert.deepEqual(await fileReason(files, path), first);
  assert.match(first?.text ?? "", /reboot-required is there/);
  rmSync(path);
  writeFileSync(path, "", { flag: "w" });
  await files.write(path, "again");
  assert.notEqual((await fileReason(files, path))?.mark, first?.mark);
});

test("a program that ends with 0 is a reason, one that ends otherwise is none", async () => {
  assert.equal((await commandReason(["/bin/true"]))?.text, "/bin/true says so");
  assert.equal(await commandReason(["/bin/false"]), null);
});

test("one that is not there, or does not end, tells nothing", async () => {
  const failed = (error: unknown) => error instanceof OperationError && error.code === "check-failed";
  await assert.rejects(commandReason(["/nowhere/at-all"]), failed);
  await assert.rejects(commandReason(["/bin/sleep", "60"], 50), failed);
});

test("a check's words reach the program as they are: nothing is a shell's", async () => {
  assert.deepEqual(checkWords(`/bin/test "a b" = '$(reboot)'`), ["/bin/test", "a b", "=", "$(reboot)"]);
  assert.equal((await commandReason(checkWords("/bin/test '; true' = '; true'")))?.mark, "");
  for (const text of ["", "  ", "/bin/test 'x"]) assert.throws(() => checkWords(text), /is no command/);
});
