import { createHash } from "node:crypto";
import type { BundledPackage } from "./bundled-packages.ts";
import type { BundledNode } from "./node-of-architecture.ts";

export interface SbomOptions {
  readonly version: string;
  /** Seconds since 1970: the commit's. */
  readonly time: number;
  readonly packages: readonly BundledPackage[];
  readonly node: BundledNode;
}

/** What a package holds of others, as CycloneDX 1.5 in JSON: what code is in the bundle, and Node. What only builds or tests it is not in it. */
export function sbom({ version, time, packages, node }: SbomOptions): string {
  const fleet = `pkg:npm/fleet@${version}`;
  const components = [
    {
      type: "application",
      "bom-ref": `pkg:npm/${node.npmName}@${node.version}`,
      name: "node",
      version: node.version,
      purl: `pkg:npm/${node.npmName}@${node.version}`,
      licenses: [{ license: { id: "MIT" } }],
      hashes: [{ alg: "SHA-256", content: createHash("sha256").update(node.binary).digest("hex") }],
    },
    ...packages.map(component),
  ];
  const bom = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      timestamp: new Date(time * 1000).toISOString().replace(".000", ""),
      component: { type: "application", "bom-ref": fleet, name: "fleet", version, purl: fleet },
    },
    components,
    dependencies: [{ ref: fleet, dependsOn: components.map((part) => part["bom-ref"]) }],
  };
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(bom))}`;
  return `${JSON.stringify({ ...bom, serialNumber }, null, 2)}\n`;
}

function component({ name, version, license, integrity }: BundledPackage) {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const isExpression = /[ (]/.test(license);
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version,
    purl,
    ...(license === "" ? {} : { licenses: [isExpression ? { expression: license } : { license: { id: license } }] }),
    hashes: [{ alg: "SHA-512", content: Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex") }],
  };
}

/** The same for the same text: a name-based UUID, but by SHA-256 (version 8 of RFC 9562). */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join("-");
}
