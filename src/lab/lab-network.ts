import type { LabState } from "./lab-state.ts";
import { networkNamespace } from "./lab-state.ts";
import { mustRun, runProgram } from "./run-program.ts";

/** The lab's own /24, the first of these that none of the host's routes knows. */
const SUBNETS = Array.from({ length: 100 }, (_, index) => `10.77.${index}`);
export const PREFIX_LENGTH = 24;

/** A free /24 as its first three numbers. */
export async function freeSubnet(): Promise<string> {
  const routes = await mustRun(["ip", "-4", "route", "show", "table", "all"]);
  const free = SUBNETS.find((subnet) => !routes.includes(`${subnet}.`));
  return free ?? SUBNETS[0]!;
}

export async function bridgeUp(lab: LabState): Promise<void> {
  await mustRun(["ip", "link", "add", lab.bridge, "type", "bridge"]);
  await mustRun(["ip", "addr", "add", `${lab.hostAddress}/${lab.prefixLength}`, "dev", lab.bridge]);
  await mustRun(["ip", "link", "set", lab.bridge, "up"]);
}

/** Gives one machine its network: a namespace with a cable to the bridge. */
export async function plugIn(lab: LabState, machine: string, address: string): Promise<void> {
  const namespace = networkNamespace(lab.name, machine);
  const cable = cableOf(lab, machine);
  await mustRun(["ip", "netns", "add", namespace]);
  await mustRun(["ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace]);
  await mustRun(["ip", "link", "set", cable, "master", lab.bridge, "up"]);
  await mustRun(["ip", "-n", namespace, "addr", "add", `${address}/${lab.prefixLength}`, "dev", "eth0"]);
  await mustRun(["ip", "-n", namespace, "link", "set", "eth0", "up"]);
  await mustRun(["ip", "-n", namespace, "link", "set", "lo", "up"]);
  await mustRun(["ip", "-n", namespace, "route", "add", "default", "via", lab.hostAddress]);
}

/** Pulls the cable or puts it back. */
export async function setCable(lab: LabState, machine: string, state: "up" | "down"): Promise<void> {
  await mustRun(["ip", "link", "set", cableOf(lab, machine), state]);
}

/** Takes down everything of it that is there; what is not there is no error. */
export async function networkDown(lab: LabState): Promise<void> {
  for (const { name } of lab.machines) {
    await runProgram(["ip", "link", "del", cableOf(lab, name)]);
    await runProgram(["ip", "netns", "del", networkNamespace(lab.name, name)]);
  }
  await runProgram(["ip", "link", "del", lab.bridge]);
}

/** Names of the lab's links and namespaces that are still there. */
export async function networkLeftovers(lab: LabState): Promise<string[]> {
  const links = await mustRun(["ip", "-o", "link", "show"]);
  const namespaces = await mustRun(["ip", "netns", "list"]);
  const wanted = [lab.bridge, ...lab.machines.map(({ name }) => cableOf(lab, name))];
  return [
    ...wanted.filter((link) => new RegExp(`\\b${link}[@:]`).test(links)),
    ...lab.machines
      .map(({ name }) => networkNamespace(lab.name, name))
      .filter((name) => namespaces.split(/\s/).includes(name)),
  ];
}

/** A link's name has at most 15 characters; the bridge's own is unique among labs and short. */
function cableOf(lab: LabState, machine: string): string {
  return `${lab.bridge}${machine}`;
}
