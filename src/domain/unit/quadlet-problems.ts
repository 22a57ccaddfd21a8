import type { Diagnostic } from "../diagnostic.ts";
import type { UnitName } from "../names.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import { isQuadlet } from "./unit-name.ts";

const SECTIONS = ["Build", "Container", "Image", "Kube", "Network", "Pod", "Volume"];

/** What podman's generator reads otherwise than the author would think, or than fleet can follow. Measured with podman 5.4.2. */
export function quadletProblems(name: UnitName, unit: EffectiveUnit): Diagnostic[] {
  if (!isQuadlet(name)) return [];
  return SECTIONS.flatMap((section) =>
    unit.assignments(section).flatMap(({ key, value, at }): Diagnostic[] => {
      if (key === "ServiceName" && value !== "") {
        return [
          {
            code: "quadlet-service-name",
            severity: "error",
            at,
            saw: `ServiceName=${value}, which gives ${name} a service that does not bear its name`,
            expected: "the generator's own name, by which fleet finds the service",
            next: "rename the file instead",
          },
        ];
      }
      const reference = /(?:^|=)([^\s:,=/]*%[^\s:,=/]*\.(?:build|container|image|network|pod|volume))(?=$|[:,])/.exec(
        value,
      )?.[1];
      if (reference === undefined || !["Image", "Mount", "Network", "Pod", "Volume"].includes(key)) return [];
      return [
        {
          code: "quadlet-specifier",
          severity: "error",
          at,
          saw: `a specifier in the quadlet name ${reference}, which podman's generator does not expand`,
          expected: "the other file's name, letter by letter",
        },
      ];
    }),
  );
}
