/**
 * What an agent does where a unit on its machine was changed by hand: put it back (`correct`), say so and touch nothing (`detect`), or
 * neither (`off`). What a commit changes is brought to the machine whatever this says.
 */
export type DriftPolicy = "correct" | "detect" | "off";
