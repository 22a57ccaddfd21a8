import { readFileSync } from "node:fs";
import { OperationError } from "../ports/operation-error.ts";
import { BaseCommand, outputFlags } from "./base-command.ts";
import { type CheckedConf, type ConfProblem, checkConf, valueProblem } from "./check-conf.ts";
import { confOptionsKnown } from "./conf-options.ts";
import { daemonFlags } from "./daemon-flags.ts";
import { type EffectiveOption, effectiveConf } from "./effective-conf.ts";
import { fleetConf, isFromFile } from "./fleet-conf.ts";

export const confFlags = { ...daemonFlags, json: outputFlags.json };

export interface ReadConf {
  /** What was read; null: there is no such file, and nobody named it. */
  readonly path: string | null;
  readonly options: readonly EffectiveOption[];
  readonly problems: readonly ConfProblem[];
}

/** A command about what daemons are told: by its flags, the environment, and a file. */
export abstract class ConfCommand extends BaseCommand {
  /** `said`: the flags that were typed, and not set by a variable. */
  protected async readConf(named: string | undefined, said: ReadonlyMap<string, string>): Promise<ReadConf> {
    const known = await confOptionsKnown();
    const path = named ?? fleetConf();
    const text = readText(path, named !== undefined);
    const checked: CheckedConf =
      text === null
        ? { values: new Map(), problems: [] }
        : checkConf(
            text,
            known.map(({ key }) => key),
          );
    const environment = new Map(
      known.flatMap(({ key, variable }) => {
        const value = process.env[variable];
        return value === undefined || isFromFile(variable) ? [] : [[key, value] as const];
      }),
    );
    const options = effectiveConf(known, { flags: said, environment, file: checked.values });
    const elsewhere = options.flatMap(({ key, value, from }): ConfProblem[] => {
      const wrong = value === null || from === "file" || from === "default" ? null : valueProblem(key, value);
      return wrong === null ? [] : [{ line: null, severity: "error", ...wrong, saw: `${from}: ${wrong.saw}` }];
    });
    return { path: text === null ? null : path, options, problems: [...checked.problems, ...elsewhere] };
  }

  /** Of what oclif parsed, the flags that were typed, by their options' names. */
  protected typed(
    raw: readonly { readonly type: string; readonly flag?: string; readonly input?: string }[],
  ): Map<string, string> {
    const said = new Map<string, string>();
    for (const token of raw) {
      if (token.type !== "flag" || token.flag === undefined) continue;
      said.set(token.flag.replaceAll("-", "_"), daemonValue(token.flag, token.input));
    }
    return said;
  }
}

function daemonValue(flag: string, input: string | undefined): string {
  const shape = Object.hasOwn(daemonFlags, flag) ? daemonFlags[flag as keyof typeof daemonFlags] : undefined;
  return shape?.type === "boolean" ? "yes" : (input ?? "");
}

function readText(path: string, isNamed: boolean): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (!isNamed && (cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new OperationError("conf-unreadable", `cannot read ${path}`, { cause, next: "name a file that is there" });
  }
}
