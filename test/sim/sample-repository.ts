import type { Random } from "../../src/sim/random.ts";

/** What the simulated users keep in git: every kind of unit whose placing or stopping has rules of its own. */
export class SampleRepository {
  readonly #random: Random;
  readonly #services = new Map<string, number>();
  #next = 1;
  #version = 0;
  #backVersion = 0;
  /** Two units that may not meet change places in one commit: what leaves a machine must be gone before the other starts. */
  #redInA = true;

  constructor(random: Random) {
    this.#random = random;
    for (let index = 0; index < random.between(2, 6); index++) this.#services.set(this.#newService(), 0);
  }

  /** The files of the next commit: one thing changed since the last. */
  next(): Record<string, string> {
    this.#version++;
    if (this.#version > 1) this.#change();
    return this.files();
  }

  files(): Record<string, string> {
    const files: Record<string, string> = {
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: sim\n",
      "units/everywhere.service": service("sleep infinity", "Global=true"),
      "units/red.service": service(
        "sleep infinity",
        `Conflicts=blue.service\nMachineMetadata=zone=${this.#redInA ? "a" : "b"}`,
      ),
      "units/blue.service": service("sleep infinity", `MachineMetadata=zone=${this.#redInA ? "b" : "a"}`),
      "units/zoned.service": service("sleep infinity", "MachineMetadata=zone=a"),
      "units/once.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
      "units/front.service": `[Unit]\nRequires=back.service\nAfter=back.service\n${service("sleep infinity", "")}`,
      "units/back.service": service(`sleep ${200_000 + this.#backVersion}`, ""),
      // While it runs beside it, systemd holds back.service, whose new text then needs a reload.
      "units/after.service": `[Unit]\nAfter=back.service\n${service("sleep infinity", "MachineOf=back.service")}`,
      "units/broken.service": service("false", ""),
      "units/tick.timer": "[Timer]\nOnBootSec=1h\n",
      "units/tick.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    };
    for (const [name, version] of this.#services)
      files[`units/${name}.service`] = service(`sleep ${100_000 + version}`, "");
    return files;
  }

  #change(): void {
    const names = [...this.#services.keys()];
    const dice = this.#random.next();
    if (dice > 0.85) this.#redInA = !this.#redInA;
    if (dice > 0.7 && dice < 0.9) this.#backVersion = this.#version;
    if (dice < 0.2 && names.length < 10) this.#services.set(this.#newService(), 0);
    else if (dice < 0.4 && names.length > 1) this.#services.delete(this.#random.pick(names));
    else this.#services.set(this.#random.pick(names), this.#version);
  }

  #newService(): string {
    return `s${this.#next++}`;
  }
}

function service(command: string, option: string): string {
  const fleet = option === "" ? "" : `\n[X-Fleet]\n${option}\n`;
  return `[Service]\nExecStart=/bin/${command}\n${fleet}`;
}
