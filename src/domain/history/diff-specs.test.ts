import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import { diffSpecs } from "./diff-specs.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\n";
const WEB = "[Service]\nExecStart=/bin/web\n";

type Files = Readonly<Record<string, string>>;

function specOf(files: Files) {
  const { spec, diagnostics } = compileRepository({ "fleet.yaml": MANIFEST, ...files });
  assert.ok(spec !== null, JSON.stringify(diagnostics));
  return spec;
}

function told(before: Files, after: Files) {
  const { changes, machines, settings, cluster } = diffSpecs(specOf(before), specOf(after), sha256);
  const names = new Map(machines.map(({ id, name }) => [id, name]));
  return {
    changes: changes.map(({ action, effect, unit, from, to }) => {
      const place = names.get((to ?? from)!.machine);
      return `${action} ${unit}${place === undefined ? "" : ` on ${place}`}: ${effect}`;
    }),
    settings: settings.map(({ unit, keys }) => `${unit}: ${keys.join(" ")}`),
    cluster,
  };
}

describe("what two commits differ in", () => {
  const cases: readonly {
    readonly says: string;
    readonly before: Files;
    readonly after: Files;
    readonly expected: Partial<ReturnType<typeof told>>;
  }[] = [
    {
      says: "the same files differ in nothing",
      before: { "units/web.service": WEB },
      after: { "units/web.service": WEB },
      expected: {},
    },
    {
      says: "units come, change and go, worst effect first",
      before: { "units/web.service": WEB, "units/old.service": WEB },
      after: { "units/web.service": `${WEB}Nice=5\n`, "units/new.service": WEB },
      expected: { changes: ["remove old.service: stop", "change web.service: restart", "add new.service: start"] },
    },
    {
      says: "a description restarts nothing",
      before: { "units/web.service": WEB },
      after: { "units/web.service": `[Unit]\nDescription=Web\n${WEB}` },
      expected: { changes: ["change web.service: quiet"] },
    },
    {
      says: "a unit that is not wanted any more stops, and is not gone for that",
      before: { "units/web.service": WEB },
      after: {
        "fleet.yaml": `${MANIFEST}units: { web.service: { state: inactive } }\n`,
        "units/web.service": WEB,
      },
      expected: { changes: ["remove web.service: stop"] },
    },
    {
      says: "what needs a unit that restarts goes down with it",
      before: { "units/db.service": WEB, "units/web.service": `[Unit]\nRequires=db.service\n${WEB}` },
      after: { "units/db.service": `${WEB}Nice=5\n`, "units/web.service": `[Unit]\nRequires=db.service\n${WEB}` },
      expected: { changes: ["change db.service: restart", "change web.service: restart"] },
    },
    {
      says: "a drop-in of one machine changes the unit there, and nowhere else",
      before: { "fleet.yaml": `${MANIFEST}machines: { nas: {} }\n`, "units/web.service": WEB },
      after: {
        "fleet.yaml": `${MANIFEST}machines: { nas: { dropins: { web.service: [nas.conf] } } }\n`,
        "nas.conf": "[Service]\nNice=5\n",
        "units/web.service": WEB,
      },
      expected: { changes: ["change web.service on nas: restart"] },
    },
    {
      says: "what changes on every machine alike is told once",
      before: {
        "fleet.yaml": `${MANIFEST}machines: { nas: { dropins: { web.service: [nas.conf] } } }\n`,
        "nas.conf": "[Service]\nNice=5\n",
        "units/web.service": WEB,
      },
      after: {
        "fleet.yaml": `${MANIFEST}machines: { nas: { dropins: { web.service: [nas.conf] } } }\n`,
        "nas.conf": "[Service]\nNice=5\n",
        "units/web.service": "[Service]\nExecStart=/bin/other\n",
      },
      expected: { changes: ["change web.service: restart"] },
    },
    {
      says: "settings are told by the manifest's names, and touch nothing that runs",
      before: { "units/web.service": WEB },
      after: {
        "fleet.yaml": `${MANIFEST}admit: any\nrings: [{ match: "*" }]\nmachines: { nas: {} }\ndefaults: { drift: detect, rollout: { maxUnavailable: 2 } }\n`,
        "units/web.service": WEB,
      },
      expected: { settings: ["web.service: rollout drift"], cluster: ["machines.nas", "rings"] },
    },
  ];
  for (const { says, before, after, expected } of cases) {
    test(says, () => {
      assert.deepEqual(told(before, after), { changes: [], settings: [], cluster: [], ...expected });
    });
  }
});
