import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "../../../test/property/fast-check.ts";
import { parseMachineId } from "../names.ts";
import { matchesSelector, metadataIn, parseSelector, printSelector, type Selector } from "./selector.ts";

const ID = "3f2a9c0e7d1b4c55a0c1d2e3f4a5b6c7";

describe("reading", () => {
  const cases: [string, Selector, string][] = [
    ["role=db", { kind: "metadata", key: "role", values: ["db"] }, "role=db"],
    [" role = db ", { kind: "metadata", key: "role", values: ["db"] }, "role=db"],
    ["zone in (b,a, b)", { kind: "metadata", key: "zone", values: ["a", "b"] }, "zone in (a, b)"],
    ["zone in(a)", { kind: "metadata", key: "zone", values: ["a"] }, "zone=a"],
    ["role!=db", { kind: "metadata", key: "role", values: ["db"], not: true }, "role!=db"],
    [" role != db ", { kind: "metadata", key: "role", values: ["db"], not: true }, "role!=db"],
    ["zone notin (b,a, b)", { kind: "metadata", key: "zone", values: ["a", "b"], not: true }, "zone notin (a, b)"],
    ["zone notin(a)", { kind: "metadata", key: "zone", values: ["a"], not: true }, "zone!=a"],
    ["notin in (a)", { kind: "metadata", key: "notin", values: ["a"] }, "notin=a"],
    ["pi-1", { kind: "machine", nameOrId: "pi-1" }, "pi-1"],
    ["nas.home.example", { kind: "machine", nameOrId: "nas.home.example" }, "nas.home.example"],
    [ID, { kind: "machine", nameOrId: ID }, ID],
  ];
  for (const [text, selector, printed] of cases) {
    test(text, () => {
      assert.deepEqual(parseSelector(text), selector);
      assert.equal(printSelector(selector), printed);
      assert.deepEqual(parseSelector(printed), selector);
    });
  }
});

describe("refusing", () => {
  const cases: [string, RegExp][] = [
    ["", /empty selector/],
    ["=db", /no key/],
    ["role=", /empty value/],
    ["a=b=c", /2 "="/],
    ["role=db web", /value "db web"/],
    ["role=db zone=a", /2 "="/],
    ["zone in ()", /empty value/],
    ["zone in (a,,b)", /empty value/],
    ["zone in (a", /neither/],
    ["a b=c", /key "a b"/],
    ["two machines", /neither/],
    ["role!==db", /2 "="/],
    ["role!!=db", /key "role!"/],
    ["!=db", /no key/],
    ["role!=", /empty value/],
    ["role=!db", /value "!db"/],
    ["!role=db", /key "!role"/],
    ["zone notin ()", /empty value/],
    ["zone not in (a)", /neither/],
    ["-x", /neither/],
    ["x".repeat(5000), /5000 characters/],
  ];
  for (const [text, problem] of cases) {
    test(JSON.stringify(text.slice(0, 30)), () => {
      const parsed = parseSelector(text);
      assert.ok("problem" in parsed);
      assert.match(parsed.problem, problem);
    });
  }
});

describe("matching", () => {
  const id = parseMachineId(ID);
  assert.ok(id);
  const machine = { id, name: "nas", metadata: { role: "storage", zone: "b" } };
  const cases: [string, boolean][] = [
    ["nas", true],
    [ID, true],
    ["3f2a9c0e", false],
    ["role=storage", true],
    ["role=db", false],
    ["zone in (a, b)", true],
    ["zone in (a, c)", false],
    ["disk=ssd", false],
    ["role!=db", true],
    ["role!=storage", false],
    ["zone notin (a, c)", true],
    ["zone notin (a, b)", false],
    ["disk!=ssd", true],
    ["disk notin (ssd, hdd)", true],
    ["constructor!=Object", true],
    ["constructor=Object", false],
  ];
  for (const [text, expected] of cases) {
    test(`${text} ${expected ? "is" : "is not"} this machine`, () => {
      const selector = parseSelector(text);
      assert.ok(!("problem" in selector));
      assert.equal(matchesSelector(selector, machine), expected);
    });
  }
});

describe("every selector", () => {
  const text = (characters: string) => fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength: 3 });
  const key = text("ab-/").filter((one) => /^[ab]/.test(one));
  const value = text("ab:@");
  const selectors = fc
    .tuple(key, fc.array(value, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([name, values, not]) => metadataIn(name, values, not));

  test("reads back what it prints", () => {
    fc.assert(fc.property(selectors, (selector) => assert.deepEqual(parseSelector(printSelector(selector)), selector)));
  });

  test("matches a machine exactly where its negation does not", () => {
    const id = parseMachineId(ID);
    assert.ok(id);
    fc.assert(
      fc.property(selectors, fc.dictionary(key, value, { maxKeys: 3 }), ({ key, values, not }, metadata) => {
        const matches = (negated: boolean) =>
          matchesSelector(metadataIn(key, values, negated), { id, name: "m", metadata });
        assert.equal(matches(not === true), !matches(not !== true));
      }),
    );
  });
});
