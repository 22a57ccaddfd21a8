import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { machineCapacity } from "./machine-capacity.ts";

test("every core, and no more memory than the kernel says there is", () => {
  const { cpuMilli, memoryBytes } = machineCapacity();
  const cores = readFileSync("/proc/cpuinfo", "utf8").match(/^processor\b/gm)?.length;
  const total = Number(/^MemTotal:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))![1]) * 1024;
  assert.equal(cpuMilli, cores! * 1_000);
  assert.ok(memoryBytes <= total && memoryBytes > total - 16 * 1024 ** 2, `${memoryBytes} of ${total}`);
  assert.equal(memoryBytes % (16 * 1024 ** 2), 0);
});
