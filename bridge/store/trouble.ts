/** The store itself failed (disk full, I/O, corruption): no record is at fault, and trying again later may succeed. */
export class StoreTrouble extends Error {}
