import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../../domain/names.ts";
import { err, info, notice, warning } from "../../ports/log.ts";
import { journalEntry, plainText, prefixedText } from "./log-frames.ts";

const WEB = "web.service" as UnitName;
const AGENT = { identifier: "fleet-agent", unit: "fleet-agent.service" };

test("each line on standard error bears its priority as sd-daemon(3) has it, a terminal shows none", () => {
  const cases = [
    [err("gone"), "<3>gone\n"],
    [warning("looks odd"), "<4>looks odd\n"],
    [notice("leads"), "<5>leads\n"],
    [info("two\nlines"), "<6>two\n<6>lines\n"],
    [info("windows\r\nlines"), "<6>windows\n<6>lines\n"],
  ] as const;
  for (const [line, framed] of cases) {
    assert.equal(prefixedText(line), framed);
    assert.equal(plainText(line), framed.replaceAll(/<\d>/g, ""));
  }
});

test("an entry about a unit is found under that unit and under the daemon's own", () => {
  assert.deepEqual(journalEntry(info("start web.service", WEB), AGENT).split("\n"), [
    "MESSAGE=start web.service",
    "PRIORITY=6",
    "SYSLOG_IDENTIFIER=fleet-agent",
    "UNIT=web.service",
    "OBJECT_SYSTEMD_UNIT=web.service",
    "OBJECT_SYSTEMD_UNIT=fleet-agent.service",
    "",
  ]);
});

test("no message adds a field of its own, whatever line breaks it has", () => {
  for (const lineBreak of ["\n", "\r\n", "\r"]) {
    const lines = journalEntry(warning(`x${lineBreak}_UID=0${lineBreak}PRIORITY=0`, WEB), AGENT)
      .trimEnd()
      .split("\n");
    const keys = lines.map((line) => line.slice(0, line.indexOf("=")));
    assert.deepEqual(
      keys.filter((key) => key === "PRIORITY" || key.startsWith("_")),
      ["PRIORITY"],
      JSON.stringify(lineBreak),
    );
    assert.ok(lines.includes("MESSAGE=_UID=0"));
  }
});

test("what a terminal would obey is not passed on, and no line is endless", () => {
  assert.equal(plainText(info("a\u001b[2Jb\u009bc\td")), "a?[2Jb?c\td\n");
  assert.equal(plainText(info("x".repeat(10_000))).length, 4_001);
});
