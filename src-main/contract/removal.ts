/** What became of the removal of several: the engine refuses each that came into use meanwhile, and says why. */
export interface Removal {
  /** Names or ids, as asked for. */
  readonly removed: readonly string[];
  readonly kept: readonly { readonly name: string; readonly reason: string }[];
}
