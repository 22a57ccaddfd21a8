import { z } from "zod";
import { API_ROUTES, type ApiRoute, type ApiRouteId } from "./api-routes.ts";
import { API_ANSWERS, apiError } from "./api-schema.ts";

/** The API as an OpenAPI 3.1 document, from the table the server goes by and the schemas its answers are tested with. Ends in a newline. */
export function openApiDocument(): string {
  const paths = Object.fromEntries(
    API_ROUTES.map((route) => [route.path, { [route.method.toLowerCase()]: operationOf(route) }]),
  );
  const document = {
    openapi: "3.1.0",
    info: {
      title: "fleet",
      version: "v1",
      summary: "The HTTP API of fleet's engine: it reads, and git writes",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://localhost", description: "Over the unix socket, with any host name (docs/api.md)" }],
    security: [{}, { token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: { Error: schemaOf(apiError) },
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Of answers that have a schema of their own beside this one. */
const SCHEMA_FILES: Readonly<Partial<Record<ApiRouteId, string>>> = {
  plan: "plan.schema.json",
  "branch-plan": "plan-report.schema.json",
};

function operationOf({ id, summary, path, query = {}, type }: ApiRoute): object {
  const string = { type: "string" };
  const name = { name: "name", in: "path", required: true, schema: string };
  const parameters = [
    ...(path.includes("{name}") ? [name] : []),
    ...Object.entries(query).map(([key, description]) => ({ name: key, in: "query", description, schema: string })),
  ];
  const answer = API_ANSWERS[id];
  const file = SCHEMA_FILES[id];
  const schema = file !== undefined ? { $ref: file } : answer === undefined ? string : schemaOf(answer);
  const error = { $ref: "#/components/schemas/Error" };
  return {
    operationId: id,
    summary,
    parameters,
    responses: {
      "200": { description: "As asked", content: { [type ?? "application/json"]: { schema } } },
      default: { description: "Why not", content: { "application/json": { schema: error } } },
    },
  };
}

/** Everything in its place: a reference of its own would point into another document's root. */
function schemaOf(schema: z.ZodType): object {
  const { $schema: _schema, ...rest } = z.toJSONSchema(schema, { reused: "inline" });
  return rest;
}
