import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fleetArgv } from "./fleet-program.ts";

export interface ChildRegistry {
  readonly address: string;
  stop(): Promise<void>;
}

/** fleet's own registry as it runs on a machine: a process of its own, here on a socket in that folder. */
export async function startChildRegistry(folder: string): Promise<ChildRegistry> {
  const address = `unix:${join(folder, "registry.sock")}`;
  const words = ["registry", "serve", "--data-directory", join(folder, "data"), "--listen", address];
  const [program, ...rest] = fleetArgv(...words) as [string, ...string[]];
  const child = spawn(program, rest, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stderr });
  const [first] = (await Promise.race([once(lines, "line"), ended])) as [unknown];
  if (typeof first !== "string" || child.exitCode !== null) throw new Error(`the registry did not start: ${first}`);
  return {
    address,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
