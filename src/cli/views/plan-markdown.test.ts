import assert from "node:assert/strict";
import { test } from "node:test";
import { machineNumber, pretendChange, pretendReport } from "../../../test/pretend-report.ts";
import * as fc from "../../../test/property/fast-check.ts";
import type { Change } from "../../domain/plan/plan.ts";
import type { UnitDiff } from "../../usecases/diff-plan.ts";
import { markdownText } from "./markdown-text.ts";
import { planMarkdown } from "./plan-markdown.ts";

function change(unit: string, wanted = "role"): Change {
  const placed = { code: "moved", from: machineNumber(0), because: { code: "metadata", wanted } } as const;
  return pretendChange(unit, { reason: { code: "new-unit", placed } });
}

function diffOf(...lines: readonly string[]): UnitDiff {
  return { units: ["a.service"], before: null, after: lines.map((text) => ({ text, at: null })) };
}

test("headline, facts, a row for each change and the differences under a fold", () => {
  assert.equal(
    planMarkdown(pretendReport([change("web@1.service")]), [diffOf("[Service]", "ExecStart=/bin/web")]),
    [
      "### prod: 1 file changes: 0 restarts, 1 start",
      "",
      "commit `ccccccc`, no release yet, 1 machine, registry 7, content `dddddddddddd`",
      "",
      "|  | Effect | Unit | Machine | Why |",
      "| --- | --- | --- | --- | --- |",
      "| `+` | start | `web@1.service` | m1 | m1: lacks role \\(MachineMetadata=\\) |",
      "",
      "<details><summary>Differences, as systemd reads the units</summary>",
      "",
      "```diff",
      "--- /dev/null",
      "+++ a.service",
      "@@ -0,0 +1,2 @@",
      "+[Service]",
      "+ExecStart=/bin/web",
      "```",
      "",
      "</details>",
      "",
    ].join("\n"),
  );
});

test("what does not fit is left out by whole lines and blocks, the differences first, and said", () => {
  const changes = Array.from({ length: 40 }, (_, index) => change(`unit-${index}.service`));
  const diffs = Array.from({ length: 40 }, (_, index) => diffOf(`ExecStart=/bin/${"x".repeat(50)}${index}`));
  const whole = planMarkdown(pretendReport(changes), diffs);
  assert.doesNotMatch(whole, /Truncated/);
  for (const bytesMax of [800, 2_000, 4_500, Buffer.byteLength(whole) - 1]) {
    const cut = planMarkdown(pretendReport(changes), diffs, { bytesMax });
    assert.ok(Buffer.byteLength(cut) <= bytesMax, `${bytesMax}`);
    assert.match(cut, /\*\*Truncated: do not approve from this\./);
    const known = new Set(whole.split("\n"));
    for (const line of cut.split("\n").filter((one) => !one.startsWith("**Truncated"))) {
      assert.ok(known.has(line), `a line of its own making: ${line}`);
    }
    assert.equal(cut.match(/<details>/g)?.length, cut.match(/<\/details>/g)?.length);
    assert.ok(!cut.includes("<details>") || cut.includes("unit-39.service"), "changes go before differences");
  }
});

test("an emoji at the cut is there or is not: wherever it is cut, no half of one is left", () => {
  const changes = [change("🚀🧑‍🚀.service", "🚀")];
  const diffs = Array.from({ length: 8 }, (_, index) => diffOf(`Description=${"🚀🧑‍🚀".repeat(5)}${index}`));
  const whole = Buffer.byteLength(planMarkdown(pretendReport(changes), diffs));
  for (let bytesMax = 500; bytesMax <= whole; bytesMax++) {
    const cut = planMarkdown(pretendReport(changes), diffs, { bytesMax });
    assert.ok(cut.isWellFormed() && !cut.includes("\ufffd") && Buffer.byteLength(cut) <= bytesMax, `${bytesMax}`);
    for (const line of cut.split("\n")) assert.doesNotMatch(line, /^\+Description=(?!(?:🚀🧑‍🚀){5}\d$)/u);
  }
});

test("no unit text ends its fence, and none of it is markup outside of one", () => {
  const hostile = fc.array(
    fc.constantFrom(
      "`",
      "```",
      "````diff",
      "~~~",
      "</details>",
      "<script>",
      "@ada",
      "#1",
      "|",
      "\n",
      "[x](y)",
      "a",
      " ",
      "\\",
      "&lt;",
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(hostile, hostile, hostile, (inUnit, inName, inReason) => {
      const text = planMarkdown(
        pretendReport([change(`a${inName.join("")}`, inReason.join(""))], [inReason.join("")]),
        [diffOf(...inUnit.join("").split("\n"), "last line")],
      );
      const lines = text.split("\n");
      const open = lines.findIndex((line) => /^`{3,}diff$/.test(line));
      const fence = lines[open]!.replace("diff", "");
      const close = lines.findIndex((line, index) => index > open && /^`+$/.test(line) && line.length >= fence.length);
      assert.equal(lines[close - 1], "+last line", "the fence ends where the differences end");
      const outside = [...lines.slice(0, open), ...lines.slice(close + 1)].join("\n").replace(/`[^`\n]*`/g, "");
      assert.doesNotMatch(outside, /@\w/, "somebody is called by name");
      assert.doesNotMatch(outside.replace(/<\/?(details|summary)>/g, ""), /<|(?<!\\)`|(?<!\\)\[/, "markup");
    }),
  );
});

test("text stays text", () => {
  assert.equal(
    markdownText("a|b\n@ada <b> `x` *y* [z](u) &amp; #1"),
    "a\\|b @\u200bada &lt;b\\> \\`x\\` \\*y\\* \\[z\\]\\(u\\) &amp;amp; \\#1",
  );
});
