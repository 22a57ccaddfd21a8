/** An option of fleet.conf, by the flag it sets. */
export interface ConfOption {
  /** As it stands in the file. */
  readonly key: string;
  readonly flag: string;
  /** `FLEET_…` */
  readonly variable: string;
  readonly description: string;
  /** Null: there is none, or it is found out. */
  readonly default: string | null;
}

interface FlagShape {
  readonly env?: string;
  readonly description?: string;
  readonly default?: unknown;
}

/** Every option of every daemon, sorted by its name: their flags are the list, and there is no other. */
export async function confOptionsKnown(): Promise<readonly ConfOption[]> {
  const [{ daemonFlags }, { default: Guard }, { default: Registry }] = await Promise.all([
    import("./daemon-flags.ts"),
    import("./commands/reboot-guard.ts"),
    import("./commands/registry/serve.ts"),
  ]);
  const options = new Map<string, ConfOption>();
  for (const flags of [daemonFlags, Guard.flags, Registry.flags])
    for (const [flag, { env, description = "", default: value }] of Object.entries(flags) as [string, FlagShape][]) {
      if (env === undefined || options.has(env)) continue;
      const key = env.replace(/^FLEET_/, "").toLowerCase();
      options.set(env, { key, flag, variable: env, description, default: typeof value === "string" ? value : null });
    }
  return [...options.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}
