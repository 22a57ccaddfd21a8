/** Where units find what their machine is: `EnvironmentFile=/run/fleet/machine.env`. Goes with a reboot and comes with the agent. */
export const MACHINE_ENV_PATH = "/run/fleet/machine.env";

/** What a unit may want to know of the machine it runs on; git's word where git has one. */
export interface DescribedMachine {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The machine as systemd's `EnvironmentFile=` reads it: one `KEY="value"` a line, sorted metadata last. A key's letters become
 * capitals and whatever else a variable's name cannot hold an underscore; where two become one, the later by name stays.
 */
export function renderMachineEnv({ id, name, address, metadata }: DescribedMachine): string {
  const variables = new Map([
    ["FLEET_MACHINE_ID", id],
    ["FLEET_MACHINE_NAME", name],
    ["FLEET_MACHINE_ADDRESS", address],
  ]);
  for (const key of Object.keys(metadata).sort()) variables.set(`FLEET_METADATA_${variableName(key)}`, metadata[key]!);
  return `${[...variables].map(([key, value]) => `${key}=${quoted(value)}`).join("\n")}\n`;
}

function variableName(key: string): string {
  return key.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
}

/** Inside double quotes systemd takes a backslash off these four and leaves everything else, line ends too, as it is. */
function quoted(value: string): string {
  return `"${value.replace(/["\\`$]/g, "\\$&")}"`;
}
