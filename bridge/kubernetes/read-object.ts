import { readerOf } from './kinds.ts';
import { FOLLOWED } from './observation.ts';

/** Facts of an object of a kind that the bridge follows; undefined for any other (valid) Kubernetes object. */
export const readObject = readerOf(FOLLOWED);
