import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import type { Architecture } from "./architectures.ts";
import { arOf, tarOf } from "./archives.ts";
import { ROOT } from "./lock-file.ts";
import { type PackageFile, plainFile, programFile } from "./package-file.ts";

export interface DebOptions {
  readonly version: string;
  readonly architecture: Architecture;
  readonly time: number;
  /** zstd's, 1 to 19. */
  readonly level: number;
}

/**
 * What Node needs by its own symbols, and the daemons by their units: glibc 2.28 and libstdc++ of gcc 5, which every Debian with systemd 252
 * has; the system bus.
 */
const DEPENDS = "libc6 (>= 2.28), libstdc++6 (>= 5), systemd (>= 252), default-dbus-system-bus | dbus-system-bus";

/** A Debian package of these files: the same bytes for the same files. */
export function debOf(files: readonly PackageFile[], options: DebOptions): Buffer {
  const { time, level } = options;
  const control = tarOf(controlFiles(files, options), { prefix: "./", time });
  const parameters = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1,
  };
  const data = zstdCompressSync(tarOf(files, { prefix: "./", time }), { params: parameters });
  const members = [
    { name: "debian-binary", data: Buffer.from("2.0\n") },
    { name: "control.tar.gz", data: gzipSync(control, { level: 9 }) },
    { name: "data.tar.zst", data },
  ];
  return arOf(members, time);
}

function controlFiles(files: readonly PackageFile[], options: DebOptions): PackageFile[] {
  const script = (name: string) => programFile(name, readFileSync(join(ROOT, "packaging/deb", name)));
  const sums = files
    .flatMap((file) => ("data" in file ? [file] : []))
    .map(({ path, data }) => `${createHash("md5").update(data).digest("hex")}  ${path}\n`)
    .sort((a, b) => (a.slice(34) < b.slice(34) ? -1 : 1));
  return [
    plainFile("control", controlText(files, options)),
    plainFile("md5sums", sums.join("")),
    ...["postinst", "prerm", "postrm"].map(script),
  ];
}

function controlText(files: readonly PackageFile[], { version, architecture }: DebOptions): string {
  const bytes = files.reduce((sum, file) => sum + ("data" in file ? file.data.length : 0), 0);
  return `Package: fleet
Version: ${version.replace("-", "~")}
Architecture: ${architecture}
Maintainer: fleet maintainers <fleet@localhost>
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: ${DEPENDS}
Suggests: podman
Section: admin
Priority: optional
Description: declarative GitOps for systemd on a cluster of machines
 fleet turns a git repository of systemd unit files into running services on
 a cluster of machines: plan shows what a commit would change, on which
 machine and why; apply makes that commit the cluster's release. Engines
 decide placement, and an agent on each machine makes systemd match.
 .
 The package brings its own Node and starts nothing by itself.
`;
}
