import { OperationError } from "../ports/operation-error.ts";
import type { LabState } from "./lab-state.ts";
import { networkNamespace } from "./lab-state.ts";
import { mustRun, runProgram } from "./run-program.ts";

/** Where a lab may have its own /24, best first: the later ones are for hosts whose VPN takes all of 10.0.0.0/8. */
const SUBNETS = ["10.77", "172.29", "192.168"].flatMap((block) =>
  Array.from({ length: 100 }, (_, index) => `${block}.${block === "192.168" ? index + 150 : index}`),
);
export const PREFIX_LENGTH = 24;
/** Wider routes say "everything else" (VPNs write a default route as two halves); the lab's narrower one wins over them. */
const NARROW_PREFIX_LENGTH = 8;

/** A /24 as its first three numbers, which neither the host's routes nor these labs have. */
export async function freeSubnet(taken: ReadonlySet<string>): Promise<string> {
  const subnet = pickSubnet(await mustRun(["ip", "-4", "route", "show", "table", "all"]), taken);
  if (subnet !== null) return subnet;
  throw new OperationError("no-subnet", "every network a lab could have overlaps a route of this machine", {
    next: "take down labs that are not needed: fleet lab down --name NAME",
  });
}

/** The first subnet that overlaps none of the routes `ip route` printed; null where all do. */
export function pickSubnet(routes: string, taken: ReadonlySet<string>): string | null {
  const known = [...routes.matchAll(/^(?:[a-z]+ )?(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?/gm)]
    .map(([, address, length]) => ({ number: asNumber(address!), length: Number(length ?? 32) }))
    .filter(({ length }) => length >= NARROW_PREFIX_LENGTH);
  const free = (subnet: string) =>
    known.every(({ number, length }) => {
      const size = 2 ** (32 - Math.min(length, PREFIX_LENGTH));
      return Math.floor(number / size) !== Math.floor(asNumber(`${subnet}.0`) / size);
    });
  return SUBNETS.find((subnet) => !taken.has(subnet) && free(subnet)) ?? null;
}

function asNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
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
