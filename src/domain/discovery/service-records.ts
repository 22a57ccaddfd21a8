import type { MachineId, Sha256, UnitName } from "../names.ts";
import { unitNameParts } from "../unit/unit-name.ts";
import type { Announcement } from "./announcement.ts";

/**
 * What SkyDNS laid down and CoreDNS's etcd plugin, confd and others read: one key an address, its path the name from its end. Values are
 * their JSON.
 */
export interface ServiceRecord {
  /** Below the cluster's place for them: `fleet/home/web/_tcp/_http/<leaf>`. */
  readonly path: string;
  readonly host: string;
  readonly port: number;
}

/** A unit of this machine that is up and passes its checks, and how it wants to be found. */
export interface ReachableUnit {
  readonly unit: UnitName;
  readonly announce: readonly Announcement[];
}

/** The zone of a cluster's services: `home.fleet`. A cluster's name is a DNS label by its own rule. */
export function serviceZone(cluster: string): string {
  return `${cluster}.fleet`;
}

/** The name of a unit among them: instances of a template are one service. Lower-case letters, digits and `-`, at most 63; null: nothing of it is left. */
export function serviceLabel(unit: UnitName): string | null {
  const label = unitNameParts(unit)
    .prefix.toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return label === "" ? null : label;
}

/** Whose record it is, told by its key alone, so that a machine can be held to its own. */
export function leafOf(machine: MachineId, unit: UnitName, sha256: Sha256): string {
  return `${machine}-${sha256(unit).slice(0, 12)}`;
}

/** The records of what can be reached on a machine now; sorted by path. None where its address is no IP address: there is nothing to answer with. */
export function serviceRecords(
  cluster: string,
  machine: { readonly id: MachineId; readonly address: string },
  units: readonly ReachableUnit[],
  sha256: Sha256,
): readonly ServiceRecord[] {
  if (addressFamily(machine.address) === null) return [];
  const top = serviceZone(cluster).split(".").reverse().join("/");
  const records = units.flatMap(({ unit, announce }) => {
    const label = serviceLabel(unit);
    if (label === null) return [];
    const leaf = leafOf(machine.id, unit, sha256);
    return announce.map(({ name, port, transport }) => ({
      path: `${top}/${label}/_${transport}/_${name}/${leaf}`,
      host: machine.address,
      port,
    }));
  });
  return records.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** 4 or 6; null: no address at all. Enough to choose between A and AAAA; what the machine gave was an address to it. */
export function addressFamily(address: string): 4 | 6 | null {
  if (/^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(address)) return 4;
  return /^[0-9a-f:]{2,39}$/i.test(address) && address.includes(":") ? 6 : null;
}
