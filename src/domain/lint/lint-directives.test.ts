import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import type { UnitType } from "../unit/unit-name.ts";
import { lintDirectives } from "./lint-directives.ts";

function found(text: string, type: UnitType | null = "service"): string[] {
  const { file, diagnostics } = parseUnitFile("a", text);
  assert.deepEqual(diagnostics, []);
  return lintDirectives(file, type).map(({ rule, at, saw, next }) => `${at.line}:${at.column} ${rule} ${saw}; ${next}`);
}

test("wound 6 (fleet#1199): BindTo= is told with its line and what was meant", () => {
  assert.deepEqual(found("[Unit]\nDescription=x\n BindTo=db.service\n"), [
    "3:2 unit-old-spelling BindTo=, an old spelling of BindsTo=; did you mean BindsTo=?",
  ]);
  assert.deepEqual(found("[Unit]\nBindssTo=db.service\n"), [
    "2:1 directive-unknown the unknown directive BindssTo= in [Unit]; did you mean BindsTo=?",
  ]);
});

describe("what systemd would ignore", () => {
  const cases: [sentence: string, text: string, type: UnitType | null, findings: string[]][] = [
    [
      "a misspelt directive",
      "[Service]\nRestrat=always\n",
      "service",
      ["2:1 directive-unknown the unknown directive Restrat= in [Service]; did you mean Restart=?"],
    ],
    [
      "a directive nobody could have meant",
      "[Service]\nFrobnicate=1\n",
      "service",
      ["2:1 directive-unknown the unknown directive Frobnicate= in [Service]; systemd ignores it: remove it"],
    ],
    [
      "one of another section of the unit",
      "[Unit]\nRestart=always\n[Service]\nWantedBy=x.target\nAfter=y.service\n",
      "service",
      [
        "2:1 directive-unknown Restart= in [Unit], where systemd ignores it; move it to [Service]",
        "4:1 directive-unknown WantedBy= in [Service], where systemd ignores it; move it to [Install]",
        "5:1 directive-unknown After= in [Service], where systemd ignores it; move it to [Unit]",
      ],
    ],
    [
      "the case of letters counts",
      "[Service]\nexecstart=/bin/true\n",
      "service",
      ["2:1 directive-unknown the unknown directive execstart= in [Service]; did you mean ExecStart=?"],
    ],
    [
      "a misspelt section, once, and nothing in it",
      "[Sevice]\nExecStart=/a\nFoo=1\n[Install]\nFoo=1\n",
      "service",
      [
        "1:1 section-unknown the unknown section [Sevice]; did you mean [Service]?",
        "5:1 directive-unknown the unknown directive Foo= in [Install]; systemd ignores it: remove it",
      ],
    ],
    [
      "the section of another type",
      "[Timer]\nOnCalendar=daily\n[Service]\nExecStart=/a\n",
      "timer",
      [
        "3:1 section-unknown the section [Service] in a .timer; systemd ignores it: write it into a .service, or remove it",
      ],
    ],
    [
      "a section of somebody's own",
      "[Deployment]\nOwner=ann\n",
      "service",
      [
        "1:1 section-unknown the unknown section [Deployment]; systemd ignores it; for notes of your own write [X-Deployment]",
      ],
    ],
    [
      "what is gone",
      "[Service]\nSysVStartPriority=3\nCPUShares=5\n",
      "service",
      [
        "2:1 unit-old-spelling SysVStartPriority=, which is gone from systemd; remove it: systemd reads it and does nothing",
        "3:1 unit-old-spelling CPUShares=, an old spelling of CPUWeight=; did you mean CPUWeight=?",
      ],
    ],
    [
      "a target has no section of its own",
      "[Target]\nA=1\n",
      "target",
      [
        "1:1 section-unknown the section [Target] in a .target; systemd ignores it: write it into a .target, or remove it",
      ],
    ],
    [
      "what podman's generator does not know in its own sections, and systemd not in [Service]",
      "[Container]\nImag=x\nRestart=always\nFrobnicate=1\n[Service]\nRestrat=always\n[Quadlet]\nDefaultDependancies=no\n",
      "container",
      [
        "2:1 directive-unknown the unknown key Imag= in [Container], for which podman's generator refuses the file; did you mean Image=?",
        "3:1 directive-unknown the unknown key Restart= in [Container], for which podman's generator refuses the file; it is one of [Service]",
        "4:1 directive-unknown the unknown key Frobnicate= in [Container], for which podman's generator refuses the file; remove it, or write PodmanArgs=",
        "6:1 directive-unknown the unknown directive Restrat= in [Service]; did you mean Restart=?",
        "8:1 directive-unknown the unknown key DefaultDependancies= in [Quadlet], for which podman's generator refuses the file; did you mean DefaultDependencies=?",
      ],
    ],
    [
      "a drop-in for nobody knows what",
      "[Service]\nRestrat=always\n[Container]\nImage=x\n[Foo]\n",
      null,
      [
        "2:1 directive-unknown the unknown directive Restrat= in [Service]; did you mean Restart=?",
        "5:1 section-unknown the unknown section [Foo]; systemd ignores it; for notes of your own write [X-Foo]",
      ],
    ],
  ];
  for (const [sentence, text, type, findings] of cases) {
    test(sentence, () => assert.deepEqual(found(text, type), findings));
  }
});

test("a file of nothing but slips is told in full, in moments", () => {
  const before = process.cpuUsage();
  const findings = found(`[Service]\n${"Restrat=\n".repeat(7000)}`);
  const { user, system } = process.cpuUsage(before);
  assert.equal(findings.length, 7000);
  assert.match(findings[0]!, /did you mean Restart=/);
  assert.ok((user + system) / 1000 < 1000, `${(user + system) / 1000} ms`);
});

describe("what is fine", () => {
  const cases: [string, UnitType | null][] = [
    [
      "[Unit]\nStartLimitIntervalSec=5\n[Service]\nStartLimitInterval=5\nExecStart=/a\n[X-Fleet]\nGlobal=true\n[X-Mine]\nA=1\n",
      "service",
    ],
    ["[Service]\nExecStart=/a\nX-Note=kept for us\n", "service"],
    ["[Service]\nReadOnlyDirectories=/x\n", "service"],
    ["[Container]\nImage=x\n[Service]\nRestart=always\n[Quadlet]\nDefaultDependencies=no\n", "container"],
    ["[Socket]\nListenStream=1\nMemoryMax=5M\n", "socket"],
    ["[Service]\n[Timer]\n[Container]\n", null],
  ];
  for (const [text, type] of cases) test(JSON.stringify(text), () => assert.deepEqual(found(text, type), []));
});
