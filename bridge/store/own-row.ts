/** Who claims the rows that the bridge wants for itself; the page shows it in the place of a CronJob. */
export const OWN_CLAIM = 'lifecycle-bridge';

/** The row that a destination has for the bridge itself, and whether the vendor ever accepted it. */
export interface OwnRow {
  readonly key: string;
  readonly accepted: boolean;
}
