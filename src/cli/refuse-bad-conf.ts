import { existsSync, readFileSync } from "node:fs";
import { OperationError } from "../ports/operation-error.ts";
import { fleetConf } from "./fleet-conf.ts";

/** A daemon that passes over a misspelt option is not what its administrator asked for; it says so and does not start. */
export async function refuseBadConf(): Promise<void> {
  const path = fleetConf();
  if (!existsSync(path)) return;
  const [{ checkConf }, { confOptionsKnown }] = await Promise.all([
    import("./check-conf.ts"),
    import("./conf-options.ts"),
  ]);
  const known = (await confOptionsKnown()).map(({ key }) => key);
  const { problems } = checkConf(readFileSync(path, "utf8"), known);
  const errors = problems.filter(({ severity }) => severity === "error");
  const [first] = errors;
  if (first === undefined) return;
  const places = errors.map(({ line, saw }) => `line ${line}: ${saw}`);
  throw new OperationError("conf-refused", `${path}: ${places.join("; ")}`, { next: first.next });
}
