import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program the lab needs, and the Debian package that has it. */
const PROGRAMS: readonly { readonly paths: readonly string[]; readonly package: string }[] = [
  { paths: ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"], package: "systemd" },
  { paths: ["dbus-daemon"], package: "dbus" },
  { paths: ["ip"], package: "iproute2" },
  { paths: ["git"], package: "git" },
  { paths: ["unshare"], package: "util-linux" },
  { paths: ["nsenter"], package: "util-linux" },
];

/** Packages whose programs this machine lacks for a lab; sorted, each once. */
export function missingPackages(path = process.env.PATH ?? ""): string[] {
  const folders = [...path.split(delimiter), "/usr/sbin", "/sbin"];
  const there = (program: string) =>
    program.startsWith("/") ? existsSync(program) : folders.some((folder) => existsSync(join(folder, program)));
  return [...new Set(PROGRAMS.filter(({ paths }) => !paths.some(there)).map((program) => program.package))].sort();
}
