import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { MachineId, UnitName } from "../domain/names.ts";
import { lastLines } from "./last-lines.ts";
import type { UnitRow } from "./views/unit-rows.ts";

const here = existsSync("/etc/machine-id") ? readFileSync("/etc/machine-id", "utf8").trim() : "";
const skip = here === "" && "this machine has no machine id";

async function withJournalctl<T>(script: string, use: () => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "fleet-journalctl-"));
  const before = process.env.PATH;
  writeFileSync(join(folder, "journalctl"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "journalctl"), 0o755);
  process.env.PATH = `${folder}:${before}`;
  try {
    return await use();
  } finally {
    process.env.PATH = before;
    rmSync(folder, { recursive: true });
  }
}

function rowOn(machine: string): UnitRow {
  return { unit: "web.service" as UnitName, machine: machine as MachineId, address: null } as UnitRow;
}

test("the last lines of a unit on this machine, none of which steers a terminal", { skip }, async () => {
  const lines = await withJournalctl("printf 'one\\n\\033[31mtwo %s\\n' \"$3\"", () => lastLines(rowOn(here), 3));
  assert.deepEqual(lines, ["one", "\\x1b[31mtwo --lines=3"]);
});

test("a journal nobody may read has no lines", { skip }, async () => {
  assert.deepEqual(await withJournalctl("echo no; exit 1", () => lastLines(rowOn(here), 3)), []);
});

test("another machine's journal is not asked for", async () => {
  assert.deepEqual(await withJournalctl("echo never", () => lastLines(rowOn("f".repeat(32)), 3)), []);
});
