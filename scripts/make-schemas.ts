import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openApiDocument } from "../src/codec/api/open-api.ts";
import { manifestJsonSchema } from "../src/codec/manifest/manifest-json-schema.ts";
import { planJsonSchema, planReportJsonSchema } from "../src/codec/plan/plan-json-schema.ts";

/** Every generated file under `schemas/`, path from the repository's root → text. A test compares them with what is committed. */
export function makeSchemas(): ReadonlyMap<string, string> {
  return new Map([
    ["schemas/fleet.schema.json", manifestJsonSchema()],
    ["schemas/plan.schema.json", planJsonSchema()],
    ["schemas/api.openapi.json", openApiDocument()],
    ["schemas/plan-report.schema.json", planReportJsonSchema()],
  ]);
}

if (import.meta.main) {
  for (const [path, text] of makeSchemas()) {
    const target = join(import.meta.dirname, "..", path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
}
