import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PAIRS, type Text } from "../../../test/effects/pairs.ts";
import fc from "../../../test/property/fast-check.ts";
import type { UnitName } from "../names.ts";
import type { InstalledFile } from "../tasks/task.ts";
import { isKnownDirective, knownDirectives, knownSections } from "./systemd-directives.ts";
import { effectOfFiles, UNIT_EFFECTS } from "./unit-effect.ts";

const files = (unit: string, text: Text): InstalledFile[] =>
  Object.entries(typeof text === "string" ? { [unit]: text } : text).map(([path, content]) => ({
    path,
    text: content,
  }));

const effectOf = (unit: string, before: Text, after: Text) =>
  effectOfFiles(unit as UnitName, files(unit, before), files(unit, after));

describe("what a change does", () => {
  for (const [sentence, unit, before, after, effect, causes] of PAIRS) {
    test(`${effect}: ${sentence}`, () => {
      const found = effectOf(unit, before, after);
      const told = found.causes.map((cause) => `[${cause.section}] ${cause.key} ${cause.effect}`);
      assert.equal(found.effect, effect, told.join(", "));
      if (causes !== undefined) assert.deepEqual(told, causes);
    });
  }
});

test("every effect has its pairs, and no sentence stands for two", () => {
  for (const effect of UNIT_EFFECTS) assert.ok(PAIRS.filter((pair) => pair[4] === effect).length >= 6, effect);
  assert.equal(new Set(PAIRS.map((pair) => pair[0])).size, PAIRS.length);
});

const assignment = fc
  .constantFrom(...knownSections)
  .chain((section) =>
    fc.tuple(
      fc.constant(section),
      fc.constantFrom(...knownDirectives(section)),
      fc.constantFrom("", "a", "yes", "true", "5", "a b", "b a"),
    ),
  );
const lines = fc.array(assignment, { maxLength: 12 });
const print = (assignments: readonly (readonly [string, string, string])[]) =>
  assignments.map(([section, key, value]) => `[${section}]\n${key}=${value}\n`).join("");

describe("of any unit", () => {
  test("no change is quiet, and has no causes", () => {
    fc.assert(
      fc.property(lines, (before) => {
        assert.deepEqual(effectOf("a.service", print(before), print(before)), { effect: "quiet", causes: [] });
      }),
    );
  });

  test("comments and blank lines are quiet, wherever they stand", () => {
    fc.assert(
      fc.property(lines, fc.array(fc.tuple(fc.nat(), fc.constantFrom("", "# ", ";x=y", "  "))), (before, added) => {
        const text = print(before).split("\n");
        for (const [at, line] of added) text.splice(at % (text.length + 1), 0, line);
        assert.deepEqual(effectOf("a.service", print(before), text.join("\n")), { effect: "quiet", causes: [] });
      }),
    );
  });

  test("a service's change back does the same to it", () => {
    // A timer's effect hangs on whether the old one may have ended, a mount's on which options are still given.
    const symmetric = lines.map((all) => all.filter(([section]) => section !== "Timer" && section !== "Mount"));
    fc.assert(
      fc.property(symmetric, symmetric, (before, after) => {
        assert.deepEqual(
          effectOf("a.service", print(before), print(after)),
          effectOf("a.service", print(after), print(before)),
        );
      }),
    );
  });

  test("splitting assignments between the file and a drop-in is quiet", () => {
    fc.assert(
      fc.property(lines, fc.nat(), (all, at) => {
        const cut = at % (all.length + 1);
        const split = {
          "a.service": print(all.slice(0, cut)),
          "a.service.d/x.conf": print(all.slice(cut)),
        };
        assert.deepEqual(effectOf("a.service", print(all), split), { effect: "quiet", causes: [] });
      }),
    );
  });

  test("a directive that systemd does not know is a restart, and named", () => {
    fc.assert(
      fc.property(lines, fc.stringMatching(/^[A-Z][A-Za-z]{1,20}$/), (before, key) => {
        fc.pre(!isKnownDirective("Service", key));
        assert.deepEqual(effectOf("a.service", print(before), `${print(before)}[Service]\n${key}=1\n`), {
          effect: "restart",
          causes: [{ section: "Service", key, effect: "restart" }],
        });
      }),
    );
  });

  test("the effect is the worst of its causes, which come worst first", () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const { effect, causes } = effectOf("a.service", print(before), print(after));
        const ranks = causes.map((cause) => UNIT_EFFECTS.indexOf(cause.effect));
        assert.deepEqual(ranks, ranks.toSorted());
        assert.equal(effect, causes[0]?.effect ?? "quiet");
      }),
    );
  });
});
