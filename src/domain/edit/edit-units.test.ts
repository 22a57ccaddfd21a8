import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, filesOf } from "../../../test/compile-repository.ts";
import { editManifest } from "../../codec/manifest/edit-manifest.ts";
import { readManifest } from "../../codec/manifest/read-manifest.ts";
import type { UnitName } from "../names.ts";
import { collectFiles } from "../spec/collect-files.ts";
import { manifestSources } from "../spec/repository-files.ts";
import {
  type EditableRepository,
  type EditedUnits,
  type EditVerb,
  editUnits,
  type FoundUnit,
  importUnits,
  scaleTemplates,
} from "./edit-units.ts";

const HEAD = "apiVersion: fleet/v1\ncluster: home\n";
const RUN = "[Service]\nExecStart=/bin/sleep 1d\n";
const NOW = "2026-11-21T10:00:00Z";

type Files = Readonly<Record<string, string>>;

function repositoryOf(files: Files): EditableRepository {
  const { manifest } = readManifest("fleet.yaml", files["fleet.yaml"]!);
  const sources = manifestSources("fleet.yaml", manifest!);
  const { spec, diagnostics } = compileRepository(files);
  assert.ok(spec !== null, JSON.stringify(diagnostics));
  return {
    manifest: manifest!,
    folder: sources.unitFolders[0]!.value,
    files: collectFiles("fleet.yaml", sources.unitFolders, filesOf(files)),
    goals: new Map(spec.units.map(({ name, goal }) => [name, goal])),
  };
}

interface Case {
  readonly name: string;
  /** What the manifest says behind its first two lines. */
  readonly manifest?: string;
  readonly files?: Files;
  readonly verb: EditVerb;
  readonly units: readonly string[];
  readonly offered?: Files;
  readonly replace?: boolean;
  /** The manifest after it, as above; absent: as before. */
  readonly then?: string;
  /** Files that are written, or null where removed. */
  readonly wrote?: Readonly<Record<string, string | null>>;
  readonly notes?: readonly string[];
  readonly problems?: readonly string[];
}

const WEB: Files = { "units/web.service": RUN };
const TEMPLATE: Files = { "units/web@.service": RUN };
const THREE = "units:\n  web@.service: { instances: 3 }\n";

const CASES: readonly Case[] = [
  {
    name: "stop says loaded",
    verb: "stop",
    units: ["web.service"],
    files: WEB,
    then: "units:\n  web.service: { state: loaded }\n",
  },
  {
    name: "unload says inactive",
    verb: "unload",
    units: ["web.service"],
    files: WEB,
    then: "units:\n  web.service: { state: inactive }\n",
  },
  {
    name: "start says launched where something else was said",
    verb: "start",
    units: ["web.service"],
    files: WEB,
    manifest: "units:\n  web.service: { state: loaded } # for now\n",
    then: "units:\n  web.service: { state: launched } # for now\n",
  },
  {
    name: "start of what is launched changes nothing",
    verb: "start",
    units: ["web.service"],
    files: WEB,
    notes: ["already web.service"],
  },
  {
    name: "stop of what was never loaded is refused",
    verb: "stop",
    units: ["web.service"],
    files: WEB,
    manifest: "units: { web.service: { state: inactive } }\n",
    problems: ["unit-inactive web.service"],
  },
  {
    name: "stop of what there is not is refused, and every such unit named",
    verb: "stop",
    units: ["wep.service", "x.service"],
    files: WEB,
    problems: ["unit-unknown wep.service", "unit-unknown x.service"],
  },
  {
    name: "start brings a file that is at hand",
    verb: "start",
    units: ["db.service"],
    files: WEB,
    offered: { "db.service": RUN },
    wrote: { "units/db.service": RUN },
  },
  {
    name: "submit brings it and leaves it alone",
    verb: "submit",
    units: ["db.service"],
    files: WEB,
    offered: { "db.service": RUN },
    wrote: { "units/db.service": RUN },
    then: "units:\n  db.service: { state: inactive }\n",
  },
  {
    name: "submit of what runs takes nothing back",
    verb: "submit",
    units: ["web.service"],
    files: WEB,
    offered: { "web.service": RUN },
    notes: ["same-file web.service"],
  },
  {
    name: "a file at hand does not take the place of the repository's",
    verb: "start",
    units: ["web.service"],
    files: WEB,
    offered: { "web.service": `${RUN}# mine\n` },
    notes: ["kept-own-file web.service", "already web.service"],
  },
  {
    name: "unless somebody says so",
    verb: "start",
    units: ["web.service"],
    files: { "units/site/web.service": RUN },
    offered: { "web.service": `${RUN}# mine\n` },
    replace: true,
    wrote: { "units/site/web.service": `${RUN}# mine\n` },
    notes: ["already web.service"],
  },
  {
    name: "start of a further instance counts on",
    verb: "start",
    units: ["web@4.service"],
    files: TEMPLATE,
    manifest: THREE,
    then: "units:\n  web@.service: { instances: 4 }\n",
  },
  {
    name: "start of an instance out of the row makes a list",
    verb: "start",
    units: ["web@7.service", "web@blue.service"],
    files: TEMPLATE,
    manifest: THREE,
    then: "units:\n  web@.service: { instances: [1, 2, 3, 7, blue] }\n",
  },
  {
    name: "load of a first instance",
    verb: "load",
    units: ["web@1.service"],
    files: TEMPLATE,
    then: "units:\n  web@.service: { instances: 1 }\n  web@1.service: { state: loaded }\n",
  },
  {
    name: "an instance of a template that is at hand",
    verb: "start",
    units: ["web@1.service"],
    files: { "units/.gitkeep": "" },
    offered: { "web@.service": RUN },
    wrote: { "units/web@.service": RUN },
    then: "units:\n  web@.service: { instances: 1 }\n",
  },
  {
    name: "stop of a template is for all its instances",
    verb: "stop",
    units: ["web@.service"],
    files: TEMPLATE,
    manifest: "units:\n  web@.service: { instances: 3 }\n  web@2.service: { state: launched, drift: off }\n",
    then: "units:\n  web@.service: { instances: 3, state: loaded }\n  web@2.service: { drift: off }\n",
  },
  {
    name: "a template without instances is neither started nor stopped",
    verb: "start",
    units: ["web@.service"],
    files: TEMPLATE,
    problems: ["no-instances web@.service"],
  },
  {
    name: "defaults that say loaded do not hold for what is started",
    verb: "start",
    units: ["db.service"],
    files: WEB,
    manifest: "defaults: { state: loaded }\n",
    offered: { "db.service": RUN },
    wrote: { "units/db.service": RUN },
    then: "defaults: { state: loaded }\nunits:\n  db.service: { state: launched }\n",
  },
  {
    name: "destroy removes file, drop-ins and key",
    verb: "destroy",
    units: ["web.service"],
    files: { ...WEB, "units/web.service.d/10.conf": "[Unit]\nDescription=x\n", "units/db.service": RUN },
    manifest: "units:\n  # the site\n  web.service: { state: loaded }\n  db.service: {}\n",
    then: "units:\n  # the site\n  db.service: {}\n",
    wrote: { "units/web.service": null, "units/web.service.d/10.conf": null },
  },
  {
    name: "destroy of a template takes its instances along",
    verb: "destroy",
    units: ["web@.service"],
    files: { ...TEMPLATE, "units/web@2.service.d/10.conf": "[Unit]\nDescription=x\n", "units/a.service": RUN },
    manifest: "units:\n  web@.service: { instances: 2 }\n  web@2.service: { drift: off }\n  a.service: {}\n",
    then: "units:\n  a.service: {}\n",
    wrote: { "units/web@.service": null, "units/web@2.service.d/10.conf": null },
  },
  {
    name: "destroy of the last instance counts back",
    verb: "destroy",
    units: ["web@3.service"],
    files: TEMPLATE,
    manifest: THREE,
    then: "units:\n  web@.service: { instances: 2 }\n",
  },
  {
    name: "destroy of one in between names the others",
    verb: "destroy",
    units: ["web@2.service"],
    files: TEMPLATE,
    manifest: `${THREE}  web@2.service: { drift: off }\n`,
    then: "units:\n  web@.service: { instances: [1, 3] }\n",
  },
  {
    name: "restart says since when",
    verb: "restart",
    units: ["web.service"],
    files: WEB,
    then: `units:\n  web.service: { restartedAfter: ${NOW} }\n`,
  },
  {
    name: "restart of what is only loaded launches it",
    verb: "restart",
    units: ["web.service"],
    files: WEB,
    manifest: "units: { web.service: { state: loaded } }\n",
    then: "units: { web.service: { state: launched } }\n",
  },
  {
    name: "restart of what is inactive is refused",
    verb: "restart",
    units: ["web.service"],
    files: WEB,
    manifest: "units: { web.service: { state: inactive } }\n",
    problems: ["unit-inactive web.service"],
  },
];

for (const one of CASES) {
  test(`what a word changes in the repository: ${one.name}`, () => {
    const text = HEAD + (one.manifest ?? "");
    const repository = repositoryOf({ "fleet.yaml": text, ...one.files });
    const offered = new Map(
      Object.entries(one.offered ?? {}).map(([name, file]) => [name as UnitName, new TextEncoder().encode(file)]),
    );
    const units = one.units as readonly UnitName[];
    const edited = editUnits(repository, { verb: one.verb, units, offered, replace: one.replace ?? false, now: NOW });
    assert.deepEqual(shown(edited), { wrote: one.wrote ?? {}, notes: one.notes ?? [], problems: one.problems ?? [] });
    if (edited.problems.length > 0) return;
    assert.equal(editManifest("fleet.yaml", text, edited.edit.manifest), HEAD + (one.then ?? one.manifest ?? ""));
  });
}

function shown({ edit, notes, problems }: EditedUnits) {
  const decoder = new TextDecoder();
  return {
    wrote: Object.fromEntries(
      edit.files.map(({ path, bytes }) => [path, bytes === null ? null : decoder.decode(bytes)]),
    ),
    notes: notes.map(({ code, unit }) => `${code} ${unit}`),
    problems: problems.map(({ code, unit }) => `${code} ${unit}`),
  };
}

const SCALES: readonly (readonly [name: string, manifest: string, count: number, outcome: string])[] = [
  ["up", THREE, 5, "units:\n  web@.service: { instances: 5 }\n"],
  [
    "down, with what was said of the instance that goes",
    `${THREE}  web@3.service: { drift: off }\n`,
    2,
    "units:\n  web@.service: { instances: 2 }\n",
  ],
  ["to none", `${THREE}  a.service: {}\n`, 0, "units:\n  a.service: {}\n"],
  ["from none", "", 2, "units:\n  web@.service: { instances: 2 }\n"],
  ["to what there is", THREE, 3, THREE],
  ["where instances have names", "units: { web@.service: { instances: [a, b] } }\n", 3, "named-instances"],
  ["beyond what one template may have", THREE, 1001, "too-many-instances"],
];

for (const [name, manifest, count, outcome] of SCALES) {
  test(`a template is scaled ${name}`, () => {
    const text = HEAD + manifest;
    const repository = repositoryOf({ "fleet.yaml": text, ...TEMPLATE, "units/a.service": RUN });
    const { edit, problems } = scaleTemplates(repository, new Map([["web@.service" as UnitName, count]]));
    const then = problems[0]?.code ?? editManifest("fleet.yaml", text, edit.manifest)?.slice(HEAD.length);
    assert.equal(then, outcome);
  });
}

test("units of another tool come in as they are, instances of a template as such, and what is there stays", () => {
  const text = `${HEAD}units:\n  web.service: { drift: off }\n`;
  const repository = repositoryOf({ "fleet.yaml": text, ...WEB });
  const encode = (one: string) => new TextEncoder().encode(one);
  const found = (name: string, file: string, goal: FoundUnit["goal"], dropins: Files = {}): FoundUnit => ({
    ...{ name: name as UnitName, bytes: encode(file), goal },
    dropins: new Map(Object.entries(dropins).map(([conf, one]) => [conf, encode(one)])),
  });
  const edited = importUnits(
    repository,
    [
      found("web.service", `${RUN}# theirs\n`, "launched"),
      found("api@2.service", RUN, "loaded"),
      found("api@1.service", RUN, "launched"),
      found("api@.service", RUN, "inactive"),
      found("db.service", RUN, null, { "10.conf": "[Unit]\n" }),
    ],
    { adopt: true },
  );
  assert.deepEqual(shown(edited), {
    wrote: { "units/api@.service": RUN, "units/db.service": RUN, "units/db.service.d/10.conf": "[Unit]\n" },
    notes: ["kept-own-file web.service"],
    problems: [],
  });
  assert.equal(
    editManifest("fleet.yaml", text, edited.edit.manifest),
    `${text}  api@.service: { instances: 2 }\n  api@2.service: { state: loaded }\ndefaults: { adopt: true }\n`,
  );
});
