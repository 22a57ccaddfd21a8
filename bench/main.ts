/** `npm run --silent bench -- NAME [--units N] [--machines N] [--seconds N] --json`: prints one JSON object. */
import { parseArgs } from "node:util";
import { benchAction } from "./action.ts";
import { benchAgents } from "./agents.ts";
import { benchApply } from "./apply.ts";
import type { Figures, Sizes } from "./figures.ts";
import { benchIdle } from "./idle.ts";
import { benchPlacement } from "./placement.ts";
import { benchPlan } from "./plan.ts";
import { benchReact } from "./react.ts";
import { benchStartup } from "./startup.ts";
import { benchStatus } from "./status.ts";
import { benchSync } from "./sync.ts";

const BENCHES: Readonly<Record<string, (sizes: Sizes) => Promise<Figures>>> = {
  startup: benchStartup,
  plan: benchPlan,
  placement: benchPlacement,
  apply: benchApply,
  react: benchReact,
  idle: benchIdle,
  agents: benchAgents,
  status: benchStatus,
  sync: benchSync,
  action: benchAction,
};

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      units: { type: "string" },
      machines: { type: "string" },
      seconds: { type: "string" },
      // There is no other output; the flag says so for whoever reads the command line.
      json: { type: "boolean" },
    },
  });
  const [name = ""] = positionals;
  if (positionals.length !== 1 || !Object.hasOwn(BENCHES, name)) {
    throw new Error(
      `${name === "" ? "no bench is named" : `there is no bench ${name}`}; there are ${Object.keys(BENCHES).join(", ")}`,
    );
  }
  const figures = await BENCHES[name]!({
    units: sizeOf("units", values.units),
    machines: sizeOf("machines", values.machines),
    seconds: sizeOf("seconds", values.seconds),
  });
  process.stdout.write(`${JSON.stringify({ name, ...figures })}\n`);
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function sizeOf(flag: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new Error(`--${flag} takes a whole number from 1, not ${text}`);
}
