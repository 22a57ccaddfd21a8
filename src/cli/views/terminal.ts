/** How a terminal is. Views take null for a pipe, where lines may be as long as they are and nothing is coloured. */
export interface Terminal {
  readonly columns: number;
  readonly colour: boolean;
}
