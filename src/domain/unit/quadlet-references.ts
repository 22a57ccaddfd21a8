import type { UnitName } from "../names.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import { isQuadlet, type QuadletType, unitNameParts } from "./unit-name.ts";
import type { ReferenceReader, UnitReference } from "./unit-reference.ts";

interface QuadletKey {
  readonly section: string;
  readonly key: string;
  /** A value counts as a reference only when it ends in one of these; `Network=host` names nothing. */
  readonly types: readonly QuadletType[];
}

const network = (section: string): QuadletKey => ({ section, key: "Network", types: ["network", "container"] });
const volume = (section: string): QuadletKey => ({ section, key: "Volume", types: ["volume"] });
const image = (section: string): QuadletKey => ({ section, key: "Image", types: ["image", "build"] });

/** podman-systemd.unit(5) of podman 5: where one quadlet file may name another. */
const KEYS: Readonly<Record<QuadletType, readonly QuadletKey[]>> = {
  build: [network("Build"), volume("Build")],
  container: [
    image("Container"),
    network("Container"),
    volume("Container"),
    { section: "Container", key: "Pod", types: ["pod"] },
    { section: "Container", key: "Mount", types: ["volume", "image", "build"] },
  ],
  image: [],
  kube: [network("Kube")],
  network: [],
  pod: [network("Pod"), volume("Pod")],
  volume: [image("Volume")],
};

/** The quadlet files a quadlet names: the generator refuses it, or podman fails, where they are not on its machine. */
export function quadletReferences(name: UnitName, unit: EffectiveUnit, reader: ReferenceReader): UnitReference[] {
  if (!isQuadlet(name)) return [];
  return KEYS[unitNameParts(name).type as QuadletType].flatMap(({ section, key, types }) =>
    unit.values(section, key).flatMap((value) => {
      const named = key === "Mount" ? mountSource(value.value) : (value.value.split(":")[0] ?? "");
      return types.some((type) => named.endsWith(`.${type}`)) && !named.includes("/")
        ? reader.exactly(named, key, value)
        : [];
    }),
  );
}

/** `type=volume,source=data.volume,destination=/data` → `data.volume`. */
export function mountSource(value: string): string {
  const source = value.split(",").find((part) => /^(source|src)=/.test(part));
  return source === undefined ? "" : source.slice(source.indexOf("=") + 1);
}
