import { open } from "node:fs/promises";
import { Args } from "@oclif/core";
import { decodeRegistryExport, type RegistryExport } from "../../../codec/registry-export.ts";
import type { Sha256 } from "../../../domain/names.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import { importRegistry } from "../../../usecases/import-registry.ts";
import { addressFlags, BaseCommand, outputFlags, repositoryFlags } from "../../base-command.ts";
import { counted } from "../../views/counted.ts";

/** 20,000 units with 400 releases are about 60 MiB; more is no export of ours. */
const BYTES_MAX = 512 * 1024 * 1024;

export default class RegistryImportCommand extends BaseCommand {
  static override summary = "Put an exported cluster into a registry that does not have it";
  static override description =
    "All of it or nothing: the cluster is there with the last transaction only, under a raised epoch, and an import that was cut short is begun anew by the next. Engines take over what the machines say they run before they place anything.";
  static override examples = ["fleet registry import shop.backup --registry etcd://etcd1:2379"];
  static override args = {
    file: Args.string({ required: true, description: "As `fleet registry export` has saved it" }),
  };
  static override flags = {
    directory: repositoryFlags.directory,
    ...addressFlags,
    json: outputFlags.json,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RegistryImportCommand);
    const composition = await this.compose(flags);
    try {
      const content = await readExport(args.file, composition.sha256);
      const { clock, newId } = composition;
      const keys = composition.keysOf(content.cluster);
      const identity = await importRegistry({
        registry: await composition.needRegistry(),
        keys,
        content,
        clock,
        newId,
      });
      if (flags.json) return this.printJson({ identity, seq: content.seq, entries: content.entries.length });
      this.print(
        `${identity.name}, release ${content.seq}, ${counted(content.entries.length, "record")}: there, in epoch ${identity.epoch}`,
      );
    } finally {
      await composition.close();
    }
  }
}

async function readExport(path: string, sha256: Sha256): Promise<RegistryExport> {
  const text = await readText(path).catch((cause: unknown) => {
    throw new OperationError("export-unreadable", `cannot read the export ${path}`, { cause });
  });
  const decoded = decodeRegistryExport(text, sha256);
  if (decoded.kind === "export") return decoded.content;
  if (decoded.kind === "newer") {
    throw new OperationError("newer-fleet", `${path} is of version ${decoded.version}, which this fleet cannot read`, {
      next: "use the fleet version that saved it",
    });
  }
  throw new OperationError("export-damaged", `${path} is not what was saved: ${decoded.problem}; nothing was changed`, {
    next: "use another copy",
  });
}

async function readText(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > BYTES_MAX) throw new Error(`it has ${size} bytes, more than the ${BYTES_MAX} allowed`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
