import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseMemorySize } from "./memory-size.ts";

/** What `systemd-analyze` and `systemctl show` of 252 make of them; see parse_size in its src/basic/parse-util.c and its tests. */
describe("sizes as systemd reads them", () => {
  const cases: [string, number | null][] = [
    ["0", 0],
    ["111", 111],
    ["111.4", 111],
    [" 112 B", 112],
    ["112B", 112],
    ["3.5 B", 3],
    ["3. K", 3072],
    ["3.5K", 3584],
    ["3. M 4.5K", 3 * 1024 ** 2 + 4608],
    ["1.5G", 1.5 * 1024 ** 3],
    ["5G 3M", 5 * 1024 ** 3 + 3 * 1024 ** 2],
    ["5G3", 5 * 1024 ** 3 + 3],
    ["2T", 2 * 1024 ** 4],
    ["1P", 1024 ** 5],
    ["9E", null],
    ["3M5G", null],
    ["3G 5G", null],
    ["", null],
    ["-1", null],
    ["1k", null],
    ["1 GiB", null],
    ["12X", null],
    [".7", null],
    ["50%", null],
    ["infinity", null],
    ["1234567890123456", null],
  ];
  for (const [text, bytes] of cases) {
    test(JSON.stringify(text), () => assert.equal(parseMemorySize(text), bytes));
  }
});
