import type { LossThresholds } from "../../domain/loss/damping.ts";
import { parseDuration } from "../../domain/spec/duration.ts";
import { LOSS_KEYS } from "./loss-keys.ts";
import { type LossTree, lossSchema } from "./manifest-schema.ts";

/** The thresholds of a `loss:` its schema accepts. */
export function lossValues(loss: LossTree): Partial<LossThresholds> {
  const values = Object.entries(loss).map(([key, text]) => {
    const threshold = LOSS_KEYS[key as keyof typeof LOSS_KEYS];
    return [threshold, threshold.endsWith("Ms") ? parseDuration(text) : Number.parseInt(text, 10)];
  });
  return Object.fromEntries(values);
}

/** The same keys and values in one line, `movesWindow=30s,flapAt=5`, as a daemon's configuration has them; or what is wrong with it. */
export function parseLossLine(line: string): Partial<LossThresholds> | { readonly problem: string } {
  const pairs = line.split(",").filter((pair) => pair.trim() !== "");
  const tree = Object.fromEntries(
    pairs.map((pair) => {
      const [key = "", value = ""] = pair.split("=", 2).map((part) => part.trim());
      return [key, value];
    }),
  );
  const read = lossSchema.safeParse(tree);
  if (read.success) return lossValues(read.data);
  const [issue] = read.error.issues;
  return { problem: [issue?.path.join("."), issue?.message].filter((part) => part !== "").join(": ") };
}
