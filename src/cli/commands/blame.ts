import { Args, Flags } from "@oclif/core";
import type { CommitId } from "../../domain/names.ts";
import type { ClusterSpec } from "../../domain/spec/cluster-spec.ts";
import { type FoundUnits, findUnits } from "../../domain/why/find-units.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { blameUnits } from "../../usecases/blame-unit.ts";
import { manifestAt } from "../../usecases/explain-units.ts";
import { readReleases } from "../../usecases/read-releases.ts";
import { specAt } from "../../usecases/spec-at.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import { commitOfWord } from "../commit-of-word.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { registryIfAny } from "../registry-if-any.ts";
import { blameJson, blameText } from "../views/blame-text.ts";
import { unknownText } from "../views/why-verdict-text.ts";

const { revision: _head, ...standingFlags } = repositoryFlags;

export default class BlameCommand extends BaseCommand {
  static override summary = "Say who wrote each directive of a unit, in which file and commit, and when it was applied";
  static override description =
    "Directives in force after templates, drop-ins and the manifest's environment, of the release in force where the registry answers, else of HEAD. Commits are those of the branch: what a merge brought in counts as the merge's.";
  static override examples = ["fleet blame web@1.service"];
  static override args = {
    unit: Args.string({
      required: true,
      description: "A unit, a template or a pattern; with @MACHINE, as on that machine: web.service@nas",
    }),
  };
  static override flags = {
    ...standingFlags,
    ...clusterFlags,
    ...outputFlags,
    revision: Flags.string({ description: "Another commit, or @3 for that of release 3", env: "FLEET_REVISION" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BlameCommand);
    const composition = await this.compose(flags);
    try {
      const source = await composition.repository();
      const cluster = await registryIfAny(composition, flags.cluster, (line) => this.say(line));
      const releases = cluster === null ? null : await readReleases(cluster.registry, cluster.keys);
      const compile = await composition.compiler(source);
      const inForce = releases?.at(-1)?.commit;
      const released = inForce === undefined ? null : await specAt(compile, inForce);
      const named = flags.revision ?? (released === null ? "HEAD" : inForce!);
      const commit = await commitOfWord(composition, named, flags.cluster);
      const spec = await specAt(compile, commit);
      const manifest = await manifestAt({ source, manifestPath: composition.manifest }, commit);
      if (spec === null || manifest === null) throw withoutUnits(commit);
      const { found, machine } = unitAndMachine(args.unit, spec);
      if (found.kind === "unknown") {
        this.say(unknownText(found));
        throw new SilentExit(EXIT.error);
      }
      const wanted = new Set(found.units);
      const units = spec.units.filter(({ name }) => wanted.has(name));
      const { manifest: manifestPath } = composition;
      const blamed = await blameUnits({ units, machine, commit, spec, manifest, manifestPath, source, releases });
      if (flags.json) this.printJson({ commit, units: blameJson(blamed) });
      else {
        this.say(`commit ${commit.slice(0, 12)}${commit === inForce ? `, release ${releases!.at(-1)!.seq}` : ""}`);
        this.print(blameText(blamed));
      }
    } finally {
      await composition.close();
    }
  }
}

function withoutUnits(commit: CommitId): OperationError {
  return new OperationError("commit-invalid", `commit ${commit.slice(0, 12)} has errors, and so no units`, {
    next: `fleet validate --revision ${commit.slice(0, 12)} says which`,
  });
}

/** A unit's own name may have an @: what is no unit as a whole is one in front of its last. */
function unitAndMachine(
  asked: string,
  spec: ClusterSpec,
): { readonly found: FoundUnits; readonly machine: string | null } {
  const known = { cluster: new Set(spec.units.map(({ name }) => name)), head: null, worktree: null };
  const found = findUnits(asked, known);
  const at = asked.lastIndexOf("@");
  if (found.kind === "found" || at <= 0) return { found, machine: null };
  const inFront = findUnits(asked.slice(0, at), known);
  return inFront.kind === "found" ? { found: inFront, machine: asked.slice(at + 1) } : { found, machine: null };
}
