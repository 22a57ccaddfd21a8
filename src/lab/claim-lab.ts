import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { settingsFor } from "./host-settings.ts";
import type { LabOptions } from "./lab.ts";
import { freeSubnet, PREFIX_LENGTH } from "./lab-network.ts";
import { bundleFolder, createLab, type LabMachine, type LabState, otherLabs, writeLab } from "./lab-state.ts";

/** Parts two labs that chose the same network at the same moment. */
const CLAIM_PAUSE_MS = 50;

/** Writes the lab down before anything of it exists, so that `down` finds whatever a killed `up` has made. */
export async function claimLab(options: LabOptions): Promise<LabState> {
  const taken = new Set<string>();
  let lab: LabState | null = null;
  for (;;) {
    for (const { hostAddress } of otherLabs(options.name)) taken.add(subnetOf(hostAddress));
    const draft = draftLab(options, await freeSubnet(taken));
    if (lab === null) createLab(draft);
    else writeLab(draft);
    lab = draft;
    // Of two that are made at once and chose the same, the later to write sees the other here; if both do, both choose again.
    const rival = otherLabs(lab.name).find((other) => other.hostAddress === draft.hostAddress);
    if (rival === undefined) return lab;
    await sleep(Math.random() * CLAIM_PAUSE_MS);
  }
}

function subnetOf(address: string): string {
  return address.slice(0, address.lastIndexOf("."));
}

function draftLab(options: LabOptions, subnet: string): LabState {
  const machines = Array.from(
    { length: options.machines },
    (_, index): LabMachine => ({
      name: `m${index + 1}`,
      address: `${subnet}.${11 + index}`,
      machineId: randomBytes(16).toString("hex"),
      outer: null,
      init: null,
    }),
  );
  return {
    name: options.name,
    bridge: `fl${randomBytes(3).toString("hex")}`,
    hostAddress: `${subnet}.1`,
    prefixLength: PREFIX_LENGTH,
    machines,
    processes: [],
    environment: options.environment,
    bundle: { ...options.bundle, folder: bundleFolder(options.name) },
    settings: settingsFor(options.name, options.machines),
  };
}
