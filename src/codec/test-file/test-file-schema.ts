import { z } from "zod";
import { METADATA_FORM, parseSelector } from "../../domain/cluster/selector.ts";
import { INSTANCES_MAX } from "../../domain/spec/manifest.ts";
import { compileGlob } from "../../domain/unit/glob.ts";
import { CPU_FORM, MEMORY_FORM, parseCpu, parseMemory } from "../../domain/unit/resource-requests.ts";
import { isCount } from "../manifest/schema-leaves.ts";

/** As many as a plan is measured with. */
const MACHINES_MAX = 1_000;

/** What an expectation is about; each has exactly one. */
export const SUBJECTS = ["placed", "apart", "together", "survives", "unplaceable", "only"] as const;

function leaf(expected: string, accepts: (text: string) => boolean) {
  return z.string({ error: expected }).refine(accepts, { error: expected });
}

const mapping = (what: string) => ({
  error: (issue: { code?: string }) => (issue.code === "unrecognized_keys" ? undefined : what),
});

const glob = leaf("a unit's name or a pattern such as web@*.service", (text) => compileGlob(text) !== null);
const globs = z.union([glob, z.array(glob).min(1)], { error: "a unit's name, a pattern, or a list of them" });
const selector = leaf(`a machine's name, ${METADATA_FORM}`, (text) => !("problem" in parseSelector(text)));
const flag = z.enum(["true", "false"], { error: "true | false" });
const name = leaf("a machine's name", (text) => /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/.test(text));

const cpu = leaf(CPU_FORM, (text) => parseCpu(text) !== null);
const memory = leaf(MEMORY_FORM, (text) => parseMemory(text) !== null);

const machine = z
  .strictObject(
    {
      metadata: z.record(z.string(), z.string({ error: "a text" }), mapping("a mapping of labels")).optional(),
      absent: flag.optional(),
      drain: flag.optional(),
      cordon: flag.optional(),
      cpu: cpu.optional(),
      memory: memory.optional(),
    },
    mapping("a mapping { metadata, absent, drain, cordon, cpu, memory }, {} where there is nothing to say"),
  )
  .nullable();

const count = (highest: number) => leaf(`a whole number from 1 to ${highest}`, (text) => isCount(text, 1, highest));

const expectation = z
  .strictObject(
    {
      placed: globs.optional(),
      on: selector.optional(),
      notOn: selector.optional(),
      apart: globs.optional(),
      together: globs.optional(),
      survives: selector.optional(),
      except: globs.optional(),
      atLeast: z
        .record(z.string(), count(INSTANCES_MAX), mapping("a mapping of templates or units to numbers"))
        .optional(),
      unplaceable: globs.optional(),
      only: globs.optional(),
    },
    mapping(`a mapping with one of ${SUBJECTS.join(", ")}`),
  )
  .check((context) => {
    // A key that is mistyped is the one thing to tell.
    if (context.issues.length > 0) return;
    const given = context.value;
    const subjects = SUBJECTS.filter((subject) => given[subject] !== undefined);
    const [subject] = subjects;
    const refuse = (message: string) => context.issues.push({ code: "custom", message, input: given, path: [] });
    if (subject === undefined || subjects.length > 1) {
      refuse(`exactly one of ${SUBJECTS.join(", ")}`);
      return;
    }
    const allowed: readonly string[] = DETAILS[subject];
    const foreign = (["on", "notOn", "except", "atLeast"] as const).filter(
      (detail) => given[detail] !== undefined && !allowed.includes(detail),
    );
    if (foreign.length > 0) refuse(`${subject} without ${foreign.join(", ")}`);
    if (subject === "only" && given.on === undefined) refuse("only with on: which machines");
  });

const DETAILS = {
  placed: ["on", "notOn"],
  apart: [],
  together: [],
  survives: ["except", "atLeast"],
  unplaceable: [],
  only: ["on"],
} as const;

/** The shape of `tests/*.yaml`, over trees whose scalars are their source text. */
export const testFileSchema = z.strictObject(
  {
    machines: z
      .union([count(MACHINES_MAX), z.record(name, machine)], {
        error: `a mapping of names, or a whole number from 1 to ${MACHINES_MAX}`,
      })
      .optional(),
    expect: z.array(expectation, { error: "a list of expectations" }).min(1, { error: "a list of expectations" }),
  },
  mapping("a mapping with machines and expect"),
);

export type TestFileTree = z.infer<typeof testFileSchema>;
export type ExpectationTree = TestFileTree["expect"][number];
