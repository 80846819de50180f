/**
 * The most code points that are sent of each text. Cronitor publishes the lengths of names and messages only; the others
 * are what its own clients and a careful reader would dare: too long a text must never cost the monitor or a ping.
 */
export const MAX_TEXT = 100;
export const MAX_KEY = 128;
export const MAX_NOTE = 1_024;
/** The most tags, notification lists or limits of one monitor. */
export const MAX_ITEMS = 100;
