import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { OperationError } from "../../ports/operation-error.ts";
import { DiskFileStore } from "./disk-file-store.ts";

const store = new DiskFileStore();

function inFolder(sentence: string, run: (folder: string) => Promise<void>, skip: string | false = false): void {
  test(sentence, { skip }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "fleet-disk-"));
    try {
      await run(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

async function rejectsWith(code: string, path: string, act: Promise<unknown>): Promise<void> {
  await assert.rejects(act, (error) => {
    assert.ok(error instanceof OperationError, String(error));
    assert.equal(error.code, code);
    assert.ok(error.message.includes(path), error.message);
    return true;
  });
}

inFolder("a link in the target's place is replaced, and what it points to stays as it was", async (folder) => {
  writeFileSync(`${folder}/precious`, "precious");
  symlinkSync(`${folder}/precious`, `${folder}/target`);
  await store.write(`${folder}/target`, "ours");
  assert.equal(readFileSync(`${folder}/precious`, "utf8"), "precious");
  assert.ok(!lstatSync(`${folder}/target`).isSymbolicLink());
});

inFolder("a link in the temporary file's place is not written through", async (folder) => {
  symlinkSync(`${folder}/precious`, `${folder}/.target.fleet-new`);
  await store.write(`${folder}/target`, "ours");
  assert.ok(!existsSync(`${folder}/precious`));
  assert.equal(readFileSync(`${folder}/target`, "utf8"), "ours");
});

inFolder("the litter of a crash goes with the next write, and with remove, which can then prune", async (folder) => {
  mkdirSync(`${folder}/d`);
  writeFileSync(`${folder}/d/.a.fleet-new`, "half");
  await store.write(`${folder}/d/a`, "whole");
  assert.deepEqual(await store.list(`${folder}/d`), ["a"]);
  writeFileSync(`${folder}/d/.a.fleet-new`, "half");
  await store.remove(`${folder}/d/a`, { prune: true });
  assert.ok(!existsSync(`${folder}/d`));
});

inFolder("removing a link removes the link", async (folder) => {
  writeFileSync(`${folder}/precious`, "precious");
  symlinkSync(`${folder}/precious`, `${folder}/link`);
  await store.remove(`${folder}/link`);
  assert.ok(existsSync(`${folder}/precious`));
  assert.ok(!existsSync(`${folder}/link`));
});

inFolder("a pipe in the file's place is refused at once, not waited for", async (folder) => {
  execFileSync("mkfifo", [`${folder}/pipe`]);
  await rejectsWith("not-a-file", `${folder}/pipe`, store.read(`${folder}/pipe`));
});

inFolder("a file larger than any of ours is refused unread", async (folder) => {
  writeFileSync(`${folder}/huge`, "");
  truncateSync(`${folder}/huge`, 64 * 1024 * 1024 + 1);
  await rejectsWith("file-too-large", `${folder}/huge`, store.read(`${folder}/huge`));
});

/** The rights of a process come with its mounts; root may make its own and take them down again. */
const notRoot = process.getuid?.() === 0 ? false : "only root can mount";

function onMount(sentence: string, options: string, run: (mount: string) => Promise<void>): void {
  inFolder(
    sentence,
    async (folder) => {
      execFileSync("mount", ["-t", "tmpfs", "-o", options, "fleet-test", folder]);
      try {
        await run(folder);
      } finally {
        execFileSync("umount", [folder]);
      }
    },
    notRoot,
  );
}

onMount("a full disk is named so, keeps the old file and no half of the new one", "size=64k", async (mount) => {
  await store.write(`${mount}/file`, "old");
  await rejectsWith("disk-full", `${mount}/file`, store.write(`${mount}/file`, "x".repeat(200_000)));
  assert.equal(await store.read(`${mount}/file`), "old");
  assert.deepEqual(await store.list(mount), ["file"]);
});

onMount("a disk that is read-only is named so, by write and by remove", "size=64k", async (mount) => {
  await store.write(`${mount}/file`, "old");
  execFileSync("mount", ["-o", "remount,ro", mount]);
  await rejectsWith("read-only", `${mount}/file`, store.write(`${mount}/file`, "new"));
  await rejectsWith("read-only", `${mount}/file`, store.remove(`${mount}/file`));
  assert.equal(await store.read(`${mount}/file`), "old");
});

inFolder("a symbolic link is moved itself, also one that leads nowhere, and what it led to stays", async (folder) => {
  writeFileSync(join(folder, "target"), "text");
  for (const [link, target] of [
    ["alive", "target"],
    ["dangling", "nowhere"],
  ] as const) {
    symlinkSync(target, join(folder, link));
    await store.move(join(folder, link), join(folder, "kept", link));
    assert.equal(readlinkSync(join(folder, "kept", link)), target);
    assert.equal(lstatSync(join(folder, link), { throwIfNoEntry: false }), undefined);
  }
  assert.equal(readFileSync(join(folder, "target"), "utf8"), "text");
});
