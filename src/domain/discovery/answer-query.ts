import { addressFamily, type ServiceRecord } from "./service-records.ts";

/** A question as DNS puts it; the name in lower case, without the dot at its end. */
export interface ServiceQuery {
  readonly name: string;
  readonly type: "A" | "AAAA" | "SRV" | "OTHER";
}

export type ServiceAnswer =
  /** The name is none of this zone's to answer for. */
  | { readonly kind: "refused" }
  /** There is no such name in the zone. */
  | { readonly kind: "unknown" }
  /** There is; perhaps not with records of that type. `targets` are the addresses of names that the records lead to. */
  | { readonly kind: "found"; readonly records: readonly DnsRecord[]; readonly targets: readonly DnsRecord[] };

export type DnsRecord =
  | { readonly type: "A" | "AAAA"; readonly name: string; readonly address: string }
  | { readonly type: "SRV"; readonly name: string; readonly target: string; readonly port: number };

/**
 * What the records say to a question: a name has the addresses of all that stands below it, so `web.home.fleet` those of every instance, and
 * `_http._tcp.web.home.fleet` those with that port. Each record has a name of its own, which SRV leads to.
 */
export function answerQuery(
  zone: string,
  records: readonly ServiceRecord[],
  { name, type }: ServiceQuery,
): ServiceAnswer {
  if (name !== zone && !name.endsWith(`.${zone}`)) return { kind: "refused" };
  const path = name.split(".").reverse().join("/");
  const below = records.filter((record) => record.path === path || record.path.startsWith(`${path}/`));
  if (below.length === 0) return name === zone ? { kind: "found", records: [], targets: [] } : { kind: "unknown" };
  if (type === "SRV") {
    const services = below.map((record): DnsRecord => {
      return { type: "SRV", name, target: nameOf(record), port: record.port };
    });
    return {
      kind: "found",
      records: services,
      targets: below.flatMap((record) => addressRecord(nameOf(record), record)),
    };
  }
  const wanted = new Map<string, DnsRecord>();
  for (const record of below) {
    for (const found of addressRecord(name, record)) if (found.type === type) wanted.set(record.host, found);
  }
  return { kind: "found", records: [...wanted.values()], targets: [] };
}

function nameOf({ path }: ServiceRecord): string {
  return path.split("/").reverse().join(".");
}

function addressRecord(name: string, { host }: ServiceRecord): readonly DnsRecord[] {
  const family = addressFamily(host);
  return family === null ? [] : [{ type: family === 4 ? "A" : "AAAA", name, address: host }];
}
