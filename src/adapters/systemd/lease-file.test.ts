import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { OperationError } from "../../ports/operation-error.ts";
import { VirtualClock } from "../memory/virtual-clock.ts";
import { LeaseFile } from "./lease-file.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "fleet-lease-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function world() {
  const clock = new VirtualClock();
  const home = mkdtempSync(join(folder, "case-"));
  const paths = { sent: join(home, "run", "lease"), helpers: join(home, "helpers"), uptime: join(home, "uptime") };
  writeFileSync(paths.uptime, "5000.25 1.00\n");
  const pipe = (name: string): string => {
    mkdirSync(join(paths.helpers, name), { recursive: true });
    const path = join(paths.helpers, name, "poke");
    assert.equal(spawnSync("mkfifo", [path]).status, 0);
    return path;
  };
  return { clock, paths, pipe, file: new LeaseFile(clock, paths) };
}

test("a moment of our clock is told as one of the machine's", async () => {
  const { clock, paths, file } = world();
  await clock.advance(7_000);
  await file.renewed(6_500);
  assert.equal(readFileSync(paths.sent, "utf8"), "4999750\n");
});

test("every helper that sleeps is poked, and one that is gone, or full, keeps nobody else from it", async () => {
  const { paths, pipe, file } = world();
  pipe("10s");
  const [awake, full] = [pipe("20s"), pipe("30s")].map((path) =>
    openSync(path, constants.O_RDWR | constants.O_NONBLOCK),
  );
  mkdirSync(join(paths.helpers, "40s"));
  assert.throws(() => {
    for (;;) writeSync(full!, "\n".repeat(4_096));
  }, /EAGAIN/);
  await file.renewed(0);
  await file.renewed(0);
  assert.equal(readSync(awake!, Buffer.alloc(10)), 2);
  for (const descriptor of [awake!, full!]) closeSync(descriptor);
});

test("where it cannot be told it says so", async () => {
  const { paths, file } = world();
  rmSync(paths.uptime);
  await assert.rejects(file.renewed(0), (error) => error instanceof OperationError && error.code === "lease-not-told");
});
