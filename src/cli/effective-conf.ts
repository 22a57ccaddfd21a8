import type { ConfOption } from "./conf-options.ts";

export type ConfOrigin = "flag" | "environment" | "file" | "default";

/** An option as daemons would have it, and who says so. */
export interface EffectiveOption extends ConfOption {
  readonly value: string | null;
  readonly from: ConfOrigin;
  /** Of the file. */
  readonly line: number | null;
}

export interface ConfLayers {
  readonly flags: ReadonlyMap<string, string>;
  readonly environment: ReadonlyMap<string, string>;
  readonly file: ReadonlyMap<string, { readonly value: string; readonly line: number }>;
}

/** A flag beats the environment, the environment beats the file, the file beats the default. By option's name. */
export function effectiveConf(options: readonly ConfOption[], layers: ConfLayers): readonly EffectiveOption[] {
  return options.map((option): EffectiveOption => {
    const flag = layers.flags.get(option.key);
    if (flag !== undefined) return { ...option, value: flag, from: "flag", line: null };
    const variable = layers.environment.get(option.key);
    if (variable !== undefined) return { ...option, value: variable, from: "environment", line: null };
    const line = layers.file.get(option.key);
    if (line !== undefined) return { ...option, value: line.value, from: "file", line: line.line };
    return { ...option, value: option.default, from: "default", line: null };
  });
}
