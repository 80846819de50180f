/** The store itself failed (disk full, I/O, corruption): no record is at fault, and trying again later may succeed. */
export class StoreTrouble extends Error {}

/** The store is corrupted or gone: only a new start helps, which makes a new one. */
export class StoreLost extends StoreTrouble {}
