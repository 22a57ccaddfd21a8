import { z } from "zod";
import { manifestSchema } from "./manifest-schema.ts";
import { editorForms } from "./schema-leaves.ts";

/** JSON Schema (draft 2020-12) of `fleet.yaml` for editors, from the schema that checks it. Ends in a newline. */
export function manifestJsonSchema(): string {
  const schema = z.toJSONSchema(manifestSchema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      const form = editorForms.get(zodSchema)?.form;
      if (form === undefined) return;
      for (const key of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[key];
      Object.assign(jsonSchema, form);
    },
  });
  return `${JSON.stringify({ ...schema, title: "fleet.yaml, the manifest of a cluster" }, null, 2)}\n`;
}
