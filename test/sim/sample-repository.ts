import type { MachineId } from "../../src/domain/names.ts";
import type { Random } from "../../src/sim/random.ts";

/** What the simulated users keep in git: every kind of unit whose placing or stopping has rules of its own. */
export class SampleRepository {
  readonly #random: Random;
  readonly #gentle: Random;
  readonly #fates: Random;
  readonly #rollouts: Random;
  /** Machines that the manifest drains or cordons. */
  readonly #told = new Map<MachineId, "drain" | "cordon">();
  readonly #machines: readonly MachineId[];
  /** Lines that change without touching a process, by the unit that has others than at first. */
  readonly #lines = new Map<string, GentleLines>();
  readonly #services = new Map<string, number>();
  #next = 1;
  #version = 0;
  #backVersion = 0;
  /** Two units that may not meet change places in one commit: what leaves a machine must be gone before the other starts. */
  #redInA = true;
  #rings: Rings = "none";
  #hasCanaries = false;

  /** `machines`: those that commits may drain or cordon. */
  constructor(random: Random, machines: readonly MachineId[]) {
    this.#random = random;
    this.#machines = machines;
    this.#fates = random.fork("machines");
    this.#gentle = random.fork("gentle");
    this.#rollouts = random.fork("rollouts");
    this.#drawRollout();
    for (let index = 0; index < random.between(2, 6); index++) this.#services.set(this.#newService(), 0);
  }

  /** The files of the next commit: one thing changed since the last. */
  next(): Record<string, string> {
    this.#version++;
    if (this.#version > 1) {
      const gently = this.#gentle.chance(0.6);
      if (gently) this.#changeGently();
      // Alone, or together with what does restart something.
      if (!gently || this.#gentle.chance(0.2)) this.#change();
      if (this.#rollouts.chance(0.2)) this.#drawRollout();
      if (this.#machines.length > 0 && this.#fates.chance(0.2)) this.#tellMachine();
    }
    return this.files();
  }

  files(): Record<string, string> {
    const files: Record<string, string> = {
      "fleet.yaml": `apiVersion: fleet/v1\ncluster: sim\n${this.#machinesText()}${this.#rolloutText()}`,
      "units/everywhere.service": this.#service("everywhere", "sleep infinity", "Global=true"),
      "units/red.service": this.#service(
        "red",
        "sleep infinity",
        `Conflicts=blue.service\nMachineMetadata=zone=${this.#redInA ? "a" : "b"}`,
      ),
      "units/blue.service": this.#service("blue", "sleep infinity", `MachineMetadata=zone=${this.#redInA ? "b" : "a"}`),
      "units/zoned.service": this.#service("zoned", "sleep infinity", "MachineMetadata=zone=a"),
      "units/once.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
      "units/front.service": this.#service(
        "front",
        "sleep infinity",
        "",
        "Requires=back.service\nAfter=back.service\n",
      ),
      "units/back.service": this.#service("back", `sleep ${200_000 + this.#backVersion}`, ""),
      // While it runs beside it, systemd holds back.service, whose new text then needs a reload.
      "units/after.service": this.#service("after", "sleep infinity", "MachineOf=back.service", "After=back.service\n"),
      "units/broken.service": this.#service("broken", "false", ""),
      "units/tick.timer": "[Timer]\nOnBootSec=1h\n",
      "units/tick.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    };
    for (const [name, version] of this.#services)
      files[`units/${name}.service`] = this.#service(name, `sleep ${100_000 + version}`, "");
    return files;
  }

  /** One to three units change in what nobody notices, what systemd must read, or what their own reload applies. */
  #changeGently(): void {
    const names = ["everywhere", "red", "blue", "zoned", "front", "back", "after", "broken", ...this.#services.keys()];
    for (let changes = this.#gentle.between(1, 3); changes > 0; changes--) {
      const name = this.#gentle.pick(names);
      const line = this.#gentle.pick(["about", "restartSec", "trigger"] as const);
      this.#lines.set(name, { ...(this.#lines.get(name) ?? FIRST), [line]: this.#version });
    }
  }

  /** Drains or cordons one machine, or takes that back. */
  #tellMachine(): void {
    const machine = this.#fates.pick(this.#machines);
    if (this.#told.has(machine)) this.#told.delete(machine);
    else this.#told.set(machine, this.#fates.pick(["drain", "cordon"]));
  }

  #machinesText(): string {
    if (this.#told.size === 0) return "";
    const lines = [...this.#told].map(([id, fate], index) => `  told-${index}: { id: "${id}", ${fate}: true }\n`);
    return `admit: any\nmachines:\n${lines.join("")}`;
  }

  /** How commits go out from now on. */
  #drawRollout(): void {
    this.#rings = this.#rollouts.pick(["none", "none", "machine", "zone"] as const);
    this.#hasCanaries = this.#rollouts.chance(0.3);
  }

  /** A ring of one machine, or of a zone, before all others; the canaries of what runs everywhere before its others. */
  #rolloutText(): string {
    const first = this.#rings === "machine" ? this.#machines[0] : "zone=b";
    const rings = first === undefined || this.#rings === "none" ? "" : ringsText(first);
    const canaries = `units:\n  everywhere.service: { rollout: { canary: 1, bake: ${BAKE_MS / 1000}s } }\n`;
    return `${rings}${this.#hasCanaries ? canaries : ""}`;
  }

  #service(name: string, command: string, option: string, head = ""): string {
    const { about, restartSec, trigger } = this.#lines.get(name) ?? FIRST;
    const fleet = option === "" ? "" : `\n[X-Fleet]\n${option}\n`;
    return (
      `[Unit]\nDescription=${about}\nX-Reload-Triggers=${trigger}\n${head}\n` +
      `[Service]\nRestartSec=${restartSec}\nExecStart=/bin/${command}\nExecReload=/bin/true\n${fleet}`
    );
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

type Rings = "none" | "machine" | "zone";

/** For how long a ring, or canaries, must be healthy. */
export const SOAK_MS = 3_000;
export const BAKE_MS = 5_000;

function ringsText(first: string): string {
  return `rings:\n  - { match: "${first}", soak: ${SOAK_MS / 1000}s }\n  - { match: "*" }\n`;
}

interface GentleLines {
  readonly about: number;
  readonly restartSec: number;
  readonly trigger: number;
}

const FIRST: GentleLines = { about: 1, restartSec: 1, trigger: 1 };

/**
 * What of a unit's text its process was started with: this differs, or it must not be started anew. Which machines may have it is the
 * engine's to read, and one that has moved in its old version is the same process by the new one.
 */
export function startedText(text: string): string {
  return text.replace(/^(Description|RestartSec|X-Reload-Triggers|MachineMetadata)=.*$/gm, "");
}

/** What of a unit's text systemd must hold. */
export function heldText(text: string): string {
  return text.replace(/^(Description|MachineMetadata)=.*$/gm, "");
}

/** What of a unit's text its own reload applies. */
export function reloadedText(text: string): string {
  return /^X-Reload-Triggers=.*$/m.exec(text)?.[0] ?? "";
}
