import { hasErrors } from "../../domain/diagnostic.ts";
import type { UnitName } from "../../domain/names.ts";
import { type EffectiveUnit, effectiveUnit } from "../../domain/unit/effective-unit.ts";
import { parseUnitFile } from "../../domain/unit/parse-unit-file.ts";
import { quadletReferences } from "../../domain/unit/quadlet-references.ts";
import type { UnitFile } from "../../domain/unit/unit-file.ts";
import { isQuadlet, parseUnitName, serviceNameOf, unitNameParts } from "../../domain/unit/unit-name.ts";
import { ReferenceReader } from "../../domain/unit/unit-reference.ts";

/** What a generator reads of a disk. */
export interface TextsOnDisk {
  peek(path: string): { readonly text: string } | null;
  names(folder: string): readonly string[];
}

/** Where it puts services. */
export const GENERATED_FOLDER = "/run/systemd/generator";

/** Where it looks for quadlets; of two of one name the first counts. */
export const QUADLET_FOLDERS: readonly string[] = [
  "/run/containers/systemd",
  "/etc/containers/systemd",
  "/usr/share/containers/systemd",
];

export interface GeneratedUnits {
  /** Texts by service. */
  readonly services: ReadonlyMap<UnitName, string>;
  /** What is wrong with quadlets of which nothing was made, and with folders of which nothing was read. */
  readonly problems: ReadonlyMap<UnitName, string>;
}

/**
 * podman's generator as far as fleet meets it, its laws measured on podman 5.4.2: one file that is no unit file leaves its whole folder
 * unread; a container needs an image, and what a quadlet names has to be there. The service says what its quadlet said, in sections that
 * systemd passes over, so that whoever looks at what runs sees of which text. Not modelled: command lines, unknown keys.
 */
export function generateQuadlets(disk: TextsOnDisk, folders: readonly string[] = QUADLET_FOLDERS): GeneratedUnits {
  const problems = new Map<UnitName, string>();
  const found = new Map<UnitName, EffectiveUnit>();
  for (const folder of folders) {
    const names = disk.names(folder).flatMap((text) => parseUnitName(text) ?? []);
    const quadlets = names.filter((name) => isQuadlet(name) && disk.peek(`${folder}/${name}`) !== null);
    const broken = quadlets.filter((name) => read(disk, `${folder}/${name}`) === null);
    for (const name of broken) problems.set(name, `error loading "${folder}/${name}", not a unit file`);
    if (broken.length > 0) continue;
    for (const name of quadlets) if (!found.has(name)) found.set(name, unitOf(disk, folder, name, folders));
  }
  const services = new Map<UnitName, string>();
  for (const [name, unit] of found) {
    const made = serviceOf(name, unit, found);
    if ("problem" in made) problems.set(name, `converting "${name}": ${made.problem}`);
    else services.set(serviceNameOf(name), made.text);
  }
  return { services, problems };
}

function read(disk: TextsOnDisk, path: string): UnitFile | null {
  const { file, diagnostics } = parseUnitFile(path, disk.peek(path)?.text ?? "");
  return hasErrors(diagnostics) ? null : file;
}

function unitOf(disk: TextsOnDisk, folder: string, name: UnitName, folders: readonly string[]): EffectiveUnit {
  const dropins = folders.flatMap((other) =>
    disk
      .names(`${other}/${name}.d`)
      .filter((conf) => conf.endsWith(".conf"))
      .flatMap((conf) => read(disk, `${other}/${name}.d/${conf}`) ?? []),
  );
  return effectiveUnit(read(disk, `${folder}/${name}`)!, dropins);
}

function serviceOf(
  name: UnitName,
  unit: EffectiveUnit,
  found: ReadonlyMap<UnitName, EffectiveUnit>,
): { readonly text: string } | { readonly problem: string } {
  const { type } = unitNameParts(name);
  if (type === "container" && ["Image", "Rootfs"].every((key) => unit.values("Container", key).length === 0)) {
    return { problem: "no Image or Rootfs key specified" };
  }
  const references = quadletReferences(name, unit, new ReferenceReader(name, unit)).map((reference) => reference.unit);
  const missing = references.find((other) => !found.has(other));
  if (missing !== undefined) return { problem: `requested Quadlet source ${missing} was not found` };
  const ties = references.map(serviceNameOf).flatMap((other) => [`Requires=${other}`, `After=${other}`]);
  const own = `${type[0]!.toUpperCase()}${type.slice(1)}`;
  const said = (section: string) => unit.assignments(section).map(({ key, value }) => `${key}=${value}`);
  const lines = [
    ...[`[X-${own}]`, ...said(own)],
    ...["[Unit]", ...said("Unit"), ...ties],
    ...[
      "[Service]",
      ...said("Service"),
      ...COMMANDS[type === "container" || type === "kube" || type === "pod" ? "runs" : "sets up"],
    ],
  ];
  return { text: `${lines.join("\n")}\n` };
}

/** What makes something is over when it is made; the rest runs on. */
const COMMANDS = {
  runs: ["ExecStart=/usr/bin/podman run"],
  "sets up": ["Type=oneshot", "RemainAfterExit=yes", "ExecStart=/bin/true"],
} as const;
