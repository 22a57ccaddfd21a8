import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import { compareText, type UnitName } from "../names.ts";
import { findSecretUses, type SecretUse } from "../secret/find-secret-uses.ts";
import { readSecretHeader, SECRET_FILE_MAX } from "../secret/secret-header.ts";
import { isSecretName, SECRET_ENDING, SECRETS_ROOT } from "../secret/secret-name.ts";
import { closestName } from "../unit/closest-name.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import type { Companion, SpecFile, SpecMachine, SpecSecret } from "./cluster-spec.ts";
import type { DraftUnit } from "./draft-unit.ts";
import type { DeclaredSecret } from "./manifest.ts";
import type { RepositoryFile } from "./repository-files.ts";

const MAKE_INSTANCES = "give it instances: in the manifest, or let a unit of the manifest do what needs the secret";

/** Puts the files of secrets to the units that name their paths; what is wrong with either is remembered. */
export class UnitSecrets {
  readonly diagnostics: Diagnostic[] = [];
  readonly #files: ReadonlyMap<string, RepositoryFile>;
  readonly #machines: readonly SpecMachine[];
  readonly #isAssumed: boolean;
  readonly #read = new Map<string, SpecSecret | null>();

  /**
   * `files`: by secret, with their contents at least of those that are used. `machines`: whose drop-ins may name secrets too. `assumed`: what
   * is missing or damaged is to be written, and has an empty text.
   */
  constructor(files: ReadonlyMap<string, RepositoryFile>, machines: readonly SpecMachine[], assumed = false) {
    this.#files = files;
    this.#machines = machines;
    this.#isAssumed = assumed;
  }

  /** Sorted by name; null: none, as of most units. */
  of(unit: DraftUnit, companions: readonly Companion[]): readonly SpecSecret[] | null {
    for (const { name, fragment, dropins } of companions) {
      const [use] = usesIn(name, fragment, dropins);
      if (use !== undefined)
        this.#error(
          "secret-unsupported",
          use.at,
          `a secret in ${name}, of which fleet makes no instances`,
          MAKE_INSTANCES,
        );
    }
    const found = new Map(
      this.#usesOf(unit).flatMap((use) => {
        const secret = this.#secret(unit, use);
        return secret === null ? [] : [[secret.name, secret] as const];
      }),
    );
    this.#askPodman(unit, found);
    for (const declared of unit.settings.secrets) {
      const secret = found.get(declared.name);
      if (secret !== undefined) found.set(declared.name, { ...secret, as: lyingAs(declared) });
      else if (!declared.isDefault) this.#unnamed(unit, declared);
    }
    return found.size === 0 ? null : [...found.values()].sort((a, b) => compareText(a.name, b.name));
  }

  /** Secrets that no unit names, once all were asked for. */
  unused(): readonly Diagnostic[] {
    return [...this.#files].flatMap(([name, { path }]) => {
      if (this.#read.has(name)) return [];
      const next = `name ${SECRETS_ROOT}/%n/${name} in a unit, or remove the file`;
      return [
        { code: "secret-unused", severity: "warning", at: { path }, saw: `a secret no unit names`, next } as const,
      ];
    });
  }

  #usesOf({ name, service, template, fragment, dropins, effective }: DraftUnit): readonly SecretUse[] {
    const own = [fragment, ...dropins].some(mayName) ? findSecretUses(service, effective) : [];
    const here = this.#machines
      .flatMap((machine) => machine.dropins)
      .filter((dropin) => dropin.unit === name || dropin.unit === template);
    return [...own, ...here.flatMap((dropin) => usesIn(service, dropin, []))];
  }

  #unnamed({ name }: DraftUnit, { name: secret, at }: DeclaredSecret): void {
    const next = `name ${SECRETS_ROOT}/%n/${secret} in the unit, or remove the entry`;
    this.#error("secret-unnamed", at, `${secret}, which ${name} does not name`, next);
  }

  /** podman's own secrets are not fed from the repository: podman would keep them on its disk, and copy them there for each container. */
  #askPodman({ effective }: DraftUnit, found: ReadonlyMap<string, SpecSecret>): void {
    for (const { value, at } of effective.values("Container", "Secret")) {
      const name = value.split(",")[0]!.trim();
      if (!this.#files.has(name) || found.has(name)) continue;
      this.#read.set(name, this.#read.get(name) ?? null);
      const next = `Volume=${SECRETS_ROOT}/%n/${name}:/run/secrets/${name}:ro`;
      this.#error("secret-of-podman", at, `Secret=${name}, which podman would look for in its own storage`, next);
    }
  }

  #secret({ service, fragment }: DraftUnit, { path, at }: SecretUse): SpecSecret | null {
    const [folder, name = "", ...more] = path.split("/");
    if (folder !== service || !isSecretName(name) || more.length > 0) {
      const saw = `${SECRETS_ROOT}${path === "" ? "" : `/${path}`}, which is no secret of ${service}`;
      this.#error("secret-path", at, saw, `name one secret of its own: ${SECRETS_ROOT}/%n/db-password`);
      return null;
    }
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const secret = this.#readSecret(name, at) ?? (this.#isAssumed ? newSecret(name, fragment) : null);
    this.#read.set(name, secret);
    return secret;
  }

  #readSecret(name: string, at: SourceLocation): SpecSecret | null {
    const file = this.#files.get(name);
    if (file === undefined) {
      const meant = closestName(name, this.#files.keys());
      const next = meant === null ? `fleet secret encrypt ${name}, and commit the file` : `did you mean ${meant}?`;
      this.#error(
        "secret-missing",
        at,
        `the secret ${name}, of which the commit has no secrets/${name}${SECRET_ENDING}`,
        next,
      );
      return null;
    }
    const { path, bytes } = file;
    const text = new TextDecoder().decode(bytes);
    const read =
      bytes.length > SECRET_FILE_MAX ? { problem: `more than ${SECRET_FILE_MAX} bytes` } : readSecretHeader(text);
    if ("header" in read) return { name, path, text };
    this.#error("secret-format", { path }, read.problem, `write it by fleet secret encrypt ${name}, or by age --armor`);
    return null;
  }

  #error(code: string, at: SourceLocation, saw: string, next: string): void {
    if (this.#isAssumed && (code === "secret-missing" || code === "secret-format")) return;
    this.diagnostics.push({ code, severity: "error", at, saw, next });
  }
}

function lyingAs({ mode, owner, group }: DeclaredSecret): NonNullable<SpecSecret["as"]> {
  return { mode: mode ?? "0600", owner: owner ?? "root", group: group ?? "root" };
}

/** Beside the unit that uses it: in `secrets/` of its component. */
function newSecret(name: string, { path }: SpecFile): SpecSecret {
  return { name, path: `${path.slice(0, path.lastIndexOf("/") + 1)}secrets/${name}${SECRET_ENDING}`, text: "" };
}

/** Most texts name none: asked before anything is parsed once more. */
function mayName({ text }: SpecFile): boolean {
  return text.includes("fleet/secrets");
}

function usesIn(service: UnitName, first: SpecFile, others: readonly SpecFile[]): readonly SecretUse[] {
  if (![first, ...others].some(mayName)) return [];
  const [file, ...rest] = [first, ...others].map(({ path, text }) => parseUnitFile(path, text).file);
  return findSecretUses(service, effectiveUnit(file!, rest));
}
