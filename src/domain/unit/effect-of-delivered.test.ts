import assert from "node:assert/strict";
import { test } from "node:test";
import { sealedFile } from "../../../test/sealed-file.ts";
import type { UnitName } from "../names.ts";
import type { InstalledFile } from "../tasks/task.ts";
import { effectOfFiles } from "./unit-effect.ts";

const ROOT = "/var/lib/fleet/files";
const RELOADS = "ExecReload=/bin/kill -HUP $MAINPID";

function delivered(service: string, text: string, mode = "0644"): InstalledFile {
  return { path: `${ROOT}/${service}/app.conf`, text, delivery: { mode, owner: "root", group: "root" } };
}

/** What a change of app.conf does to a service of these lines. */
function effectOn(name: string, service: string, section: string, lines: readonly string[]) {
  const unit = { path: name, text: `[${section}]\n${lines.map((line) => `${line}\n`).join("")}` };
  return effectOfFiles(name as UnitName, [unit, delivered(service, "a")], [unit, delivered(service, "b")]);
}

const FILE = `${ROOT}/%n/app.conf`;
const table: readonly (readonly [what: string, lines: readonly string[], effect: string])[] = [
  ["the environment of processes", ["ExecStart=/bin/x", `EnvironmentFile=${FILE}`, RELOADS], "restart"],
  ["a credential", ["ExecStart=/bin/x", `LoadCredential=app:${FILE}`, RELOADS], "restart"],
  ["what is mounted", ["ExecStart=/bin/x", `BindReadOnlyPaths=${FILE}:/etc/app.conf`, RELOADS], "restart"],
  ["the argument of a command that reloads", [`ExecStart=/bin/x -c ${FILE}`, RELOADS], "reload"],
  ["the argument of one that tells of its reloads", [`ExecStart=/bin/x -c ${FILE}`, "Type=notify-reload"], "reload"],
  ["the argument of a command that does not", [`ExecStart=/bin/x -c ${FILE}`], "restart"],
  ["the folder a command that reloads is given", [`ExecStart=/bin/x -d ${ROOT}/%n`, RELOADS], "reload"],
  [
    "a path in the environment of one that reloads",
    ["ExecStart=/bin/x", `Environment=CONF=${FILE}`, RELOADS],
    "reload",
  ],
  ["the command itself", [`ExecStart=${FILE} --serve`, RELOADS], "restart"],
  ["a command before the start", ["ExecStart=/bin/x", `ExecStartPre=-${FILE}`, RELOADS], "restart"],
  ["a command at the stop", ["ExecStart=/bin/x", `ExecStop=${FILE}`], "quiet"],
  ["a command of the reload", ["ExecStart=/bin/x", `ExecReload=/bin/x ${FILE}`], "quiet"],
  ["a condition", ["ExecStart=/bin/x", `[Unit]\nConditionPathExists=${FILE}`], "quiet"],
  ["what systemd does not read", ["ExecStart=/bin/x", `X-Note=${FILE}`], "quiet"],
  ["the worst of two places", [`ExecStart=/bin/x ${FILE}`, `EnvironmentFile=${FILE}`, RELOADS], "restart"],
  ["a file that is only declared", ["ExecStart=/bin/x"], "restart"],
  ["a file that is only declared, of a service that reloads", ["ExecStart=/bin/x", RELOADS], "reload"],
];

for (const [what, lines, effect] of table) {
  test(`a delivered file that changes: ${what}: ${effect}`, () => {
    assert.deepEqual(effectOn("web.service", "web.service", "Service", lines), {
      effect,
      causes: [{ section: "files", key: "app.conf", effect }],
    });
  });
}

test("a container starts anew for each file it is given, by the name of its service", () => {
  const { effect } = effectOn("web.container", "web.service", "Container", ["Image=x", `Volume=${FILE}:/etc/app.conf`]);
  assert.equal(effect, "restart");
});

test("a mode counts as contents do, and what is the same is no cause", () => {
  const unit = { path: "web.service", text: `[Service]\nExecStart=/bin/x\nEnvironmentFile=${FILE}\n` };
  const effect = (before: InstalledFile, after: InstalledFile) =>
    effectOfFiles("web.service" as UnitName, [before, unit], [unit, after]).effect;
  assert.equal(effect(delivered("web.service", "a"), delivered("web.service", "a", "0600")), "restart");
  assert.equal(effect(delivered("web.service", "a"), delivered("web.service", "a")), "quiet");
});

test("a file that comes or goes is a cause beside the directive that names it", () => {
  const before = { path: "web.service", text: "[Service]\nExecStart=/bin/x\n" };
  const after = { path: "web.service", text: `[Service]\nExecStart=/bin/x\nExecStop=/bin/y ${FILE}\n` };
  const { effect, causes } = effectOfFiles("web.service" as UnitName, [before], [after, delivered("web.service", "a")]);
  assert.equal(effect, "daemon-reload");
  assert.deepEqual(
    causes.map(({ key }) => key),
    ["ExecStop", "app.conf"],
  );
});

const SEALED = { mode: "0600", owner: "root", group: "root", encoding: "age" } as const;

/** What a change of a secret's file does to a service that is given it. */
function effectOfSecret(before: string | null, after: string | null) {
  const unit = {
    path: "web.service",
    text: "[Service]\nExecStart=/bin/x\nLoadCredential=db:/run/fleet/secrets/%n/db\n",
  };
  const files = (text: string | null) =>
    text === null ? [unit] : [unit, { path: "/run/fleet/secrets/web.service/db", text, delivery: SEALED }];
  return effectOfFiles("web.service" as UnitName, files(before), files(after));
}

const [one, two] = [sealedFile(["a"], { version: "1" }), sealedFile(["a", "b"], { version: "1", value: "anew" })];
const secrets: readonly (readonly [what: string, before: string | null, after: string | null, effect: string])[] = [
  ["the same value encrypted to other machines", one, two, "quiet"],
  ["another value", one, sealedFile(["a"], { version: "2" }), "restart"],
  ["a file that states no version", one, sealedFile(["a"], { version: null }), "restart"],
  [
    "two files that state no version",
    sealedFile(["a"], { version: null }),
    sealedFile(["b"], { version: null }),
    "restart",
  ],
  ["a secret that is new", null, one, "restart"],
  ["a file that is damaged", one, "damaged", "restart"],
];

test("a secret of another owner is given to new processes", () => {
  const unit = {
    path: "web.service",
    text: "[Service]\nExecStart=/bin/x\nLoadCredential=db:/run/fleet/secrets/%n/db\n",
  };
  const owned = (owner: string) => [
    unit,
    { path: "/run/fleet/secrets/web.service/db", text: one, delivery: { ...SEALED, owner } },
  ];
  assert.equal(effectOfFiles("web.service" as UnitName, owned("root"), owned("999")).effect, "restart");
});

for (const [what, before, after, effect] of secrets) {
  test(`a secret: ${what} is ${effect}`, () => {
    assert.deepEqual(effectOfSecret(before, after), { effect, causes: [{ section: "secrets", key: "db", effect }] });
  });
}
