import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../names.ts";
import { compareForeign, type LoadedFiles } from "./foreign-files.ts";

const A = "a@1.service" as UnitName;
const ETC = "/etc/systemd/system";
const SERVER = "[Service]\nExecStart=/bin/a\n";
const LIMIT = "[Service]\nTimeoutStopSec=7\n";
const LINK = `${ETC}/multi-user.target.wants/${A}`;

/** Paths below /etc/systemd/system, unless they begin with a slash; the fragment first. */
const loaded = (files: Readonly<Record<string, string | null>>, rest: Partial<LoadedFiles> = {}): LoadedFiles => ({
  names: [A],
  isOutdated: false,
  files: Object.entries(files).map(([path, text]) => ({ path: path.startsWith("/") ? path : `${ETC}/${path}`, text })),
  ...rest,
});

const CASES: readonly [string, LoadedFiles, Readonly<Record<string, string>>, string][] = [
  ["the same file: it goes, and what enables it", loaded({ [A]: SERVER }), { [A]: SERVER }, `same ${ETC}/${A} ${LINK}`],
  [
    "its drop-ins go with it, whatever ours are called",
    loaded({ [A]: SERVER, [`${A}.d/10.conf`]: LIMIT }),
    { [A]: SERVER + LIMIT },
    `same ${ETC}/${A} ${ETC}/${A}.d/10.conf ${LINK}`,
  ],
  [
    "a template's file and drop-ins stay, and count on both sides",
    loaded({ "a@.service": SERVER, "a@.service.d/10.conf": LIMIT }),
    { [A]: SERVER },
    `same ${LINK}`,
  ],
  [
    "what the template's drop-ins say and ours do not need to",
    loaded({ "a@.service": SERVER, "a@.service.d/10.conf": LIMIT }),
    { [A]: SERVER, [`${A}.d/10.conf`]: "# hides the template's\n" },
    "differs TimeoutStopSec",
  ],
  [
    "a drop-in of a whole type stays",
    loaded({ [A]: SERVER, "/usr/lib/systemd/system/service.d/10.conf": LIMIT }),
    { [A]: SERVER },
    `same ${ETC}/${A} ${LINK}`,
  ],
  [
    "one that differs is told without what is quiet",
    loaded({ [A]: `[Unit]\nDescription=x\n${LIMIT}ExecStart=/bin/a\n` }),
    { [A]: SERVER },
    "differs TimeoutStopSec",
  ],
  ["a package's", loaded({ [`/usr/lib/systemd/system/${A}`]: SERVER }), { [A]: SERVER }, "unclear not-in-etc"],
  ["one without a file", loaded({}), { [A]: SERVER }, "unclear not-in-etc"],
  [
    "one with another name",
    loaded({ [A]: SERVER }, { names: [A, "b@1.service" as UnitName] }),
    { [A]: SERVER },
    "unclear has-aliases",
  ],
  [
    "files that are newer than what systemd holds",
    loaded({ [A]: SERVER }, { isOutdated: true }),
    { [A]: SERVER },
    "unclear changed-since-loaded",
  ],
  [
    "a file that cannot be read",
    loaded({ [A]: SERVER, [`${A}.d/10.conf`]: null }),
    { [A]: SERVER },
    "unclear unreadable",
  ],
];

for (const [sentence, theirs, ours, expected] of CASES) {
  test(`held against ours: ${sentence}`, () => {
    const files = Object.entries(ours).map(([path, text]) => ({ path, text }));
    const found = compareForeign(A, theirs, [LINK], files);
    const rest =
      found.state === "same"
        ? found.paths
        : found.state === "differs"
          ? found.causes.map(({ key }) => key)
          : found.state === "unclear"
            ? [found.because]
            : [];
    assert.equal([found.state, ...rest].join(" "), expected);
  });
}
