import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository } from "../compile-repository.ts";
import * as fc from "./fast-check.ts";

/** What one instance's own file says. */
interface Replica {
  readonly bound: number | null;
  readonly limit: number | null;
  readonly hard: boolean;
}

const replica: fc.Arbitrary<Replica> = fc.record({
  bound: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 2 }),
  limit: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 1 }),
  hard: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
});

test("replicas are refused exactly where no way to put them on the listed machines exists", () => {
  let refused = 0;
  fc.assert(
    fc.property(
      fc.array(replica, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 3 }),
      (replicas, machines) => {
        const exists = someAssignment(replicas, machines);
        if (!exists) refused += 1;
        assert.equal(compiles(replicas, machines), exists);
      },
    ),
    {
      numRuns: 500,
      // The word of one that is bound nowhere counts for two that are bound to one machine.
      examples: [
        [
          [
            { bound: 1, limit: null, hard: false },
            { bound: 1, limit: null, hard: false },
            { bound: null, limit: null, hard: true },
          ],
          3,
        ],
      ],
    },
  );
  assert.ok(refused > 50, `${refused} of them were refused`);
});

function compiles(replicas: readonly Replica[], machines: number): boolean {
  const list = Array.from({ length: machines }, (_, index) => `m${index + 1}: {}`).join(", ");
  const { diagnostics } = compileRepository({
    "fleet.yaml": `apiVersion: fleet/v1\ncluster: test\nmachines: { ${list} }\n`,
    ...Object.fromEntries(replicas.map((one, index) => [`units/web@${index + 1}.service`, textOf(one)])),
  });
  const codes = new Set(diagnostics.map(({ code }) => code));
  // A machine that is not listed is another mistake, told as such.
  return !codes.has("replicas-too-many") && !codes.has("machine-unknown");
}

function textOf({ bound, limit, hard }: Replica): string {
  const options = [
    ...(bound === null ? [] : [`MachineID=m${bound}`]),
    ...(limit === null ? [] : [`MaxPerMachine=${limit}`]),
    ...(hard ? ["Spread=zone hard"] : []),
  ];
  return `[Service]\nExecStart=/bin/web\n[X-Fleet]\n${options.join("\n")}\n`;
}

/** Tries them all. Machines may say any zone, so each may have one of its own. */
function someAssignment(replicas: readonly Replica[], machines: number): boolean {
  const limits = replicas.map(({ limit }) => limit ?? Number.POSITIVE_INFINITY);
  const limit = replicas.some(({ hard }) => hard) ? 1 : Math.min(...limits);
  const seat = (index: number, counts: readonly number[]): boolean => {
    if (index === replicas.length) return true;
    return counts.some((count, machine) => {
      const { bound } = replicas[index]!;
      if (count >= limit || (bound !== null && bound !== machine + 1)) return false;
      return seat(index + 1, counts.with(machine, count + 1));
    });
  };
  return seat(
    0,
    Array.from({ length: machines }, () => 0),
  );
}
