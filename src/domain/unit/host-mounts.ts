import type { EffectiveUnit } from "./effective-unit.ts";

/** Something of the host that a unit's processes see. */
export interface HostMount {
  /** A host path (it may begin with a specifier), or a named volume or data container. */
  readonly kind: "path" | "volume";
  readonly source: string;
  readonly readOnly: boolean;
  /** What says so, such as `Volume=` or `ExecStart= -v `; printed in front of the source. */
  readonly by: string;
}

const VOLUME_SECTIONS = ["Build", "Container", "Pod"];
const hasVolumes = (section: string) => VOLUME_SECTIONS.includes(section);
const EXEC_KEYS = ["ExecStartPre", "ExecStart", "ExecStartPost"];

/** Volumes and bind mounts of a unit: systemd's, quadlet's, and those on docker and podman command lines. */
export function findMounts(unit: EffectiveUnit): HostMount[] {
  const bind = unit
    .values("Service", "BindPaths")
    .flatMap(({ value }) => value.split(/[ \t]+/))
    .map((word) => ({ ...pathMount(word.replace(/^-/, "").split(":")[0]!), readOnly: false, by: "BindPaths=" }));
  const quadlet = unit.sections
    .filter(hasVolumes)
    .flatMap((section) => [
      ...unit.values(section, "Volume").flatMap(({ value }) => volumeMount(value, "Volume=")),
      ...unit.values(section, "Mount").flatMap(({ value }) => longMount(value, "Mount=")),
      ...unit.values(section, "PodmanArgs").flatMap(({ value }) => commandLineMounts(value, "PodmanArgs")),
    ]);
  const commands = EXEC_KEYS.flatMap((key) =>
    unit
      .values("Service", key)
      .filter(({ value }) => /\b(docker|podman|nerdctl)\b/.test(value) && /\b(run|create)\b/.test(value))
      .flatMap(({ value }) => commandLineMounts(value, key)),
  );
  return [...bind, ...quadlet, ...commands];
}

/** Also inside the quotes of `sh -c "docker run …"`, where most real units have them. */
function commandLineMounts(command: string, key: string): HostMount[] {
  const found: HostMount[] = [];
  for (const [, option, value] of command.matchAll(
    /(?<=^|\s)(-v|--volume|--mount|--volumes-from)(?:\s|=)["']?([^\s"']+)/g,
  )) {
    const by = `${key}= ${option} `;
    if (option === "--mount") found.push(...longMount(value!, by));
    else if (option === "--volumes-from") {
      const [container, mode] = value!.split(":");
      found.push({ kind: "volume", source: container!, readOnly: mode === "ro", by });
    } else found.push(...volumeMount(value!, by));
  }
  return found;
}

/** `source:destination[:options]`; without a source it is an anonymous volume, which goes with its container. */
function volumeMount(value: string, by: string): HostMount[] {
  const [source, destination, options = ""] = value.split(":");
  if (source === undefined || source === "" || destination === undefined || !/^[/$%]/.test(destination)) return [];
  const modes = options.split(",");
  // `O` is podman's overlay: what is written goes away with the container.
  return [{ ...pathMount(source), readOnly: modes.includes("ro") || modes.includes("O"), by }];
}

/** `type=bind,source=/srv/data,destination=/data,ro`. */
function longMount(value: string, by: string): HostMount[] {
  const fields = new Map(value.split(",").map((field) => [field.split("=")[0]!, field.slice(field.indexOf("=") + 1)]));
  const type = fields.get("type") ?? "volume";
  const source = fields.get("source") ?? fields.get("src") ?? "";
  if (source === "" || (type !== "bind" && type !== "volume")) return [];
  const readOnly = ["ro", "readonly"].some((field) => fields.has(field) && fields.get(field) !== "false");
  return [{ ...pathMount(source), kind: type === "bind" ? "path" : "volume", readOnly, by }];
}

/** A source that begins like a path, a specifier or a variable is a path; anything else is a volume's name. */
function pathMount(source: string): { kind: HostMount["kind"]; source: string } {
  return { kind: /^[/.~%$]/.test(source) ? "path" : "volume", source };
}
