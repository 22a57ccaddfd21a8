import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UnitName } from "../names.ts";
import {
  checkUnitName,
  instantiate,
  isQuadlet,
  parseUnitName,
  QUADLET_TYPES,
  serviceNameOf,
  UNIT_NAME_MAX,
  UNIT_TYPES,
  unitNameParts,
} from "./unit-name.ts";

function unit(text: string): UnitName {
  const name = parseUnitName(text);
  assert.ok(name, text);
  return name;
}

describe("names that systemd or quadlet takes", () => {
  const names = [
    "a.service",
    "foo.bar.service",
    "foo@bar.service",
    "foo@.service",
    "foo@b@c.service",
    "dev-disk\\x2dby.device",
    "-.mount",
    "-.slice",
    "a:b_c-1.timer",
    "postgres.container",
    "app@1.container",
    `${"x".repeat(UNIT_NAME_MAX - ".service".length)}.service`,
    ...UNIT_TYPES.map((type) => `x.${type}`),
    ...QUADLET_TYPES.map((type) => `x@.${type}`),
  ];
  for (const name of names) test(name.slice(0, 60), () => assert.equal(parseUnitName(name), name));
});

describe("row 81: names that are refused, and why", () => {
  const cases: [string, RegExp][] = [
    ["", /empty/],
    ["foo", /without a type/],
    ["foo.", /ending in a dot/],
    [".service", /nothing before/],
    ["@.service", /beginning with @/],
    ["@a.service", /beginning with @/],
    ["foo.servce", /unknown type \.servce.*did you mean \.service/],
    ["foo.conf", /unknown type \.conf/],
    ["foo.constructor", /unknown type \.constructor/],
    ["foo.snapshot", /dropped snapshot units/],
    ["foo.busname", /dropped busname units/],
    ["a b.service", /character " "/],
    ["a/b.service", /character "\/"/],
    ["../a.service", /character "\/"/],
    ["a%i.service", /character "%"/],
    ["ü.service", /character "ü"/],
    ["a\n.service", /character "\\n"/],
    [`${"x".repeat(248)}.service`, /256 characters/],
    [`${"x".repeat(248)}.volume`, /service name has 263/],
  ];
  for (const [text, problem] of cases) {
    test(JSON.stringify(text.slice(0, 40)), () => {
      const checked = checkUnitName(text);
      assert.ok("problem" in checked);
      assert.match(checked.problem, problem);
      assert.equal(parseUnitName(text), null);
    });
  }

  test("a name of a megabyte makes a short message", () => {
    const checked = checkUnitName("x".repeat(1 << 20));
    assert.ok("problem" in checked && checked.problem.length < 100);
  });
});

describe("parts", () => {
  const cases: [string, ReturnType<typeof unitNameParts>][] = [
    [
      "foo@bar.service",
      {
        prefix: "foo",
        instance: "bar",
        type: "service",
        isTemplate: false,
        isInstance: true,
        template: unit("foo@.service"),
      },
    ],
    [
      "foo@.service",
      {
        prefix: "foo",
        instance: null,
        type: "service",
        isTemplate: true,
        isInstance: false,
        template: unit("foo@.service"),
      },
    ],
    [
      "foo.bar.socket",
      { prefix: "foo.bar", instance: null, type: "socket", isTemplate: false, isInstance: false, template: null },
    ],
    [
      "a@b@c.d.timer",
      {
        prefix: "a",
        instance: "b@c.d",
        type: "timer",
        isTemplate: false,
        isInstance: true,
        template: unit("a@.timer"),
      },
    ],
  ];
  for (const [name, parts] of cases) test(name, () => assert.deepEqual(unitNameParts(unit(name)), parts));
});

describe("instances of a template", () => {
  test("the instance goes between @ and type", () => {
    assert.equal(instantiate(unit("web@.service"), "blue"), "web@blue.service");
  });
  test("what is no template has none", () => assert.equal(instantiate(unit("web.service"), "1"), null));
  test("an empty instance is none", () => assert.equal(instantiate(unit("web@.service"), ""), null));
  test("an instance that makes no unit name is none", () => {
    assert.equal(instantiate(unit("web@.service"), "a/b"), null);
    assert.equal(instantiate(unit("web@.service"), "x".repeat(250)), null);
  });
});

describe("the service of a quadlet", () => {
  const cases: [string, string][] = [
    ["x.container", "x.service"],
    ["x.kube", "x.service"],
    ["x.volume", "x-volume.service"],
    ["x.network", "x-network.service"],
    ["x.pod", "x-pod.service"],
    ["x.image", "x-image.service"],
    ["x.build", "x-build.service"],
    ["a@1.container", "a@1.service"],
    ["a@.container", "a@.service"],
    ["x@.volume", "x@-volume.service"],
    ["x@1.volume", "x@1-volume.service"],
    ["web.service", "web.service"],
    ["web@1.socket", "web@1.socket"],
  ];
  for (const [name, service] of cases) {
    test(`${name} → ${service}`, () => {
      assert.equal(serviceNameOf(unit(name)), service);
      assert.equal(isQuadlet(unit(name)), name !== service);
    });
  }
});
