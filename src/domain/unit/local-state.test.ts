import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { effectiveUnit } from "./effective-unit.ts";
import { findLocalState } from "./local-state.ts";
import { parseUnitFile } from "./parse-unit-file.ts";
import { parseUnitName } from "./unit-name.ts";

function stateOf(name: string, text: string): string[] {
  const unit = parseUnitName(name);
  assert.ok(unit);
  return findLocalState(unit, effectiveUnit(parseUnitFile(name, text).file, [])).map(({ because }) => because);
}

describe("what a unit keeps on its machine", () => {
  const cases: [string, string, string, string[]][] = [
    ["its state directory", "db@1.service", "[Service]\nStateDirectory=db-%i\n", ["StateDirectory=db-1"]],
    [
      "a writable path of a protected service",
      "a.service",
      "[Service]\nReadWritePaths=-/srv/a /run/a\n",
      ["ReadWritePaths=-/srv/a"],
    ],
    ["a bind mount", "a.service", "[Service]\nBindPaths=/srv/a:/data\n", ["BindPaths=/srv/a"]],
    ["a container's host path", "a.container", "[Container]\nVolume=/var/lib/a:/data:Z\n", ["Volume=/var/lib/a"]],
    ["a container's path in the home directory", "a.container", "[Container]\nVolume=%h/a:/data\n", ["Volume=%h/a"]],
    ["a container's named volume", "a.container", "[Container]\nVolume=data:/data\n", ["Volume=data"]],
    ["a container's long mount", "a.container", "[Container]\nMount=type=bind,src=/srv/a,dst=/a\n", ["Mount=/srv/a"]],
    ["a pod's volume", "a.pod", "[Pod]\nVolume=/srv/a:/a\n", ["Volume=/srv/a"]],
    ["a volume file on the local driver", "a.volume", "[Volume]\n", ["volume a.volume"]],
    ["a disk", "srv.mount", "[Mount]\nWhat=/dev/disk/by-label/x\nWhere=/srv\n", ["What=/dev/disk/by-label/x"]],
    [
      "docker's -v",
      "a.service",
      "[Service]\nExecStart=/usr/bin/docker run -v /srv/a:/data -v b:/b x\n",
      ["ExecStart= -v /srv/a", "ExecStart= -v b"],
    ],
    [
      "the same inside a shell's quotes",
      "a.service",
      '[Service]\nExecStart=/bin/sh -c "docker run --rm -v /var/lib/a:/data $IMAGE"\n',
      ["ExecStart= -v /var/lib/a"],
    ],
    [
      "over several lines",
      "a.service",
      "[Service]\nExecStart=/usr/bin/podman run \\\n  --volume=/srv/a:/data \\\n  x\n",
      ["ExecStart= --volume /srv/a"],
    ],
    [
      "a path in a variable",
      "a.service",
      "[Service]\nExecStart=docker run -v $DATA:/data x\n",
      ["ExecStart= -v $DATA"],
    ],
    [
      "docker's --mount",
      "a.service",
      "[Service]\nExecStart=docker create --mount type=volume,source=v,target=/v x\n",
      ["ExecStart= --mount v"],
    ],
    [
      "a data container",
      "a.service",
      "[Service]\nExecStart=docker run --volumes-from=a-data x\n",
      ["ExecStart= --volumes-from a-data"],
    ],
    [
      "podman's arguments of a quadlet",
      "a.container",
      "[Container]\nPodmanArgs=--volume /srv/a:/data\n",
      ["PodmanArgs= --volume /srv/a"],
    ],
  ];
  for (const [sentence, name, text, expected] of cases) {
    test(sentence, () => assert.deepEqual(stateOf(name, text), expected));
  }
});

describe("what is not its data", () => {
  const cases: [string, string, string][] = [
    ["a state directory reset", "a.service", "[Service]\nStateDirectory=a\nStateDirectory=\n"],
    [
      "caches, logs and runtime directories",
      "a.service",
      "[Service]\nCacheDirectory=a\nLogsDirectory=a\nRuntimeDirectory=a\n",
    ],
    [
      "read-only mounts",
      "a.container",
      "[Container]\nVolume=/srv/a:/a:ro,z\nVolume=v:/v:z,ro\nMount=type=bind,src=/srv/b,dst=/b,ro\n",
    ],
    ["overlays", "a.container", "[Container]\nVolume=/srv/a:/a:O\n"],
    ["anonymous volumes", "a.container", "[Container]\nVolume=/data\nMount=type=tmpfs,dst=/x\n"],
    ["a volume file, which is judged itself", "a.container", "[Container]\nVolume=a.volume:/data\n"],
    ["a volume of another machine", "a.volume", "[Volume]\nType=nfs\nDevice=nas:/x\n"],
    ["a network file system", "srv.mount", "[Mount]\nWhat=nas:/x\nWhere=/srv\nType=nfs\n"],
    [
      "sockets and the clock's zone",
      "a.container",
      "[Container]\nVolume=/var/run/docker.sock:/s\nVolume=/srv/x.sock:/x\nVolume=/etc/localtime:/etc/localtime\n",
    ],
    [
      "the host as monitors see it",
      "a.service",
      "[Service]\nExecStart=docker run -v /:/rootfs -v /sys:/sys -v /proc:/p -v /dev:/dev -v /var/log:/l -v /var/lib/docker/:/d x\n",
    ],
    ["files beside the quadlet", "a.container", "[Container]\nVolume=./files/a.conf:/a.conf\n"],
    ["what a boot empties", "a.container", "[Container]\nVolume=/run/a:/a\nVolume=/tmp:/tmp\nVolume=%t/a:/a\n"],
    ["-v of another program", "a.service", "[Service]\nExecStart=/usr/bin/rsync -v /srv/a:/b\n"],
    ["-v that says verbose", "a.service", "[Service]\nExecStart=docker run x -v /srv\n"],
  ];
  for (const [sentence, name, text] of cases) {
    test(sentence, () => assert.deepEqual(stateOf(name, text), []));
  }

  test("a directory that only begins like a system one is data", () => {
    assert.deepEqual(stateOf("a.service", "[Service]\nBindPaths=/runs\n"), ["BindPaths=/runs"]);
  });
});
